//! The client: sends one message after another on one connection, and reads one message
//! back for each.

use std::io::{self, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpStream};

use netcore::deadline::{Deadline, TimedStream};
use netcore::frame;
use netcore::log::payload;

use crate::{BUFFER, Framing, REPLY_TIMEOUT};

/// A connection to the server. What has been read ahead on it belongs to the messages
/// that follow, so one connection has one buffer and not one for each message.
pub type Stream<'a> = BufReader<TimedStream<'a>>;

/// Puts the buffer of this connection around it.
pub fn buffered(stream: &TcpStream) -> Stream<'_> {
    BufReader::with_capacity(BUFFER, TimedStream::new(stream, Deadline::NEVER))
}

/// Returns the message of a server that speaks first, within [`REPLY_TIMEOUT`].
///
/// A server that waits for the client to speak sends none: then both wait, until one of
/// them gives up.
///
/// # Errors
/// As [`exchange`].
pub fn greeting(stream: &mut Stream, framing: &Framing) -> io::Result<String> {
    let peer = stream.get_ref().peer_addr()?;
    stream.get_mut().set_deadline(Deadline::after(REPLY_TIMEOUT));
    receive(stream, peer, framing)
}

/// Sends `message` and returns the reply, within [`REPLY_TIMEOUT`] for both together.
///
/// A thread for writing is not needed here: the server reads a message to its end
/// before it writes anything.
///
/// # Errors
/// What read or write say; `TimedOut`; `UnexpectedEof` when the server closes before
/// the whole reply has come; `InvalidData` for a message over the limit, sent or
/// received, and for a reply that is not UTF-8.
pub fn exchange(stream: &mut Stream, message: &[u8], framing: &Framing) -> io::Result<String> {
    let peer = stream.get_ref().peer_addr()?;
    stream.get_mut().set_deadline(Deadline::after(REPLY_TIMEOUT));
    send(stream.get_mut(), peer, message, framing)?;
    receive(stream, peer, framing)
}

fn send(
    stream: &mut TimedStream,
    peer: SocketAddr,
    message: &[u8],
    framing: &Framing,
) -> io::Result<()> {
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(message));
    frame::write(stream, framing.header(), framing.max_message, message)?;
    Ok(())
}

fn receive(stream: &mut Stream, peer: SocketAddr, framing: &Framing) -> io::Result<String> {
    let mut reply = Vec::new();
    if !frame::read(stream, framing.header(), framing.max_message, &mut reply)? {
        return Err(io::Error::new(
            ErrorKind::UnexpectedEof,
            "the server closed the connection instead",
        ));
    }
    log::debug!("{peer} received {} bytes {}", reply.len(), payload(&reply));
    String::from_utf8(reply).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}
