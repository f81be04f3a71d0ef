//! A client that sends more than it reads, or reads without an end, from threads of its
//! own.

use std::io;
use std::net::Shutdown as Side;
use std::thread::{self, JoinHandle};

use super::client::is_timeout;
use super::transport::Stream;
use super::{Client, GENEROUS, SHORT};

/// Bytes that it sends or reads at once.
const FLOOD: usize = 64 << 10;

impl<S: Stream> Client<S> {
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

    /// Asks for ever, one question after the other and from a thread of its own, until the
    /// connection ends.
    ///
    /// # Panics
    /// When the stream has no second handle.
    pub fn ask_for_ever(&self) -> JoinHandle<()> {
        let mut writer = self.stream.again().expect("a stream can be cloned");
        let question = self.question();
        thread::spawn(move || while writer.write_all(&question).is_ok() {})
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
        let question = self.question();
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
        let question = &self.dialogue.question;
        question.repeat(1 + FLOOD / question.len())
    }
}
