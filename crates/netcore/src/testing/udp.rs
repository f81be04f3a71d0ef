//! A server of datagrams in the test's own process, and promises that hold whatever it
//! answers.
//!
//! Every function panics where a promise is broken, as a test does.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use crate::datagrams::BUFFER;
use crate::listen;
use crate::shutdown::{DRAIN, Shutdown};

pub mod echo;
mod promises;
pub mod tries;

pub use promises::*;

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

#[track_caller]
fn must<T, E: std::fmt::Debug>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error:?}"),
    }
}
