//! The server in the test's own process, on a port of its own.

use std::io::{self, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use netcore::listen;
use netcore::shutdown::{DRAIN, Shutdown};
use reusable_echo::{Options, client, server};
use socket2::SockRef;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// A server that is told to stop and waited for on every way out of a test.
struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    fn start(options: Options) -> Running {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let listener = listen::tcp("127.0.0.1", 0).unwrap();
        let address = listener.local_addr().unwrap();
        let handle = shutdown.clone();
        let thread = Some(thread::spawn(move || server::serve(listener, &options, &handle)));
        Running { address, shutdown, thread }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        stream
    }

    fn stop(mut self) -> io::Result<()> {
        self.shutdown.stop();
        self.thread.take().unwrap().join().unwrap()
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

/// What the server answers without options: an echo. Whoever changes `reply` in the
/// server changes this with it.
fn answer(message: &[u8]) -> Vec<u8> {
    message.to_vec()
}

#[test]
fn several_messages_on_one_connection_each_get_their_reply() {
    let server = Running::start(Options::default());
    let stream = server.connect();
    for message in ["hello", "", "Привет, сервер!"] {
        assert_eq!(
            client::exchange(&stream, message.as_bytes()).unwrap(),
            answer(message.as_bytes())
        );
    }
}

#[test]
fn upper_case_leaves_everything_but_ascii_letters_as_it_was() {
    let server = Running::start(Options { upper: true });
    let reply = client::exchange(&server.connect(), "hello, мир!".as_bytes()).unwrap();
    assert_eq!(String::from_utf8(reply).unwrap(), "HELLO, мир!");
}

#[test]
fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole() {
    let server = Running::start(Options::default());
    let message: Vec<u8> = (0..32 << 20).map(|i: u32| (i / 251) as u8).collect();
    assert!(client::exchange(&server.connect(), &message).unwrap() == answer(&message));
}

#[test]
fn a_client_that_half_closes_gets_every_byte_and_then_the_end_of_the_stream() {
    let server = Running::start(Options::default());
    let mut stream = server.connect();
    stream.write_all(b"last words").unwrap();
    stream.shutdown(Side::Write).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, answer(b"last words"));
}

#[test]
fn a_client_that_hangs_up_midway_does_not_stop_the_server() {
    let server = Running::start(Options::default());
    let mut rude = server.connect();
    rude.write_all(b"half a mess").unwrap();
    // Closing becomes a reset: the server's next read or write fails.
    SockRef::from(&rude).set_linger(Some(Duration::ZERO)).unwrap();
    drop(rude);
    assert_eq!(client::exchange(&server.connect(), b"next").unwrap(), answer(b"next"));
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_client() {
    let server = Running::start(Options::default());
    server.stop().unwrap();
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_message() {
    let server = Running::start(Options::default());
    let mut stream = server.connect();
    // After one exchange the server is known to be in this connection.
    assert_eq!(client::exchange(&stream, b"in hand").unwrap(), answer(b"in hand"));
    let address = server.address;
    server.stop().unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    assert!(TcpStream::connect(address).is_err());
}
