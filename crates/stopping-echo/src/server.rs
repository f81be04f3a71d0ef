//! The server: accepts one client, serves it until it has sent everything, and accepts
//! the next, until it is told to stop.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;

use crate::{BUFFER, Echo};

/// Serves clients, one at a time, until `shutdown` is told to stop.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(listener: TcpListener, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?;
    while let Some((stream, peer)) = acceptor.accept()? {
        visit(stream, peer, |stream| echo(stream, peer, service));
    }
    Ok(())
}

fn echo(stream: &mut Connection, peer: SocketAddr, service: &Echo) -> io::Result<()> {
    let mut buf = vec![0; BUFFER];
    loop {
        // Returns as soon as there is anything, not when the buffer is full.
        // A client that says nothing keeps us here: `timeout-echo` sets a limit.
        let n = stream.read(&mut buf)?;
        if n == 0 {
            // End of stream: the client has closed its sending side, or a stop has begun
            // and everything that had arrived is answered.
            return Ok(());
        }
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        service.reply(&mut buf[..n]);
        log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
        // `write` may take a part only; `write_all` calls it until nothing is left.
        stream.write_all(&buf[..n])?;
    }
}
