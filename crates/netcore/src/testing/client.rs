//! The other end of a connection, in words for what a test expects of it.

use std::io::{self, ErrorKind};
use std::net::Shutdown as Side;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::events::{self, Hold};
use super::wire::Wire;
use super::{GENEROUS, SHORT};

/// Bytes that a client sends at once when it floods.
const FLOOD: usize = 64 << 10;

/// A client. No call of it waits for longer than [`GENEROUS`].
#[derive(Debug)]
pub struct Client {
    stream: Box<dyn Wire>,
    peer: String,
    question: Vec<u8>,
    answer: Vec<u8>,
}

impl Client {
    pub(super) fn new(stream: Box<dyn Wire>, peer: String, words: [Vec<u8>; 2]) -> Client {
        let [question, answer] = words;
        let client = Client { stream, peer, question, answer };
        client.wait_to_read(GENEROUS);
        client.wait_to_write(GENEROUS);
        client
    }

    fn wait_to_read(&self, limit: Duration) {
        self.stream.socket().set_read_timeout(Some(limit)).expect("a timeout can be set");
    }

    fn wait_to_write(&self, limit: Duration) {
        self.stream.socket().set_write_timeout(Some(limit)).expect("a timeout can be set");
    }

    /// Its address, by which the log of the server calls it.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// The stream itself.
    pub fn stream(&mut self) -> &mut dyn Wire {
        &mut *self.stream
    }

    /// Asks, and leaves the answer on its way.
    ///
    /// # Panics
    /// When the server takes nothing.
    #[track_caller]
    pub fn ask(&mut self) {
        self.stream.write_all(&self.question).expect("the server takes the question");
    }

    /// Asks, and tells what came of it.
    ///
    /// # Errors
    /// What the connection says.
    pub fn try_ask(&mut self) -> io::Result<Vec<u8>> {
        self.stream.write_all(&self.question)?;
        let mut answer = vec![0; self.answer.len()];
        self.stream.read_exact(&mut answer)?;
        Ok(answer)
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
        let mut answer = vec![0; self.answer.len()];
        self.stream.read_exact(&mut answer).expect("the answer comes");
        assert_eq!(answer.escape_ascii().to_string(), self.answer.escape_ascii().to_string());
    }

    /// Nothing comes for a while. That something will never come, no test can see.
    #[track_caller]
    pub fn assert_waits(&mut self) {
        self.wait_to_read(SHORT);
        let error = self.stream.read(&mut [0; 1]).expect_err("something came");
        assert!(is_timeout(&error), "the server hung up: {error}");
        self.wait_to_read(GENEROUS);
    }

    /// The stream ends, with nothing before its end.
    #[track_caller]
    pub fn assert_ends(&mut self) {
        assert_eq!(self.read_to_end(), b"", "something came before the end");
    }

    /// Reads until the stream ends, which it does properly and not by a reset.
    ///
    /// # Panics
    /// When the server has reset the connection, or does not end it.
    #[track_caller]
    pub fn read_to_end(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let read = self.stream.read_to_end(&mut rest);
        assert!(read.is_ok(), "after {} bytes: {}", rest.len(), read.unwrap_err());
        rest
    }

    /// Sends for ever, from a thread of its own, until the server has hung up.
    pub fn flood(&self) -> JoinHandle<io::Error> {
        let mut writer = self.stream.again();
        let bytes = self.many_questions();
        thread::spawn(move || {
            loop {
                if let Err(error) = writer.write_all(&bytes) {
                    return error;
                }
            }
        })
    }

    /// Reads and drops what comes, from a thread of its own, until the connection ends.
    pub fn read_for_ever(&self) -> JoinHandle<()> {
        let mut reader = self.stream.again();
        let mut buf = vec![0; FLOOD];
        thread::spawn(move || while reader.read(&mut buf).is_ok_and(|n| n > 0) {})
    }

    /// Sends questions of so many bytes or a little more from a thread of its own, and
    /// ends its side.
    pub fn go_on_sending(&self, bytes: usize) -> JoinHandle<io::Result<()>> {
        let mut writer = self.stream.again();
        let question = self.question.clone();
        thread::spawn(move || {
            for _ in 0..=bytes / question.len() {
                writer.write_all(&question)?;
            }
            writer.half_close()
        })
    }

    /// Sends and does not read, until the server takes no more.
    ///
    /// # Panics
    /// When the server hangs up first.
    #[track_caller]
    pub fn send_until_stuck(&mut self) {
        self.wait_to_write(SHORT);
        let bytes = self.many_questions();
        let ended = std::iter::repeat_with(|| self.stream.write_all(&bytes)).find_map(Result::err);
        assert!(ended.as_ref().is_some_and(is_timeout), "the server hung up: {ended:?}");
        self.wait_to_write(GENEROUS);
    }

    fn many_questions(&self) -> Vec<u8> {
        self.question.repeat(1 + FLOOD / self.question.len())
    }

    /// Closes its sending side.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn half_close(&mut self) {
        self.stream.half_close().expect("the sending side can be closed");
    }

    /// Hangs up rudely: what the server reads or writes next fails.
    ///
    /// # Panics
    /// When SO_LINGER cannot be set.
    pub fn reset(self) {
        // With zero, close is a reset.
        self.stream.socket().set_linger(Some(Duration::ZERO)).expect("it can be set");
    }

    /// Ends both directions, whoever else has a handle of the stream.
    pub fn end_both_ways(&self) {
        // Fails where the server has ended the connection before.
        let _ = self.stream.socket().shutdown(Side::Both);
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

    /// The bytes of replies that the server has handed over to it.
    pub fn handed_over(&self) -> usize {
        events::handed_over(&self.peer)
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        events::forget(&self.peer);
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
