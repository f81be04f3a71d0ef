//! The other end of a connection, in words for what a test expects of it.

use std::io::{self, ErrorKind};
use std::net::{Shutdown as Side, TcpStream};
use std::time::Instant;

use super::dialogue::Dialogue;
use super::events::{self, Hold};
use super::transport::Stream;
use super::{GENEROUS, SHORT};

/// Bytes that one call reads at most.
const BUFFER: usize = 64 << 10;

/// A client. No call of it waits for longer than [`GENEROUS`].
#[derive(Debug)]
pub struct Client<S: Stream = TcpStream> {
    pub(super) stream: S,
    peer: String,
    pub(super) dialogue: Dialogue<S>,
    is_greeted: bool,
}

impl<S: Stream> Client<S> {
    pub(super) fn new(stream: S, dialogue: &Dialogue<S>) -> Client<S> {
        stream.set_timeouts(GENEROUS, GENEROUS).expect("a timeout can be set");
        let peer = stream.name().expect("a connection has an address");
        events::know(&peer);
        let is_greeted = dialogue.greeting.is_empty();
        Client { stream, peer, dialogue: dialogue.clone(), is_greeted }
    }

    /// What the log of the server calls it.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// The stream itself.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// What it asks, as it is on the wire.
    pub fn question(&self) -> Vec<u8> {
        self.dialogue.question.clone()
    }

    /// Reads what the server says before it is asked, if it has not been read yet.
    ///
    /// # Errors
    /// What the connection says.
    ///
    /// # Panics
    /// When the server says something else.
    pub fn greet(&mut self) -> io::Result<()> {
        if self.is_greeted {
            return Ok(());
        }
        let mut said = vec![0; self.dialogue.greeting.len()];
        self.stream.read_exact(&mut said)?;
        assert_same(&said, &self.dialogue.greeting);
        self.is_greeted = true;
        Ok(())
    }

    /// Asks, and leaves the answer on its way.
    ///
    /// # Panics
    /// When the server takes nothing.
    #[track_caller]
    pub fn ask(&mut self) {
        self.say(&self.question());
    }

    /// Sends these bytes.
    ///
    /// # Panics
    /// When the server takes nothing.
    #[track_caller]
    pub fn say(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).expect("the server takes what is said");
    }

    /// Asks, and tells what came of it.
    ///
    /// # Errors
    /// What the connection says.
    pub fn try_ask(&mut self) -> io::Result<Vec<u8>> {
        self.stream.write_all(&self.dialogue.question)?;
        self.greet()?;
        self.dialogue.read_answer(&mut self.stream)
    }

    /// It asks and gets its answer.
    #[track_caller]
    pub fn assert_served(&mut self) {
        self.ask();
        self.assert_answered();
    }

    /// The answer to a question of before comes.
    #[track_caller]
    pub fn assert_answered(&mut self) {
        self.greet().expect("the server says what it says first");
        let answer = self.dialogue.read_answer(&mut self.stream).expect("the answer comes");
        assert_same(&answer, &self.dialogue.answer);
    }

    /// Waits for the first byte of an answer; returns the bytes that have been read so far.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn read_the_beginning(&mut self) -> usize {
        self.greet().expect("the server says what it says first");
        self.stream.read_exact(&mut [0; 1]).expect("the answer begins");
        self.dialogue.greeting.len() + 1
    }

    /// Nothing comes for a while. That something will never come, no test can see.
    #[track_caller]
    pub fn assert_waits(&mut self) {
        self.stream.set_timeouts(SHORT, GENEROUS).expect("a timeout can be set");
        let error = self.stream.read(&mut [0; 1]).expect_err("something came");
        assert!(is_timeout(&error), "the server hung up: {error}");
        self.stream.set_timeouts(GENEROUS, GENEROUS).expect("a timeout can be set");
    }

    /// The stream ends, with nothing before its end but what the server says first.
    #[track_caller]
    pub fn assert_ends(&mut self) {
        self.greet().expect("the server says what it says first");
        assert_eq!(self.read_to_end(), b"", "something came before the end");
    }

    /// Reads until the stream ends, which it does properly and not by a reset.
    ///
    /// # Panics
    /// When the server has reset the connection, or does not end it.
    #[track_caller]
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let (mut rest, mut buf) = (Vec::new(), vec![0; BUFFER]);
        let asked = Instant::now();
        loop {
            match self.stream.read(&mut buf) {
                Ok(0) => return rest,
                Ok(n) => rest.extend_from_slice(&buf[..n]),
                Err(error) => panic!("after {} bytes: {error}", rest.len()),
            }
            assert!(asked.elapsed() < GENEROUS, "{} bytes, and no end", rest.len());
        }
    }

    /// Closes its sending side.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn half_close(&mut self) {
        self.stream.shutdown(Side::Write).expect("the sending side can be closed");
    }

    /// Hangs up rudely: what the server reads or writes next fails.
    ///
    /// # Panics
    /// When the system cannot be told so.
    pub fn reset(self) {
        self.stream.reset_at_end().expect("it can be set");
    }

    /// Ends both directions, whoever else has a handle of the stream.
    pub fn end_both_ways(&self) {
        // Fails where the server has ended the connection before.
        let _ = self.stream.shutdown(Side::Both);
    }

    /// Waits until the server has accepted it.
    #[track_caller]
    pub fn assert_welcomed(&self) {
        events::expect(&[&self.peer, "connected"]);
    }

    /// Has the server meet a bug when it has read something of this client.
    pub fn meet_a_bug(&self) {
        events::panic_at(&self.peer);
    }

    /// Has the server work on what this client asks next for as long as the test likes.
    pub fn hold(&self) -> Hold {
        events::hold_at(&self.peer)
    }

    /// The bytes that the server has handed over to it.
    pub fn handed_over(&self) -> usize {
        let sent = events::handed_over(&self.peer);
        sent.iter().map(|bytes| bytes + self.dialogue.header).sum()
    }
}

impl<S: Stream> Drop for Client<S> {
    fn drop(&mut self) {
        events::forget(&self.peer);
    }
}

#[track_caller]
fn assert_same(came: &[u8], expected: &[u8]) {
    assert_eq!(came.escape_ascii().to_string(), expected.escape_ascii().to_string());
}

pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
