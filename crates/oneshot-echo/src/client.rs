//! The client: sends everything, says so by closing its sending side, and reads to the
//! end.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};

use netcore::log::payload;

/// Sends `message` and returns the reply, which ends where the server closes.
///
/// # Errors
/// What write or read say.
pub fn exchange(mut stream: TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    let peer = stream.peer_addr()?;
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(message));
    // Where the server does not read while it cannot write, a message larger than all
    // buffers on the way waits here for ever: `reusable-echo` reads meanwhile.
    stream.write_all(message)?;
    // The half-close: end of stream for the server, while its replies still reach us. The
    // server replies until we close and we read until it closes, so without this both
    // wait for ever.
    stream.shutdown(Shutdown::Write)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    log::debug!("{peer} received {} bytes {}", reply.len(), payload(&reply));
    Ok(reply)
}
