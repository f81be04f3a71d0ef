//! A server of datagrams in the test's own process, and promises that hold whatever it
//! answers.
//!
//! Every function panics where a promise is broken, as a test does.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::datagrams::BUFFER;
use crate::listen;
use crate::shutdown::{DRAIN, Shutdown};

/// Ends a test that would otherwise hang; no correct run comes near it.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
pub const SHORT: Duration = Duration::from_millis(100);

/// A server that is told to stop and waited for on every way out of a test.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    shutdown: Shutdown,
    ended: Receiver<io::Result<()>>,
}

impl Running {
    /// Serves on a free port of 127.0.0.1, in a thread.
    pub fn start(
        serve: impl FnOnce(UdpSocket, &Shutdown) -> io::Result<()> + Send + 'static,
    ) -> Running {
        Running::start_on(played_server().0, serve)
    }

    /// Serves what waits in `socket` already, and what comes.
    pub fn start_on(
        socket: UdpSocket,
        serve: impl FnOnce(UdpSocket, &Shutdown) -> io::Result<()> + Send + 'static,
    ) -> Running {
        let shutdown = must(Shutdown::new(DRAIN));
        let address = must(socket.local_addr());
        let handle = shutdown.clone();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || end.send(serve(socket, &handle)));
        Running { address, shutdown, ended }
    }

    /// A socket that is connected to it.
    pub fn connect(&self) -> UdpSocket {
        connect_to(self.address)
    }

    /// Tells it to stop, and waits for its end.
    pub fn stop(&self) -> io::Result<()> {
        self.shutdown.stop();
        must(self.ended.recv_timeout(GENEROUS))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.stop();
        let _ = self.ended.recv_timeout(GENEROUS);
    }
}

/// A socket that is connected to `address`, and whose receive does not wait for ever.
pub fn connect_to(address: SocketAddr) -> UdpSocket {
    let (socket, _) = played_server();
    must(socket.connect(address));
    socket
}

/// A socket for a server that the test plays itself.
pub fn played_server() -> (UdpSocket, SocketAddr) {
    let socket = must(listen::udp("127.0.0.1", 0));
    must(socket.set_read_timeout(Some(GENEROUS)));
    let address = must(socket.local_addr());
    (socket, address)
}

/// An address that nobody listens on. Another process could take it meanwhile, but the
/// system hands out others first.
pub fn nobody() -> SocketAddr {
    played_server().1
}

/// From here on the system refuses to send from `socket`, as it does without a route.
pub fn end_sending(socket: &UdpSocket) {
    must(socket2::SockRef::from(socket).shutdown(std::net::Shutdown::Write));
}

/// The next datagram, and its sender.
pub fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buf = vec![0; BUFFER];
    let (n, peer) = must(socket.recv_from(&mut buf));
    buf.truncate(n);
    (buf, peer)
}

/// Sends `question` and returns the answer.
pub fn ask(socket: &UdpSocket, question: &[u8]) -> Vec<u8> {
    must(socket.send(question));
    receive(socket).0
}

/// Nothing has come.
pub fn assert_would_block(socket: &UdpSocket) {
    must(socket.set_nonblocking(true));
    let received = socket.recv(&mut [0; 1]).map_err(|error| error.kind());
    assert_eq!(received, Err(ErrorKind::WouldBlock));
    must(socket.set_nonblocking(false));
}

/// What the promises have to know of a server.
pub struct Suite {
    question: Vec<u8>,
    serve: Arc<Serve>,
}

/// How a server is run until it ends.
type Serve = dyn Fn(UdpSocket, &Shutdown) -> io::Result<()> + Send + Sync;

impl Suite {
    /// A server that `serve` runs until it ends, and that answers `question`.
    pub fn new(
        question: Vec<u8>,
        serve: impl Fn(UdpSocket, &Shutdown) -> io::Result<()> + Send + Sync + 'static,
    ) -> Suite {
        Suite { question, serve: Arc::new(serve) }
    }

    fn start(&self) -> Running {
        let serve = self.serve.clone();
        Running::start(move |socket, shutdown| serve(socket, shutdown))
    }
}

/// recv(2) would go on waiting.
pub fn a_stop_ends_the_server_while_it_waits_for_a_datagram(suite: &Suite) {
    let server = suite.start();
    ask(&server.connect(), &suite.question);
    must(server.stop());
}

/// A server that looks for a stop only where nothing comes would never see it.
pub fn a_stop_ends_the_server_while_datagrams_keep_coming(suite: &Suite) {
    let server = suite.start();
    ask(&server.connect(), &suite.question);
    let flooding = server.connect();
    let started = Instant::now();
    thread::scope(|scope| {
        let (over, is_over) = mpsc::channel::<()>();
        scope.spawn(move || {
            let going = || is_over.try_recv() == Err(mpsc::TryRecvError::Empty);
            while going() && started.elapsed() < GENEROUS {
                // Once the server has gone, each is refused.
                let _ = flooding.send(&suite.question);
            }
        });
        let stopped = server.stop();
        drop(over);
        must(stopped);
    });
    assert!(started.elapsed() < GENEROUS);
}

/// The reply meets a closed port, which Windows tells the server at its next receive.
pub fn clients_that_are_gone_before_their_reply_do_not_stop_the_server(suite: &Suite) {
    let server = suite.start();
    for _ in 0..100 {
        must(server.connect().send(&suite.question));
    }
    ask(&server.connect(), &suite.question);
}

/// An empty datagram and noise are no end of anything, answered or not.
pub fn what_is_no_question_does_not_stop_the_server(suite: &Suite) {
    let server = suite.start();
    let noise: Vec<u8> = (0..512).map(|i: usize| (i * i / 7) as u8).collect();
    let peer = server.connect();
    let half = &suite.question[..suite.question.len() / 2];
    for datagram in [&b""[..], b"\xff\xfe", &noise, half] {
        must(peer.send(datagram));
    }
    ask(&server.connect(), &suite.question);
}

/// Each at its own address.
pub fn clients_that_interleave_are_each_answered(suite: &Suite) {
    let server = suite.start();
    let clients: Vec<UdpSocket> = (0..10).map(|_| server.connect()).collect();
    for client in &clients {
        must(client.send(&suite.question));
    }
    for client in clients.iter().rev() {
        receive(client);
    }
}

#[track_caller]
fn must<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error:?}"),
    }
}
