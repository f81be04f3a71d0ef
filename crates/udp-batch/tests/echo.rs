//! The echo itself, and what leaves and comes together. The client is that of `udp-echo`.

use std::net::UdpSocket;

use netcore::batch::{self, Offload};
use netcore::promises;
use netcore::testing::udp::echo::PREFIX;
use netcore::testing::udp::{Running, connect_to, played_server, receive};
use udp_batch::outbox::Outbox;
use udp_batch::{Echo, server};

fn start(prefix: &'static str) -> Running {
    start_on(played_server().0, prefix)
}

fn start_on(socket: UdpSocket, prefix: &'static str) -> Running {
    let echo = Echo { prefix: prefix.into() };
    Running::start_on(socket, move |socket, shutdown| server::serve(socket, &echo, shutdown))
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

promises! { start, of netcore::testing::udp::echo =>
    the_prefix_stands_before_the_reply_byte_for_byte,
    an_empty_datagram_is_answered_with_an_empty_one,
    a_reply_that_its_prefix_makes_too_long_is_lost_and_the_next_is_not,
}
