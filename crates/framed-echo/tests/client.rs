//! What stays true of the client in every copy, whatever the server answers.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use framed_echo::client;
use netcore::connection::Connection;
use netcore::frame::Framing;
use netcore::testing::GENEROUS;

const BINARY: Framing = Framing { ascii_header: false, max_message: 64 << 10 };

/// A client's connection to a server that answers the message `1` with `said` and ends.
fn answered_with(said: &'static [u8]) -> (BufReader<Connection>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        stream.read_exact(&mut [0; b"\0\0\0\x011".len()]).unwrap();
        stream.write_all(said).unwrap();
    });
    (BufReader::new(Connection::of_client(stream).unwrap()), server)
}

#[test]
fn a_reply_that_nobody_has_asked_for_is_not_taken_for_the_next_one() {
    // Both in one segment: the second is in the buffer, and nobody has sent what it answers.
    let (mut stream, server) = answered_with(b"\0\0\0\x03one\0\0\0\x03two");
    assert_eq!(client::exchange(&mut stream, b"1", &BINARY).unwrap(), "one");
    let error = client::exchange(&mut stream, b"2", &BINARY).unwrap_err();
    assert_eq!(error.to_string(), "more came than was asked for");
    server.join().unwrap();
}

#[test]
fn the_client_does_not_trust_its_server_either() {
    for (said, kind) in [
        (&b""[..], ErrorKind::UnexpectedEof),
        (b"\0\0\0\x05hell", ErrorKind::UnexpectedEof),
        (b"\xff\xff\xff\xff", ErrorKind::InvalidData),
        (b"\0\0\0\x01\xff", ErrorKind::InvalidData),
    ] {
        let (mut stream, server) = answered_with(said);
        let error = client::exchange(&mut stream, b"1", &BINARY).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        server.join().unwrap();
    }
}
