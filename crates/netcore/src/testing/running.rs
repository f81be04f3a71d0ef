//! A server in a thread of the test's own process, on a port of its own.

use std::fmt;
use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use super::transport::{Tcp, Transport};
use super::{Client, GENEROUS, Setup, events};
use crate::shutdown::Shutdown;

/// How a server is run until it ends.
type Serve<L> = dyn Fn(L, Setup, &Shutdown) -> io::Result<()> + Send + Sync;

/// What the promises have to know of a server.
pub struct Suite<T: Transport = Tcp> {
    pub(super) question: Vec<u8>,
    pub(super) answer: Vec<u8>,
    serve: Arc<Serve<T::Listener>>,
}

impl<T: Transport> Suite<T> {
    /// A server that `serve` runs until it ends, and that answers `answer` to `question`.
    pub fn new(
        question: impl Into<Vec<u8>>,
        answer: impl Into<Vec<u8>>,
        serve: impl Fn(T::Listener, Setup, &Shutdown) -> io::Result<()> + Send + Sync + 'static,
    ) -> Suite<T> {
        Suite { question: question.into(), answer: answer.into(), serve: Arc::new(serve) }
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
        let listener = T::listen();
        T::limit_room(&listener);
        let server = self.start_on(listener, setup);
        let mut deaf = server.connect_with_little_room();
        deaf.send_until_stuck();
        (server, deaf)
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
        let (question, answer) = (self.question.clone(), self.answer.clone());
        Running { question, answer, address, shutdown, ended }
    }
}

impl<T: Transport> fmt::Debug for Suite<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").field("question", &self.question).finish_non_exhaustive()
    }
}

/// A server that is told to stop on every way out of a test.
#[derive(Debug)]
pub struct Running<T: Transport = Tcp> {
    question: Vec<u8>,
    answer: Vec<u8>,
    /// Where it listens.
    pub address: T::Address,
    /// What stops it, where it can be stopped.
    pub shutdown: Shutdown,
    ended: Receiver<io::Result<()>>,
}

impl<T: Transport> Running<T> {
    /// A client.
    ///
    /// # Panics
    /// When the server does not listen.
    #[track_caller]
    pub fn connect(&self) -> Client<T::Stream> {
        let stream = T::connect(&self.address).expect("the server listens");
        Client::new(stream, &self.question, &self.answer)
    }

    /// A client that has next to no room for replies which it does not read.
    ///
    /// # Panics
    /// When the server does not listen.
    #[track_caller]
    pub fn connect_with_little_room(&self) -> Client<T::Stream> {
        let stream = T::connect_with_little_room(&self.address).expect("the server listens");
        Client::new(stream, &self.question, &self.answer)
    }

    /// The next client gets its answer.
    #[track_caller]
    pub fn assert_serves(&self) {
        self.connect().assert_served();
    }

    /// Tells it to stop.
    pub fn stop(&self) {
        self.shutdown.stop();
    }

    /// How it has ended.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn end(&self) -> io::Result<()> {
        self.ended.recv_timeout(GENEROUS).expect("the server ends")
    }

    /// It ends, and in good order.
    #[track_caller]
    pub fn assert_ends(&self) {
        self.end().expect("the server ends in good order");
    }

    /// It ends in good order when it is told to.
    #[track_caller]
    pub fn assert_stops(&self) {
        self.stop();
        self.assert_ends();
    }

    /// From now on, or in a moment, nobody can connect any more.
    #[track_caller]
    pub fn assert_refuses(&self) {
        let asked = Instant::now();
        loop {
            match T::connect(&self.address) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                // A server whose address is a file takes it away.
                Err(error) if error.kind() == ErrorKind::NotFound => return,
                // Another test of this process may have been given the port.
                _ => assert!(asked.elapsed() < GENEROUS, "the server still listens"),
            }
        }
    }
}

impl<T: Transport> Drop for Running<T> {
    fn drop(&mut self) {
        // Its thread ends soon, and at the end of the process at the latest.
        self.shutdown.stop();
    }
}
