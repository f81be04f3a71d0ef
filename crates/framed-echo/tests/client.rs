//! What stays true of the client in every copy, whatever the server answers.

use std::io::{BufReader, ErrorKind, Write};
use std::net::{Shutdown as Side, TcpListener, TcpStream};

use framed_echo::client;
use netcore::connection::Connection;
use netcore::frame::Framing;
use netcore::testing::GENEROUS;

const BINARY: Framing = Framing { ascii_header: false, max_message: 64 << 10 };

fn buffered(stream: TcpStream) -> BufReader<Connection> {
    BufReader::new(Connection::of_client(stream).unwrap())
}

#[test]
fn the_client_keeps_what_it_has_read_ahead() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    // Both in one segment, the second before it has been asked for.
    server.write_all(b"\0\0\0\x03one\0\0\0\x03two").unwrap();
    let mut stream = buffered(stream);
    assert_eq!(client::exchange(&mut stream, b"1", &BINARY).unwrap(), "one");
    assert_eq!(client::exchange(&mut stream, b"2", &BINARY).unwrap(), "two");
}

#[test]
fn the_client_does_not_trust_its_server_either() {
    for (said, kind) in [
        (&b""[..], ErrorKind::UnexpectedEof),
        (b"\0\0\0\x05hell", ErrorKind::UnexpectedEof),
        (b"\xff\xff\xff\xff", ErrorKind::InvalidData),
        (b"\0\0\0\x01\xff", ErrorKind::InvalidData),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        server.set_read_timeout(Some(GENEROUS)).unwrap();
        server.write_all(said).unwrap();
        server.shutdown(Side::Write).unwrap();
        let error = client::exchange(&mut buffered(stream), b"1", &BINARY).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}
