//! What the promises have to know of a server.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, mpsc};
use std::thread;

use super::dialogue::{Dialogue, ReadAnswer, framed};
use super::transport::{Tcp, Transport};
use super::{Client, Running, Setup, events};
use crate::shutdown::Shutdown;

/// How a server is run until it ends.
type Serve<L> = dyn Fn(L, Setup, &Shutdown) -> io::Result<()> + Send + Sync;

/// What the promises have to know of a server.
#[derive(Clone)]
pub struct Suite<T: Transport = Tcp> {
    pub(super) dialogue: Dialogue<T::Stream>,
    serve: Arc<Serve<T::Listener>>,
}

impl<T: Transport> Suite<T> {
    /// A server that `serve` runs until it ends, and that answers `answer` to `question`.
    pub fn new(
        question: impl Into<Vec<u8>>,
        answer: impl Into<Vec<u8>>,
        serve: impl Fn(T::Listener, Setup, &Shutdown) -> io::Result<()> + Send + Sync + 'static,
    ) -> Suite<T> {
        let dialogue = Dialogue::new(question.into(), answer.into());
        Suite { dialogue, serve: Arc::new(serve) }
    }

    /// A server of messages, each behind its length in four bytes.
    pub fn of_messages(
        question: impl Into<Vec<u8>>,
        answer: impl Into<Vec<u8>>,
        serve: impl Fn(T::Listener, Setup, &Shutdown) -> io::Result<()> + Send + Sync + 'static,
    ) -> Suite<T> {
        let mut suite = Suite::new(framed(&question.into()), framed(&answer.into()), serve);
        suite.dialogue.header = framed(b"").len();
        suite
    }

    /// One that says this message first, before it is asked.
    #[must_use]
    pub fn greeting(mut self, message: impl Into<Vec<u8>>) -> Suite<T> {
        self.dialogue.greeting = framed(&message.into());
        self
    }

    /// One whose answers hold what changes, such as a date: `read` reads one, and returns
    /// what of it is always the same. That is `answer`.
    #[must_use]
    pub fn read_by(mut self, read: ReadAnswer<T::Stream>) -> Suite<T> {
        self.dialogue.read = Some(read);
        self
    }

    /// What it is asked, and what it answers, as they are sent.
    pub fn question_and_answer(&self) -> (&[u8], &[u8]) {
        (&self.dialogue.question, &self.dialogue.answer)
    }

    /// A server that runs.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(&self, setup: Setup) -> Running<T> {
        self.start_on(T::listen(), setup)
    }

    /// A server that waits until a client takes its replies, which the client has no room
    /// for.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_stuck(&self, setup: Setup) -> (Running<T>, Client<T::Stream>) {
        let (server, mut deaf) = self.start_with_little_room(setup);
        deaf.send_until_stuck();
        (server, deaf)
    }

    /// A server and its client, between which there is next to no room.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_with_little_room(&self, setup: Setup) -> (Running<T>, Client<T::Stream>) {
        let listener = T::listen();
        T::limit_room(&listener);
        let server = self.start_on(listener, setup);
        let client = server.connect_with_little_room();
        (server, client)
    }

    /// As [`start`](Suite::start), with a listener of the test's own.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start_on(&self, listener: T::Listener, setup: Setup) -> Running<T> {
        events::listen();
        let shutdown = Shutdown::new(setup.limits.drain).expect("a stop can be prepared");
        let address = T::address(&listener);
        let (ends, ended) = mpsc::channel();
        let (serve, handle) = (self.serve.clone(), shutdown.clone());
        thread::spawn(move || ends.send(serve(listener, setup, &handle)));
        let ended = Mutex::new(ended);
        Running { dialogue: self.dialogue.clone(), address, shutdown, ended }
    }
}

impl<T: Transport> fmt::Debug for Suite<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").field("dialogue", &self.dialogue).finish_non_exhaustive()
    }
}
