//! A server in a thread of the test's own process, on a port of its own.

use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use super::dialogue::Dialogue;
use super::transport::{Tcp, Transport};
use super::{Client, GENEROUS};
use crate::shutdown::Shutdown;

/// A server that is told to stop on every way out of a test.
#[derive(Debug)]
pub struct Running<T: Transport = Tcp> {
    pub(super) dialogue: Dialogue<T::Stream>,
    /// Where it listens.
    pub address: T::Address,
    /// What stops it, where it can be stopped.
    pub shutdown: Shutdown,
    /// Behind a lock, so that threads of a test share the server.
    pub(super) ended: Mutex<Receiver<io::Result<()>>>,
}

impl<T: Transport> Running<T> {
    /// A client.
    ///
    /// # Panics
    /// When the server does not listen.
    #[track_caller]
    pub fn connect(&self) -> Client<T::Stream> {
        let stream = T::connect(&self.address).expect("the server listens");
        Client::new(stream, &self.dialogue)
    }

    /// A client that has next to no room for replies which it does not read.
    ///
    /// # Panics
    /// When the server does not listen.
    #[track_caller]
    pub fn connect_with_little_room(&self) -> Client<T::Stream> {
        let stream = T::connect_with_little_room(&self.address).expect("the server listens");
        Client::new(stream, &self.dialogue)
    }

    /// The replies to these messages, one after the other, by the plain client.
    ///
    /// # Panics
    /// When there are none.
    #[track_caller]
    pub fn replies_to(&self, messages: &[&[u8]]) -> Vec<Vec<u8>> {
        T::exchange(&self.address, messages).expect("a reply to each")
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
        let ended = self.ended.lock().expect("no test has panicked here");
        ended.recv_timeout(GENEROUS).expect("the server ends")
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
