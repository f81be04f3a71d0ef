//! What the promises have to know of a server.

use std::fmt;
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use socket2::SockRef;

use super::dialogue::{Dialogue, LITTLE_ROOM, ReadAnswer, framed};
use super::{Client, Running, Setup, events};
use crate::listen;
use crate::shutdown::Shutdown;

/// How a server is run until it ends.
type Serve = dyn Fn(TcpListener, Setup, &Shutdown) -> io::Result<()> + Send + Sync;

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
