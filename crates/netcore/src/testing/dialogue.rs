//! What the two ends say to each other, as it is on the wire.

use std::io;
use std::net::TcpStream;

use super::transport::Stream;
use crate::frame::{self, Header};

/// Reads one answer, and returns what of it is the same each time.
pub type ReadAnswer<S = TcpStream> = fn(&mut S) -> io::Result<Vec<u8>>;

/// What the two ends say to each other, as it is on the wire.
#[derive(Debug)]
pub(super) struct Dialogue<S> {
    /// What the server says before it is asked.
    pub(super) greeting: Vec<u8>,
    pub(super) question: Vec<u8>,
    pub(super) answer: Vec<u8>,
    /// Without, an answer is as long as `answer`.
    pub(super) read: Option<ReadAnswer<S>>,
    /// Bytes before each of the server's messages, which its log does not count.
    pub(super) header: usize,
}

// By hand, since a stream cannot be cloned, and need not be.
impl<S> Clone for Dialogue<S> {
    fn clone(&self) -> Dialogue<S> {
        let Dialogue { greeting, question, answer, read, header } = self;
        let (greeting, question, answer) = (greeting.clone(), question.clone(), answer.clone());
        Dialogue { greeting, question, answer, read: *read, header: *header }
    }
}

impl<S: Stream> Dialogue<S> {
    /// One that begins with the question, and whose answers are as long as `answer`.
    pub(super) fn new(question: Vec<u8>, answer: Vec<u8>) -> Dialogue<S> {
        Dialogue { greeting: Vec::new(), question, answer, read: None, header: 0 }
    }

    /// One answer, as far as it is the same each time.
    pub(super) fn read_answer(&self, stream: &mut S) -> io::Result<Vec<u8>> {
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
