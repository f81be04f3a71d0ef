//! The server in the test's own process, on a port of its own.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use oneshot_echo::{Options, client, server};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

fn start(options: Options) -> (SocketAddr, JoinHandle<io::Result<()>>) {
    let listener = server::listen(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    (address, thread::spawn(move || server::serve(&listener, &options)))
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream
}

#[test]
fn one_client_is_served_and_then_the_server_ends() {
    let (address, server) = start(Options::default());
    let message = "Привет, сервер!".as_bytes();
    assert_eq!(client::exchange(&connect(address), message).unwrap(), message);
    server.join().unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn upper_case_leaves_everything_but_ascii_letters_as_it_was() {
    let (address, _server) = start(Options { upper: true });
    let reply = client::exchange(&connect(address), "hello, мир!".as_bytes()).unwrap();
    assert_eq!(String::from_utf8(reply).unwrap(), "HELLO, мир!");
}

#[test]
fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole() {
    let (address, _server) = start(Options::default());
    let message: Vec<u8> = (0..32 << 20).map(|i: u32| (i / 251) as u8).collect();
    assert!(client::exchange(&connect(address), &message).unwrap() == message);
}

#[test]
fn a_server_that_ends_before_the_whole_echo_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = connect(listener.local_addr().unwrap());
    thread::spawn(move || {
        let (mut server, _) = listener.accept().unwrap();
        // Everything is read, so that the close is an end of stream and no reset.
        server.read_to_end(&mut Vec::new()).unwrap();
        server.write_all(b"hel").unwrap();
    });
    let error = client::exchange(&stream, b"hello").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn without_the_half_close_both_ends_wait_for_each_other() {
    let (address, server) = start(Options::default());
    let mut stream = connect(address);
    stream.write_all(b"hello").unwrap();
    let mut reply = [0; 5];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"hello");
    // The tutorial's "read in a loop" would be here now: the server waits for our end of
    // stream, we for its.
    stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    let blocked = stream.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(blocked.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut));
    assert!(!server.is_finished());
    // The half-close is what both were waiting for.
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    server.join().unwrap().unwrap();
}
