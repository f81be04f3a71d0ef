//! The echo itself, and the client that waits for it.

use std::io::ErrorKind;
use std::net::UdpSocket;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use netcore::datagrams::{BUFFER, LARGEST};
use netcore::listen;
use netcore::promises;
use netcore::testing::udp::echo::PREFIX;
use netcore::testing::udp::{
    GENEROUS, Running, SHORT, ask, assert_would_block, connect_to, nobody, played_server, receive,
};
use udp_echo::client::exchange;
use udp_echo::{Echo, Patience, server};

fn start(prefix: &'static str) -> Running {
    start_on(played_server().0, prefix)
}

fn start_on(socket: UdpSocket, prefix: &'static str) -> Running {
    let echo = Echo { prefix: prefix.into() };
    Running::start_on(socket, move |socket, shutdown| server::serve(socket, &echo, shutdown))
}

fn patience(timeout: Duration) -> Patience {
    Patience { timeout }
}

#[test]
fn each_message_gets_its_reply() {
    let server = start("");
    let mut sockets = [server.connect()];
    for message in ["hello", "", "Привет, сервер!", "hello"] {
        let reply = exchange(&mut sockets, message.as_bytes(), &patience(GENEROUS)).unwrap();
        assert_eq!(reply, message.as_bytes());
    }
}

#[test]
fn clients_that_interleave_each_get_their_own_replies() {
    let server = start("");
    let (first, second) = (server.connect(), server.connect());
    first.send(b"first").unwrap();
    second.send(b"second").unwrap();
    first.send(b"first again").unwrap();
    assert_eq!(receive(&second).0, b"second");
    assert_eq!(receive(&first).0, b"first");
    assert_eq!(receive(&first).0, b"first again");
}

#[test]
fn the_largest_datagram_comes_back_whole() {
    let server = start("");
    let message: Vec<u8> = (0..LARGEST).map(|i| (i / 251) as u8).collect();
    let reply = exchange(&mut [server.connect()], &message, &patience(GENEROUS)).unwrap();
    assert!(reply == message);
}

#[test]
fn the_largest_datagram_over_ipv6_is_not_taken_for_a_cut_one() {
    let socket = match listen::udp("::1", 0) {
        Ok(socket) => socket,
        Err(error) => return eprintln!("skipped, no IPv6 here: {error}"),
    };
    let server = start_on(socket, "");
    let socket = listen::udp("::1", 0).unwrap();
    socket.set_read_timeout(Some(GENEROUS)).unwrap();
    socket.connect(server.address).unwrap();
    let message = vec![b'6'; BUFFER - 1];
    assert!(ask(&socket, &message) == message);
}

#[test]
fn bytes_that_are_not_utf_8_come_back_as_they_are() {
    let message = b"\xff\xfe\0\xd0";
    assert_eq!(ask(&start(PREFIX).connect(), message), [PREFIX.as_bytes(), message].concat());
}

#[test]
fn a_client_waits_once_and_no_longer_than_it_was_told() {
    let (silent, address) = played_server();
    let started = Instant::now();
    let error = exchange(&mut [connect_to(address)], b"hello", &patience(SHORT)).unwrap_err();
    let took = started.elapsed();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(took >= SHORT && took < GENEROUS, "{took:?}");
    assert_eq!(receive(&silent).0, b"hello");
    assert_would_block(&silent);
}

#[test]
fn a_reply_from_a_stranger_is_not_taken() {
    let ((socket, address), (stranger, _)) = (played_server(), played_server());
    let server = thread::spawn(move || {
        let (_, peer) = receive(&socket);
        stranger.send_to(b"forged hello", peer).unwrap();
        socket.send_to(b"true hello", peer).unwrap();
    });
    let reply = exchange(&mut [connect_to(address)], b"hello", &patience(GENEROUS));
    assert_eq!(reply.unwrap(), b"true hello");
    server.join().unwrap();
}

#[test]
fn replies_to_something_else_cannot_stretch_the_wait() {
    let (socket, address) = played_server();
    let started = Instant::now();
    let (over, is_over) = mpsc::channel::<()>();
    let wrong = thread::spawn(move || {
        let (_, peer) = receive(&socket);
        // The pause is the fault itself: a datagram now and then would renew a timeout that
        // each receive has anew.
        while is_over.recv_timeout(SHORT / 10) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = socket.send_to(b"something else", peer);
        }
    });
    let error = exchange(&mut [connect_to(address)], b"hello", &patience(SHORT)).unwrap_err();
    let took = started.elapsed();
    drop(over);
    wrong.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(took < GENEROUS, "{took:?}");
}

#[test]
fn nobody_listening_is_told_at_once() {
    let started = Instant::now();
    let error = exchange(&mut [connect_to(nobody())], b"hello", &patience(GENEROUS)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(started.elapsed() < GENEROUS);
}

#[test]
fn the_second_address_is_asked_when_nobody_listens_on_the_first_and_asked_first_from_then_on() {
    let server = start("");
    let mut sockets = [connect_to(nobody()), server.connect()];
    assert_eq!(exchange(&mut sockets, b"hello", &patience(GENEROUS)).unwrap(), b"hello");
    assert_eq!(sockets[0].peer_addr().unwrap(), server.address);
}

#[test]
fn a_message_longer_than_a_datagram_is_refused_before_it_is_sent() {
    let (socket, address) = played_server();
    let message = vec![b'x'; LARGEST + 1];
    let error = exchange(&mut [connect_to(address)], &message, &patience(SHORT)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "65508 bytes are more than the 65507 of the largest message");
    assert_would_block(&socket);
}

promises! { start, of netcore::testing::udp::echo =>
    the_prefix_stands_before_the_reply_byte_for_byte,
    an_empty_datagram_is_answered_with_an_empty_one,
    a_reply_that_its_prefix_makes_too_long_is_lost_and_the_next_is_not,
}
