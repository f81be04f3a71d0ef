//! The plain client against servers that misbehave.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use netcore::client::{exchange, nothing_more};
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::wait::{Interest, ready};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Exchanges `message` with a server that does `serve` with its one client and hangs up.
fn exchange_with(
    message: &[u8],
    serve: impl FnOnce(TcpStream) + Send + 'static,
) -> std::io::Result<Vec<u8>> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = thread::spawn(move || serve(listener.accept().unwrap().0));
    let reply = exchange(&mut Connection::of_client(stream).unwrap(), message);
    server.join().unwrap();
    reply
}

#[test]
fn a_reply_that_comes_in_pieces_is_one_reply() {
    let reply = exchange_with(b"hello", |mut server| {
        server.read_exact(&mut [0; 5]).unwrap();
        server.set_nodelay(true).unwrap();
        for byte in b"HELLO" {
            server.write_all(&[*byte]).unwrap();
        }
    });
    assert_eq!(reply.unwrap(), b"HELLO");
}

#[test]
fn more_than_was_sent_is_no_reply() {
    let reply = exchange_with(b"hello", |mut server| {
        server.read_exact(&mut [0; 5]).unwrap();
        server.write_all(b"HELLO!").unwrap();
    });
    assert_eq!(reply.unwrap_err().to_string(), "more came than was asked for");
}

#[test]
fn a_reply_that_is_too_short_is_told_with_how_much_of_it_has_come() {
    let reply = exchange_with(b"hello", |mut server| {
        server.read_exact(&mut [0; 5]).unwrap();
        server.write_all(b"OK").unwrap();
    });
    let error = reply.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    assert_eq!(error.to_string(), "the other end closed the connection after 2 of 5 bytes");
}

#[test]
fn what_has_come_before_it_was_asked_for_is_no_reply_and_no_good_end() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (mut server, _) = listener.accept().unwrap();
    server.write_all(b"HELLO, HELLO").unwrap();
    ready(&stream, Interest::Reading, None, Deadline::after(GENEROUS)).unwrap();
    let mut stream = Connection::of_client(stream).unwrap();
    let error = exchange(&mut stream, b"hello").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData);
    let error = nothing_more(&mut stream).unwrap_err();
    assert_eq!(error.to_string(), "cannot end the conversation: more came than was asked for");
}

#[test]
fn a_conversation_has_a_good_end_however_the_server_ends_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for resets in [false, true] {
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (server, _) = listener.accept().unwrap();
        if resets {
            socket2::SockRef::from(&server).set_linger(Some(Duration::ZERO)).unwrap();
        }
        drop(server);
        ready(&stream, Interest::Reading, None, Deadline::after(GENEROUS)).unwrap();
        nothing_more(&mut Connection::of_client(stream).unwrap()).unwrap();
    }
}

#[test]
fn an_empty_message_has_an_empty_reply_and_needs_no_server() {
    assert_eq!(exchange_with(b"", drop).unwrap(), b"");
}

#[test]
fn a_server_that_ends_before_the_whole_reply_is_an_error() {
    let reply = exchange_with(b"hello", |mut server| {
        // Everything is read, so that the close is an end of stream and no reset.
        server.read_exact(&mut [0; 5]).unwrap();
        server.write_all(b"hel").unwrap();
    });
    assert_eq!(reply.unwrap_err().kind(), ErrorKind::UnexpectedEof);
}

#[test]
fn a_server_that_ends_in_the_middle_of_a_large_message_is_an_error_and_no_wait_for_ever() {
    let reply = exchange_with(&vec![b'x'; 32 << 20], |mut server| {
        server.read_exact(&mut [0; 5]).unwrap();
    });
    assert!(reply.is_err());
}
