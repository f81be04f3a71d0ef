//! What the two ends say to each other, as it is on the wire.

use std::io::{self, Read};
use std::net::TcpStream;

use crate::frame::{self, Header};

/// Bytes of replies that a server can leave to the system, where a test wants it to wait
/// for its client.
pub(super) const LITTLE_ROOM: usize = 4 << 10;

/// Reads one answer, and returns what of it is the same each time.
pub type ReadAnswer = fn(&mut TcpStream) -> io::Result<Vec<u8>>;

/// What the two ends say to each other, as it is on the wire.
#[derive(Debug, Clone, Default)]
pub(super) struct Dialogue {
    /// What the server says before it is asked.
    pub(super) greeting: Vec<u8>,
    pub(super) question: Vec<u8>,
    pub(super) answer: Vec<u8>,
    /// Without, an answer is as long as `answer`.
    pub(super) read: Option<ReadAnswer>,
    /// Bytes before each of the server's messages, which its log does not count.
    pub(super) header: usize,
}

impl Dialogue {
    /// One answer, as far as it is the same each time.
    pub(super) fn read_answer(&self, stream: &mut TcpStream) -> io::Result<Vec<u8>> {
        if let Some(read) = self.read {
            return read(stream);
        }
        let mut answer = vec![0; self.answer.len()];
        stream.read_exact(&mut answer)?;
        Ok(answer)
    }
    /// Bytes of the longest message that is said here, without its length.
    pub(super) fn longest_message(&self) -> usize {
        let Dialogue { greeting, question, answer, header, .. } = self;
        [greeting, question, answer].into_iter().map(Vec::len).fold(0, usize::max) - header
    }
}

/// A message with its length before it.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = frame::write(&mut bytes, Header::Binary, usize::MAX, message);
    written.expect("memory takes everything");
    bytes
}
