//! The other end of a connection, in words for what a test expects of it.

use std::io::{self, ErrorKind};
use std::net::{Shutdown as Side, TcpStream};
use std::thread::{self, JoinHandle};

use super::events::{self, Hold};
use super::transport::Stream;
use super::{GENEROUS, SHORT};

/// Bytes that a client sends at once when it floods.
const FLOOD: usize = 64 << 10;

/// A client. No call of it waits for longer than [`GENEROUS`].
#[derive(Debug)]
pub struct Client<S: Stream = TcpStream> {
    stream: S,
    peer: String,
    question: Vec<u8>,
    answer: Vec<u8>,
}

impl<S: Stream> Client<S> {
    pub(super) fn new(stream: S, question: &[u8], answer: &[u8]) -> Client<S> {
        stream.set_timeouts(GENEROUS, GENEROUS).expect("a timeout can be set");
        let peer = stream.name().expect("a connection has an address");
        let (question, answer) = (question.to_vec(), answer.to_vec());
        Client { stream, peer, question, answer }
    }

    /// What the log of the server calls it.
    pub fn peer(&self) -> &str {
        &self.peer
    }

    /// The stream itself.
    pub fn stream(&mut self) -> &mut S {
        &mut self.stream
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
        self.stream.set_timeouts(SHORT, GENEROUS).expect("a timeout can be set");
        let error = self.stream.read(&mut [0; 1]).expect_err("something came");
        assert!(is_timeout(&error), "the server hung up: {error}");
        self.stream.set_timeouts(GENEROUS, GENEROUS).expect("a timeout can be set");
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

    /// The server hangs up on it, whatever comes before and by whichever way.
    #[track_caller]
    pub fn assert_dropped(&mut self) {
        let mut rest = vec![0; FLOOD];
        loop {
            match self.stream.read(&mut rest) {
                Ok(0) => return,
                Ok(_) => {}
                Err(error) if is_timeout(&error) => panic!("it was not dropped: {error}"),
                Err(_) => return,
            }
        }
    }

    /// Sends for ever, from a thread of its own, until the server has hung up.
    ///
    /// # Panics
    /// When the stream has no second handle.
    pub fn flood(&self) -> JoinHandle<io::Error> {
        let mut writer = self.stream.again().expect("a stream can be cloned");
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
    ///
    /// # Panics
    /// When the stream has no second handle.
    pub fn read_for_ever(&self) -> JoinHandle<()> {
        let mut reader = self.stream.again().expect("a stream can be cloned");
        let mut buf = vec![0; FLOOD];
        thread::spawn(move || while reader.read(&mut buf).is_ok_and(|n| n > 0) {})
    }

    /// Sends questions of so many bytes or a little more from a thread of its own, and
    /// ends its side.
    ///
    /// # Panics
    /// When the stream has no second handle.
    pub fn go_on_sending(&self, bytes: usize) -> JoinHandle<io::Result<()>> {
        let mut writer = self.stream.again().expect("a stream can be cloned");
        let question = self.question.clone();
        thread::spawn(move || {
            for _ in 0..=bytes / question.len() {
                writer.write_all(&question)?;
            }
            writer.shutdown(Side::Write)
        })
    }

    /// Sends and does not read, until the server takes no more.
    ///
    /// # Panics
    /// When the server hangs up first.
    #[track_caller]
    pub fn send_until_stuck(&mut self) {
        self.stream.set_timeouts(GENEROUS, SHORT).expect("a timeout can be set");
        let bytes = self.many_questions();
        let ended = std::iter::repeat_with(|| self.stream.write_all(&bytes)).find_map(Result::err);
        assert!(ended.as_ref().is_some_and(is_timeout), "the server hung up: {ended:?}");
        self.stream.set_timeouts(GENEROUS, GENEROUS).expect("a timeout can be set");
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

    /// The bytes of replies that the server has handed over to it.
    pub fn handed_over(&self) -> usize {
        events::handed_over(&self.peer)
    }
}

impl<S: Stream> Drop for Client<S> {
    fn drop(&mut self) {
        events::forget(&self.peer);
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
}
