//! What the echo answers. It goes with the echo.

use std::io::{BufReader, ErrorKind};
use std::net::TcpStream;

use framed_echo::client;
use netcore::connection::Connection;
use netcore::frame::Framing;
use netcore::testing::{Running, Setup};

mod suite;

const BINARY: Framing = Framing { ascii_header: false, max_message: 64 << 10 };
const ASCII: Framing = Framing { ascii_header: true, ..BINARY };

fn start(options: &'static [&'static str]) -> Running {
    suite::suite(options).start(Setup::default())
}

fn connect(server: &Running) -> BufReader<Connection> {
    let stream = TcpStream::connect(server.address).unwrap();
    BufReader::new(Connection::of_client(stream).unwrap())
}

fn exchange(server: &Running, message: &str, framing: &Framing) -> std::io::Result<String> {
    client::exchange(&mut connect(server), message.as_bytes(), framing)
}

#[track_caller]
fn assert_refused(server: &Running, said: &[u8]) {
    let mut client = server.connect();
    client.say(said);
    client.assert_ends();
}

#[test]
fn several_messages_on_one_connection_come_back_one_by_one() {
    let server = start(&[]);
    let mut stream = connect(&server);
    for message in ["hello", "", "Привет, сервер!"] {
        let reply = client::exchange(&mut stream, message.as_bytes(), &BINARY);
        assert_eq!(reply.unwrap(), message);
    }
}

#[test]
fn upper_case_leaves_everything_but_ascii_letters_as_it_was() {
    let server = start(&["--upper"]);
    assert_eq!(exchange(&server, "hello, мир! ß", &BINARY).unwrap(), "HELLO, мир! ß");
}

#[test]
fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole() {
    let message: String = ('a'..='z').cycle().take(32 << 20).collect();
    let server = start(&["--max-message", "32m"]);
    let framing = Framing { max_message: message.len(), ..BINARY };
    assert!(exchange(&server, &message, &framing).unwrap() == message);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let server = start(&[]);
    assert_refused(&server, b"\0\0\0\x03a\xffz");
    assert_eq!(exchange(&server, "next", &BINARY).unwrap(), "next");
}

#[test]
fn the_header_of_the_tutorial_is_read_and_written() {
    let server = start(&["--ascii-header"]);
    let mut client = server.connect();
    let both = "5         hello7         мир!";
    client.say(both.as_bytes());
    client.half_close();
    assert_eq!(client.read_to_end(), both.as_bytes());
    assert_eq!(exchange(&server, "hello", &ASCII).unwrap(), "hello");
}

#[test]
fn a_header_that_is_no_length_or_counts_characters_is_refused() {
    let server = start(&["--ascii-header"]);
    // The last one cuts a character in half.
    for said in ["GET / HTTP", "-1        ", "          ", "7         Привет!"] {
        assert_refused(&server, said.as_bytes());
    }
    assert_eq!(exchange(&server, "next", &ASCII).unwrap(), "next");
}

#[test]
fn a_message_over_the_limit_is_not_even_sent() {
    let server = start(&[]);
    let mut stream = connect(&server);
    let short = Framing { max_message: 5, ..BINARY };
    let refused = client::exchange(&mut stream, b"too long", &short).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidData);
    assert_eq!(client::exchange(&mut stream, b"hello", &short).unwrap(), "hello");
}
