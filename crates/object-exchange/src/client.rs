//! The client: receives the greeting, then sends one request after another and receives
//! a reply to each.

use std::fmt::Display;
use std::io::{self, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpStream};

use netcore::codec::Codec;
use netcore::deadline::{Deadline, TimedStream};
use netcore::log::payload;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::message::{Greeting, Reply, Request};
use crate::{BUFFER, REPLY_TIMEOUT};

/// A connection to the server. What has been read ahead on it belongs to the messages
/// that follow, so one connection has one buffer and not one for each message.
pub type Stream<'a> = BufReader<TimedStream<'a>>;

/// Puts the buffer of this connection around it.
pub fn buffered(stream: &TcpStream) -> Stream<'_> {
    BufReader::with_capacity(BUFFER, TimedStream::new(stream, Deadline::NEVER))
}

/// Receives what the server says first, within [`REPLY_TIMEOUT`]. Before this, no reply
/// can be received.
///
/// # Errors
/// As [`exchange`].
pub fn greeting(stream: &mut Stream, codec: &Codec) -> io::Result<Greeting> {
    let peer = stream.get_ref().peer_addr()?;
    stream.get_mut().set_deadline(Deadline::after(REPLY_TIMEOUT));
    receive(stream, peer, codec)
}

/// Sends `request` and returns the reply, within [`REPLY_TIMEOUT`] for both together. A
/// refusal is a reply.
///
/// # Errors
/// What read or write say; `TimedOut`; `UnexpectedEof` when the server closes before
/// the whole reply has come; `InvalidData` for a message over a limit, sent or
/// received, and for one that is not what was to come.
pub fn exchange(stream: &mut Stream, request: &Request, codec: &Codec) -> io::Result<Reply> {
    let peer = stream.get_ref().peer_addr()?;
    stream.get_mut().set_deadline(Deadline::after(REPLY_TIMEOUT));
    send(stream.get_mut(), peer, codec, request)?;
    receive(stream, peer, codec)
}

fn send<T: Serialize + Display>(
    stream: &mut TimedStream,
    peer: SocketAddr,
    codec: &Codec,
    value: &T,
) -> io::Result<()> {
    let mut message = Vec::new();
    codec.encode(value, &mut message)?;
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(value.to_string().as_bytes()));
    codec.write(stream, &message)?;
    Ok(())
}

fn receive<T: DeserializeOwned + Display>(
    stream: &mut Stream,
    peer: SocketAddr,
    codec: &Codec,
) -> io::Result<T> {
    let mut message = Vec::new();
    let Some(value) = codec.read::<T>(stream, &mut message)? else {
        return Err(io::Error::new(
            ErrorKind::UnexpectedEof,
            "the server closed the connection instead",
        ));
    };
    log::debug!(
        "{peer} received {} bytes {}",
        message.len(),
        payload(value.to_string().as_bytes())
    );
    Ok(value)
}
