//! What makes this server an echo, and its client: whoever makes another of it takes this
//! file away.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use netcore::testing::{Setup, Suite};
use reusable_echo::{Echo, client, server};

fn suite(upper: bool) -> Suite {
    Suite::new("hello", "hello", move |listener, _, _| server::serve(listener, &Echo { upper }))
}

#[test]
fn each_message_comes_back() {
    let server = suite(false).start(Setup::default());
    let stream = TcpStream::connect(server.address).unwrap();
    for message in [&b"hello"[..], b"", "Привет, сервер!".as_bytes(), b"\0\xff\xfe"] {
        assert_eq!(client::exchange(&stream, message).unwrap(), message);
    }
}

#[test]
fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole() {
    let server = suite(false).start(Setup::default());
    let message: Vec<u8> = (0..32 << 20).map(|i: u32| (i / 251) as u8).collect();
    let stream = TcpStream::connect(server.address).unwrap();
    assert!(client::exchange(&stream, &message).unwrap() == message);
}

#[test]
fn upper_case_leaves_everything_but_ascii_letters_as_it_was() {
    let server = suite(true).start(Setup::default());
    let stream = TcpStream::connect(server.address).unwrap();
    let reply = client::exchange(&stream, "hello, мир!".as_bytes()).unwrap();
    assert_eq!(String::from_utf8(reply).unwrap(), "HELLO, мир!");
}

#[test]
fn a_server_that_ends_before_the_whole_echo_is_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    thread::spawn(move || {
        let (mut server, _) = listener.accept().unwrap();
        // Everything is read, so that the close is an end of stream and no reset.
        server.read_exact(&mut [0; 5]).unwrap();
        server.write_all(b"hel").unwrap();
    });
    let error = client::exchange(&stream, b"hello").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
}

/// A server that sends its reply before it has read everything, and hangs up, leaves the
/// writing thread in a write that nobody reads.
#[test]
fn a_server_that_ends_in_the_middle_of_a_large_message_is_an_error_and_no_wait_for_ever() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    thread::spawn(move || {
        let (mut server, _) = listener.accept().unwrap();
        server.read_exact(&mut [0; 5]).unwrap();
    });
    assert!(client::exchange(&stream, &[b'x'; 32 << 20]).is_err());
}
