//! The client: sends one message after another on one connection, and reads as many
//! bytes back as it sent.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;

use netcore::Error;
use netcore::cli::{self, ClientArgs, NoOptions};
use netcore::log::payload;

/// Sends each message of the command line over one connection, and prints its reply.
///
/// # Errors
/// As [`ClientArgs::connect`], [`cli::each_message`] and [`exchange`].
pub fn run<const PORT: u16>(args: &ClientArgs<PORT>, _: NoOptions) -> Result<(), Error> {
    let stream = args.connect()?;
    cli::each_message(&args.messages, |message| exchange(&stream, message))
}

/// Sends `message` and returns the reply, which is as long as the message.
///
/// Writing has a thread of its own, because a server that nobody reads from stops
/// reading in turn: with a message larger than the buffers between the two,
/// write-then-read waits for ever.
///
/// # Errors
/// What read or write say; `UnexpectedEof` when the server closes before the whole
/// reply has come.
pub fn exchange(stream: &TcpStream, message: &[u8]) -> io::Result<Vec<u8>> {
    let peer = stream.peer_addr()?;
    thread::scope(|scope| {
        let writer = thread::Builder::new().spawn_scoped(scope, || send(stream, peer, message))?;
        let reply = receive(stream, message.len());
        if reply.is_err() {
            // The writer may be blocked in a write that nobody will read. On Windows this does
            // not wake it: the client of `stopping-echo` has no write that blocks.
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
    stream.write_all(message)
}

fn receive(mut stream: &TcpStream, length: usize) -> io::Result<Vec<u8>> {
    // One read may return a part only; `read_exact` calls it until the whole reply is
    // there. What comes beyond is left, and would be taken for the beginning of the next
    // one: the client of `stopping-echo` says so.
    let mut reply = vec![0; length];
    stream.read_exact(&mut reply)?;
    Ok(reply)
}
