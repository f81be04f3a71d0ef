//! The server in the test's own process, on a port of its own.
#![allow(dead_code, reason = "each file of tests uses a part")]

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use http_files::{Site, server};
use netcore::cli::Limits;
use netcore::listen;
use netcore::shutdown::Shutdown;

/// Ends a test that would otherwise hang; no correct run comes near it.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// Beyond [`GENEROUS`], so that a limit which a test does not set is not met.
pub const FAR: Duration = Duration::from_secs(600);

/// The service with limits that no test comes near unless it sets its own.
pub fn service() -> Site {
    let limits = Limits { idle: FAR, total: FAR, drain: Duration::from_secs(5) };
    Site {
        root: concat!(env!("CARGO_MANIFEST_DIR"), "/site").into(),
        accept_timeout: None,
        limits,
        max_clients: 100,
    }
}

/// A server that is told to stop and waited for on every way out of a test.
pub struct Running {
    pub address: SocketAddr,
    pub shutdown: Shutdown,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    pub fn start(service: Site) -> Running {
        let listener = listen::tcp("127.0.0.1", 0).unwrap();
        let address = listener.local_addr().unwrap();
        let shutdown = Shutdown::new(service.limits.drain).unwrap();
        let handle = shutdown.clone();
        let thread = thread::spawn(move || server::serve(listener, &service, &handle));
        Running { address, shutdown, thread: Some(thread) }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        stream
    }

    /// What comes back for `request`, to the end of the connection.
    pub fn ask(&self, request: &[u8]) -> String {
        let mut stream = self.connect();
        stream.write_all(request).unwrap();
        read_to_end(stream)
    }

    /// The response to GET of `path`, with these further header lines.
    pub fn get(&self, path: &str, fields: &str) -> String {
        self.ask(
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{fields}\r\n")
                .as_bytes(),
        )
    }

    /// Tells it to stop and waits until it has ended.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        self.shutdown.stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !thread::panicking() {
            self.end();
        }
    }
}

pub fn read_to_end(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

#[track_caller]
pub fn assert_answered(response: &str, status: u16, content: &str) {
    assert!(response.starts_with(&format!("HTTP/1.1 {status} ")), "{response}");
    assert_eq!(response.split_once("\r\n\r\n").unwrap().1, content, "{response}");
}
