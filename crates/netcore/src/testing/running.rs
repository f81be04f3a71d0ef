//! A server in a thread of the test's own process, on a port of its own.

use std::fmt;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Instant;

use socket2::SockRef;

use super::{Client, GENEROUS, Setup, Wire, events};
use crate::client::exchange;
use crate::connection::Connection;
use crate::listen;
use crate::shutdown::Shutdown;

/// How a server is run until it ends.
type Serve = dyn Fn(TcpListener, Setup, &Shutdown) -> io::Result<()> + Send + Sync;

/// How a client's stream is made of its connection.
type Speak = dyn Fn(TcpStream) -> Box<dyn Wire> + Send + Sync;

/// What the plain client does.
type Plain = dyn Fn(TcpStream, &[u8]) -> io::Result<Vec<u8>> + Send + Sync;

/// Bytes of replies that a server can leave to the system, where a test wants it to wait
/// for its client.
const LITTLE_ROOM: usize = 4 << 10;

/// What the promises have to know of a server.
#[derive(Clone)]
pub struct Suite {
    pub(super) question: Vec<u8>,
    pub(super) answer: Vec<u8>,
    serve: Arc<Serve>,
    speak: Arc<Speak>,
    plain: Arc<Plain>,
}

impl Suite {
    /// A server that `serve` runs until it ends, and that answers `answer` to `question`.
    pub fn new(
        question: impl Into<Vec<u8>>,
        answer: impl Into<Vec<u8>>,
        serve: impl Fn(TcpListener, Setup, &Shutdown) -> io::Result<()> + Send + Sync + 'static,
    ) -> Suite {
        let (question, answer) = (question.into(), answer.into());
        let speak = Arc::new(|stream| Box::new(stream) as Box<dyn Wire>);
        let plain = Arc::new(|stream, message: &[u8]| {
            exchange(&mut Connection::of_client(stream)?, message)
        });
        Suite { question, answer, serve: Arc::new(serve), speak, plain }
    }

    /// The same with clients that speak something over TCP: `speak` makes such a stream of
    /// a connection, and `plain` is what the plain client does with a message.
    pub fn with_clients(
        self,
        speak: impl Fn(TcpStream) -> Box<dyn Wire> + Send + Sync + 'static,
        plain: impl Fn(TcpStream, &[u8]) -> io::Result<Vec<u8>> + Send + Sync + 'static,
    ) -> Suite {
        Suite { speak: Arc::new(speak), plain: Arc::new(plain), ..self }
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
        Running { suite: self.clone(), address, shutdown, ended }
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite").field("question", &self.question).finish_non_exhaustive()
    }
}

/// A server that is told to stop on every way out of a test.
#[derive(Debug)]
pub struct Running {
    suite: Suite,
    /// Where it listens.
    pub address: SocketAddr,
    /// What stops it, where it can be stopped.
    pub shutdown: Shutdown,
    ended: Receiver<io::Result<()>>,
}

impl Running {
    /// A client.
    ///
    /// # Panics
    /// When the server does not listen.
    #[track_caller]
    pub fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).expect("the server listens");
        self.client(stream)
    }

    fn client(&self, stream: TcpStream) -> Client {
        stream.set_nodelay(true).expect("TCP_NODELAY can be set");
        let peer = stream.local_addr().expect("a connection has an address").to_string();
        let Suite { question, answer, speak, .. } = &self.suite;
        Client::new(speak(stream), peer, [question.clone(), answer.clone()])
    }

    /// The reply to one message, by the plain client.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn reply_to(&self, message: &[u8]) -> Vec<u8> {
        let stream = TcpStream::connect_timeout(&self.address, GENEROUS).expect("it listens");
        (self.suite.plain)(stream, message).expect("a reply")
    }

    /// A client that has next to no room for replies which it does not read.
    ///
    /// # Panics
    /// When the server does not listen.
    #[track_caller]
    pub fn connect_with_little_room(&self) -> Client {
        let socket = socket2::Socket::new(
            socket2::Domain::for_address(self.address),
            socket2::Type::STREAM,
            None,
        )
        .expect("a socket can be made");
        socket.set_recv_buffer_size(LITTLE_ROOM).expect("a size can be set");
        socket.connect(&self.address.into()).expect("the server listens");
        self.client(socket.into())
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
            match TcpStream::connect_timeout(&self.address, GENEROUS) {
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => return,
                // Another test of this process may have been given the port.
                _ => assert!(asked.elapsed() < GENEROUS, "the server still listens"),
            }
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Its thread ends soon, and at the end of the process at the latest.
        self.shutdown.stop();
    }
}
