//! What the promises have to know of a server.

use std::fmt;
use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use socket2::SockRef;

use super::{Client, Running, Setup, events};
use crate::frame::{self, Header};
use crate::listen;
use crate::shutdown::Shutdown;

/// How a server is run until it ends.
type Serve = dyn Fn(TcpListener, Setup, &Shutdown) -> io::Result<()> + Send + Sync;

/// Reads one answer, and returns what of it is the same each time.
type ReadAnswer = fn(&mut TcpStream) -> io::Result<Vec<u8>>;

/// Bytes of replies that a server can leave to the system, where a test wants it to wait
/// for its client.
pub(super) const LITTLE_ROOM: usize = 4 << 10;

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
}

/// What the promises have to know of a server.
#[derive(Clone)]
pub struct Suite {
    pub(super) dialogue: Dialogue,
    serve: Arc<Serve>,
}

impl Suite {
    /// A server that `serve` runs until it ends, and that answers `answer` to `question`.
    pub fn new(
        question: impl Into<Vec<u8>>,
        answer: impl Into<Vec<u8>>,
        serve: impl Fn(TcpListener, Setup, &Shutdown) -> io::Result<()> + Send + Sync + 'static,
    ) -> Suite {
        let (question, answer) = (question.into(), answer.into());
        let dialogue = Dialogue { question, answer, ..Dialogue::default() };
        Suite { dialogue, serve: Arc::new(serve) }
    }

    /// A server of messages, each behind its length in four bytes.
    pub fn of_messages(
        question: impl Into<Vec<u8>>,
        answer: impl Into<Vec<u8>>,
        serve: impl Fn(TcpListener, Setup, &Shutdown) -> io::Result<()> + Send + Sync + 'static,
    ) -> Suite {
        let mut suite = Suite::new(framed(&question.into()), framed(&answer.into()), serve);
        suite.dialogue.header = framed(b"").len();
        suite
    }

    /// One that says this message first, before it is asked.
    #[must_use]
    pub fn greeting(mut self, message: impl Into<Vec<u8>>) -> Suite {
        self.dialogue.greeting = framed(&message.into());
        self
    }

    /// One whose answers hold what changes, such as a date: `read` reads one, and returns
    /// what of it is always the same. That is `answer`.
    #[must_use]
    pub fn read_by(mut self, read: ReadAnswer) -> Suite {
        self.dialogue.read = Some(read);
        self
    }

    /// Bytes of the longest message that is said here, without its length.
    pub(super) fn longest_message(&self) -> usize {
        let Dialogue { greeting, question, answer, header, .. } = &self.dialogue;
        [greeting, question, answer].into_iter().map(Vec::len).fold(0, usize::max) - header
    }

    /// A server that runs.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&self, setup: Setup) -> Running {
        self.start_on(listen::tcp("127.0.0.1", 0).expect("a port is free"), setup)
    }

    /// A server that waits until a client takes its replies, which the client has no room
    /// for.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_stuck(&self, setup: Setup) -> (Running, Client) {
        let listener = listen::tcp("127.0.0.1", 0).expect("a port is free");
        // Its connections have this as well, and a size that was asked for is never made
        // larger by the system.
        SockRef::from(&listener).set_send_buffer_size(LITTLE_ROOM).expect("a size can be set");
        let server = self.start_on(listener, setup);
        let mut deaf = server.connect_with_little_room();
        deaf.send_until_stuck();
        (server, deaf)
    }

    /// As [`start`](Suite::start), with a listener of the test's own.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_on(&self, listener: TcpListener, setup: Setup) -> Running {
        events::listen();
        let shutdown = Shutdown::new(setup.limits.drain).expect("a stop can be prepared");
        let address = listener.local_addr().expect("a listener has an address");
        let (ends, ended) = mpsc::channel();
        let (serve, handle) = (self.serve.clone(), shutdown.clone());
        thread::spawn(move || ends.send(serve(listener, setup, &handle)));
        let ended = Mutex::new(ended);
        Running { dialogue: self.dialogue.clone(), address, shutdown, ended }
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").field("dialogue", &self.dialogue).finish_non_exhaustive()
    }
}

/// A message with its length before it.
fn framed(message: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let written = frame::write(&mut bytes, Header::Binary, usize::MAX, message);
    written.expect("memory takes everything");
    bytes
}
