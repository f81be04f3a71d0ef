//! The server in the test's own process, on a port of its own, and its guests.
#![allow(dead_code, reason = "each of the files beside uses a part of it")]

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use chat::{Chat, server};
use clap::Parser;
use netcore::listen;
use netcore::shutdown::Shutdown;
use socket2::{Domain, SockRef, Socket, Type};

/// Ends a test that would otherwise hang; no correct run comes near it.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// Bytes that a deaf guest has room for, since it does not read.
const LITTLE_ROOM: usize = 4 << 10;

/// A server that is told to stop and waited for on every way out of a test.
pub struct Running {
    pub address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<io::Result<()>>>,
}

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    service: Chat,
}

/// The service with these options, and with limits that no test comes near unless it
/// sets its own.
pub fn service(options: &str) -> Chat {
    let mut args = vec!["server"];
    for (name, far) in [("--idle", "10m"), ("--heartbeat", "10m")] {
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
        let shutdown = Shutdown::new(service.drain).unwrap();
        let listener = listen::tcp("127.0.0.1", 0).unwrap();
        let address = listener.local_addr().unwrap();
        let handle = shutdown.clone();
        let thread = Some(thread::spawn(move || server::serve(listener, &service, &handle)));
        Running { address, shutdown, thread }
    }

    /// Somebody who has not said a name yet.
    pub fn connect(&self) -> Guest {
        Guest::new(TcpStream::connect(self.address).unwrap(), "")
    }

    /// A member that has heard that it has joined.
    pub fn join(&self, name: &str) -> Guest {
        let mut guest = Guest { name: name.into(), ..self.connect() };
        guest.send(format!("{name}\n").as_bytes());
        guest.expect(&format!("* {name} joined"));
        guest
    }

    /// A member that has next to no room for what it does not read.
    pub fn join_deaf(&self, name: &str) -> Guest {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // A size that was asked for is never made larger by the system.
        socket.set_recv_buffer_size(LITTLE_ROOM).unwrap();
        socket.connect(&self.address.into()).unwrap();
        let mut guest = Guest::new(socket.into(), name);
        guest.send(format!("{name}\n").as_bytes());
        guest.expect(&format!("* {name} joined"));
        guest
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

/// The other end of a connection.
pub struct Guest {
    pub name: String,
    stream: BufReader<TcpStream>,
}

impl Guest {
    pub fn new(stream: TcpStream, name: &str) -> Guest {
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        stream.set_write_timeout(Some(GENEROUS)).unwrap();
        stream.set_nodelay(true).unwrap();
        Guest { name: name.into(), stream: BufReader::new(stream) }
    }

    /// A second handle of the same end, to listen while the first one speaks.
    pub fn again(&self) -> Guest {
        Guest::new(self.stream.get_ref().try_clone().unwrap(), &self.name)
    }

    pub fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// Fails where the server has closed the connection.
    pub fn try_send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    pub fn say(&mut self, text: &str) {
        self.send(format!("{text}\n").as_bytes());
    }

    /// The next line; `None` at the end of the stream.
    pub fn hear(&mut self) -> Option<String> {
        let mut line = Vec::new();
        self.stream.read_until(b'\n', &mut line).unwrap();
        let line = String::from_utf8(line).expect("all that is heard is UTF-8");
        (!line.is_empty()).then(|| line.strip_suffix('\n').expect("a whole line").to_string())
    }

    #[track_caller]
    pub fn expect(&mut self, line: &str) {
        assert_eq!(self.hear().as_deref(), Some(line), "to {:?}", self.name);
    }

    #[track_caller]
    pub fn expect_end(&mut self) {
        assert_eq!(self.hear(), None, "to {:?}", self.name);
    }

    /// Everything up to the end, which may be a reset.
    pub fn hear_all(&mut self) -> Vec<String> {
        let mut all = Vec::new();
        let _ = self.stream.read_to_end(&mut all);
        String::from_utf8(all).unwrap().lines().map(String::from).collect()
    }

    pub fn half_close(&mut self) {
        self.stream.get_ref().shutdown(Side::Write).unwrap();
    }

    pub fn reset(self) {
        SockRef::from(self.stream.get_ref()).set_linger(Some(Duration::ZERO)).unwrap();
    }
}
