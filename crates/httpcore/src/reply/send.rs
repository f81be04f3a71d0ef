//! A response from beginning to end, for a server that waits.

use std::io;

use super::clock::Clock;
use super::frame::Frame;
use super::outgoing::Outgoing;
use super::response::Response;
use crate::head::{Method, Persistence};
use crate::stream::Stream;

/// What has become of a response.
#[derive(Debug)]
pub struct Sent {
    /// Bytes of content that the system has taken.
    pub bytes: u64,
    /// What has to happen to the connection now.
    pub persistence: Persistence,
    /// How it ended.
    pub result: io::Result<()>,
}

/// Sends `response`; `out` is a buffer that is used again and again.
pub fn send(stream: &mut dyn Stream, out: &mut Vec<u8>, frame: &Frame, response: Response) -> Sent {
    let mut outgoing = Outgoing::new(std::mem::take(out), frame, response);
    let result = outgoing.advance(stream);
    let sent = Sent { bytes: outgoing.bytes(), persistence: outgoing.persistence(), result };
    *out = outgoing.into_buffer();
    sent
}

/// Sends the only response of a connection, to the client of this name in the log.
///
/// # Errors
/// What writing says, and reading where the content is read.
pub fn send_last(
    stream: &mut dyn Stream,
    name: &str,
    method: Method,
    response: Response,
) -> io::Result<()> {
    let mut clock = Clock::default();
    send(stream, &mut Vec::new(), &Frame::last(method, clock.date(), name), response).result
}
