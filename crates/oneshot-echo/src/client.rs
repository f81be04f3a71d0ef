//! The client: sends everything, says so by closing its sending side, and reads to the
//! end.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use netcore::log::payload;

/// Sends `message` and returns the reply, which ends where the server closes.
///
/// The server replies until we close, and we read until it closes: without the
/// half-close in between, both wait for ever. Writing has a thread of its own, because
/// a server that nobody reads from stops reading in turn: with a message larger than
/// the buffers between the two, write-then-read waits for ever as well.
///
/// # Errors
/// What read or write say; `UnexpectedEof` when less comes back than was sent,
/// `InvalidData` when more does.
pub fn exchange(stream: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    let peer = stream.peer_addr()?;
    thread::scope(|scope| {
        let writer = thread::Builder::new().spawn_scoped(scope, || send(stream, peer, message))?;
        let reply = receive(stream, message.len());
        if reply.is_err() {
            // The writer may be blocked in a write that nobody will read.
            let _ = stream.shutdown(Shutdown::Both);
        }
        let sent =
            writer.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread panicked")));
        let reply = reply?;
        sent?;
        log::debug!("{peer} received {} bytes {}", reply.len(), payload(&reply));
        Ok(reply)
    })
}

fn send(mut stream: &TcpStream, peer: SocketAddr, message: &[u8]) -> io::Result<()> {
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(message));
    stream.write_all(message)?;
    // The half-close: end of stream for the server, while its replies still reach us.
    stream.shutdown(Shutdown::Write)
}

fn receive(stream: &TcpStream, length: usize) -> io::Result<Vec<u8>> {
    let mut reply = Vec::new();
    // An echo is no longer than what was sent. A server that goes on for ever must not fill
    // our memory.
    stream.take(length as u64 + 1).read_to_end(&mut reply)?;
    // The end of the stream does not tell a server that has finished from one that was
    // killed; the length does.
    if reply.len() < length {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the server sent less than an echo",
        ));
    }
    if reply.len() > length {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "the server sent more than an echo",
        ));
    }
    Ok(reply)
}
