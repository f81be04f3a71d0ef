//! The echo itself, and what leaves and comes together. The client is that of `udp-echo`.

use std::net::UdpSocket;

use netcore::batch::{self, Offload};
use netcore::datagrams::LARGEST;
use netcore::testing::udp::{Running, ask, connect_to, played_server, receive};
use udp_batch::outbox::Outbox;
use udp_batch::{Echo, server};

/// The tutorial's prefix: 12 bytes, 7 characters.
const PREFIX: &str = "Ответ: ";

fn start(prefix: &'static str) -> Running {
    start_on(played_server().0, prefix)
}

fn start_on(socket: UdpSocket, prefix: &'static str) -> Running {
    let echo = Echo { prefix: prefix.into() };
    Running::start_on(socket, move |socket, shutdown| server::serve(socket, &echo, shutdown))
}

#[test]
fn the_prefix_stands_before_the_reply_byte_for_byte() {
    let server = start(PREFIX);
    let reply = ask(&server.connect(), b"Hello UDP!");
    assert_eq!(reply, b"\xd0\x9e\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82: Hello UDP!");
    assert_eq!(ask(&server.connect(), b""), PREFIX.as_bytes());
}

#[test]
fn an_empty_datagram_is_answered_with_an_empty_one() {
    let server = start("");
    let socket = server.connect();
    assert_eq!(ask(&socket, b""), b"");
    // It was no end of anything.
    assert_eq!(ask(&socket, b"next"), b"next");
}

#[test]
fn a_reply_that_its_prefix_makes_too_long_is_lost_and_the_next_is_not() {
    let server = start(PREFIX);
    let socket = server.connect();
    socket.send(&vec![b'x'; LARGEST]).unwrap();
    assert_eq!(ask(&socket, b"next"), [PREFIX.as_bytes(), b"next"].concat());
}

#[test]
fn datagrams_that_wait_together_are_answered_each_to_its_own_sender() {
    let (socket, address) = played_server();
    let peers: Vec<UdpSocket> = (0..5).map(|_| connect_to(address)).collect();
    let text = |round: usize, peer: usize| format!("message {round} of peer {peer}");
    for round in 0..20 {
        for (number, peer) in peers.iter().enumerate() {
            peer.send(text(round, number).as_bytes()).unwrap();
        }
    }
    let _server = start_on(socket, PREFIX);
    for (number, peer) in peers.iter().enumerate() {
        for round in 0..20 {
            let expected = format!("{PREFIX}{}", text(round, number));
            assert_eq!(String::from_utf8(receive(peer).0).unwrap(), expected);
        }
    }
}

#[test]
fn datagrams_of_any_lengths_that_wait_together_come_back_as_they_are_and_in_order() {
    let lengths =
        [100, 100, 50, 100, 0, 0, 100, 1, 1, 1_300, 1_300, 1_232, 1_232, 7, 9_000, 9_000, 8];
    let (socket, address) = played_server();
    let peer = connect_to(address);
    let message = |index: usize| vec![b'a' + index as u8; lengths[index]];
    for index in 0..lengths.len() {
        peer.send(&message(index)).unwrap();
    }
    let _server = start_on(socket, PREFIX);
    for index in 0..lengths.len() {
        let expected = [PREFIX.as_bytes(), &message(index)].concat();
        assert!(receive(&peer).0 == expected, "datagram {index}");
    }
}

#[test]
fn datagrams_that_left_in_one_call_come_back_one_by_one() {
    let server = start(PREFIX);
    let (sender, _) = played_server();
    // Asked of another socket, so that this one receives datagrams as they are. Where the
    // system has no offload, each leaves with a call of its own.
    let offload = Offload::new((&played_server().0).into()).unwrap();
    let send = |peer, datagrams: &[u8], length| {
        batch::send(&sender, &offload, peer, datagrams, length);
    };
    let mut outbox = Outbox::default();
    let messages: Vec<String> = (1_000..1_200).map(|number| format!("number {number}")).collect();
    for message in &messages {
        if !outbox.takes(server.address, message.len(), offload.max_gso_segments()) {
            outbox.flush(send);
        }
        outbox.push(server.address, message.as_bytes());
    }
    outbox.flush(send);
    for message in &messages {
        assert_eq!(String::from_utf8(receive(&sender).0).unwrap(), format!("{PREFIX}{message}"));
    }
}
