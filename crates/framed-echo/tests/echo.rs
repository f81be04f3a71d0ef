//! What the echo answers. It goes with the echo.

use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, TcpStream};

use framed_echo::client;
use netcore::connection::Connection;
use netcore::frame::Framing;
use running::Running;

// Not everything of it is used here.
#[allow(dead_code)]
mod running;

const BINARY: Framing = Framing { ascii_header: false, max_message: 64 << 10 };
const ASCII: Framing = Framing { ascii_header: true, ..BINARY };

fn buffered(stream: TcpStream) -> BufReader<Connection> {
    BufReader::new(Connection::of_client(stream).unwrap())
}

fn exchange(server: &Running, message: &str, framing: &Framing) -> std::io::Result<String> {
    client::exchange(&mut buffered(server.connect()), message.as_bytes(), framing)
}

#[track_caller]
fn assert_refused(server: &Running, said: &[u8]) {
    let mut stream = server.connect();
    stream.write_all(said).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, b"");
}

#[test]
fn several_messages_on_one_connection_come_back_one_by_one() {
    let server = Running::start("");
    let mut stream = buffered(server.connect());
    for message in ["hello", "", "Привет, сервер!"] {
        let reply = client::exchange(&mut stream, message.as_bytes(), &BINARY);
        assert_eq!(reply.unwrap(), message);
    }
}

#[test]
fn upper_case_leaves_everything_but_ascii_letters_as_it_was() {
    let server = Running::start("--upper");
    assert_eq!(exchange(&server, "hello, мир! ß", &BINARY).unwrap(), "HELLO, мир! ß");
}

#[test]
fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole() {
    let message: String = ('a'..='z').cycle().take(32 << 20).collect();
    let server = Running::start("--max-message 32m");
    let framing = Framing { max_message: message.len(), ..BINARY };
    assert!(exchange(&server, &message, &framing).unwrap() == message);
}

#[test]
fn text_that_is_not_utf8_is_refused() {
    let server = Running::start("");
    assert_refused(&server, b"\0\0\0\x03a\xffz");
    assert_eq!(exchange(&server, "next", &BINARY).unwrap(), "next");
}

#[test]
fn the_header_of_the_tutorial_is_read_and_written() {
    let server = Running::start("--ascii-header");
    let mut stream = server.connect();
    let both = "5         hello7         мир!";
    stream.write_all(both.as_bytes()).unwrap();
    stream.shutdown(Side::Write).unwrap();
    let mut replies = String::new();
    stream.read_to_string(&mut replies).unwrap();
    assert_eq!(replies, both);
    assert_eq!(exchange(&server, "hello", &ASCII).unwrap(), "hello");
}

#[test]
fn a_header_that_is_no_length_or_counts_characters_is_refused() {
    let server = Running::start("--ascii-header");
    // The last one cuts a character in half.
    for said in ["GET / HTTP", "-1        ", "          ", "7         Привет!"] {
        assert_refused(&server, said.as_bytes());
    }
    assert_eq!(exchange(&server, "next", &ASCII).unwrap(), "next");
}

#[test]
fn a_message_over_the_limit_is_not_even_sent() {
    let server = Running::start("");
    let mut stream = buffered(server.connect());
    let short = Framing { max_message: 5, ..BINARY };
    let refused = client::exchange(&mut stream, b"too long", &short).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidData);
    assert_eq!(client::exchange(&mut stream, b"hello", &short).unwrap(), "hello");
}
