//! The server in the test's own process, on a port of its own.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use clap::Parser;
use netcore::listen;
use netcore::shutdown::Shutdown;
use object_exchange::{Exchange, server};

/// Ends a test that would otherwise hang; no correct run comes near it.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// A server that is told to stop and waited for on every way out of a test.
pub struct Running {
    pub address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    service: Exchange,
}

/// The service with these options, and with limits that no test comes near unless it
/// sets its own.
pub fn service(options: &str) -> Exchange {
    let mut args = vec!["server"];
    for (name, far) in [("--idle", "10m"), ("--total", "10m")] {
        if !options.contains(name) {
            args.extend([name, far]);
        }
    }
    let args = args.into_iter().chain(options.split_whitespace());
    // `parse_from` would end the process, and with it the tests beside this one.
    Command::try_parse_from(args).unwrap_or_else(|error| panic!("{error}")).service
}

impl Running {
    pub fn start(options: &str) -> Running {
        let service = service(options);
        let shutdown = Shutdown::new(service.limits.drain).unwrap();
        let listener = listen::tcp("127.0.0.1", 0).unwrap();
        let address = listener.local_addr().unwrap();
        let handle = shutdown.clone();
        let thread = Some(thread::spawn(move || server::serve(listener, &service, &handle)));
        Running { address, shutdown, thread }
    }

    pub fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// Until the server ends by itself.
    pub fn wait(&mut self) -> io::Result<()> {
        self.thread.take().unwrap().join().unwrap()
    }

    pub fn stop(mut self) -> io::Result<()> {
        self.shutdown.stop();
        self.wait()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

pub fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream.set_write_timeout(Some(GENEROUS)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}
