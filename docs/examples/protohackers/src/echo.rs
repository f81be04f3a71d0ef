//! Problem 0: what comes goes back, until the client has said everything.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use netcore::connection::Connection;
use netcore::deadline::Deadline;

use crate::server::IDLE;

/// One client.
///
/// # Errors
/// What the connection says.
pub fn talk(stream: &mut Connection, _: SocketAddr) -> io::Result<()> {
    let mut buf = vec![0; 64 << 10];
    loop {
        stream.set_deadline(Deadline::after(IDLE));
        let n = stream.read(&mut buf)?;
        if n == 0 {
            return Ok(());
        }
        stream.set_deadline(Deadline::after(IDLE));
        stream.write_all(&buf[..n])?;
    }
}
