//! The numbered echo, and the client that asks again.

use std::io;
use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use netcore::promises;
use netcore::request::{Message, Session};
use netcore::testing::udp::{GENEROUS, Running, SHORT, connect_to, nobody, played_server, receive};
use udp_retry::client::exchange;
use udp_retry::tries::tries;
use udp_retry::{Echo, Patience, server};

fn start() -> Running {
    Running::start(|socket, shutdown| server::serve(socket, &Echo::default(), shutdown))
}

fn patience(timeout: Duration, tries: u8) -> Patience {
    Patience { timeout, tries: tries.try_into().unwrap() }
}

/// One message in a session of its own.
fn client(
    sockets: &mut [UdpSocket],
    message: &[u8],
    timeout: Duration,
    tries: u8,
) -> io::Result<Vec<u8>> {
    exchange(sockets, Session::new().request(message), &patience(timeout, tries))
}

fn answer(datagram: &[u8], payload: &[u8]) -> Vec<u8> {
    Message::request_in(datagram).unwrap().reply(payload).encode()
}

#[test]
fn each_message_gets_its_reply_and_the_next_number() {
    let server = start();
    let (mut sockets, mut session) = ([server.connect()], Session::new());
    for (message, number) in [&b"hello"[..], b"", b"\xff\xfe\0\xd0", b"hello"].into_iter().zip(1..)
    {
        let request = session.request(message);
        let reply = exchange(&mut sockets, request, &patience(GENEROUS, 1)).unwrap();
        assert_eq!(reply, [format!("{number}: ").as_bytes(), message].concat());
    }
}

#[test]
fn each_wait_is_twice_as_long_as_the_one_before() {
    let waits = |timeout, limit| tries(&patience(timeout, limit)).collect::<Vec<_>>();
    let s = Duration::from_secs;
    assert_eq!(waits(s(1), 4), [(1, s(1)), (2, s(2)), (3, s(4)), (4, s(8))]);
    assert_eq!(waits(Duration::MAX, 2), [(1, Duration::MAX), (2, Duration::MAX)]);
    assert_eq!(waits(s(1), 255).len(), 255);
}

#[test]
fn a_reply_to_an_earlier_message_that_comes_late_is_not_taken_for_this_one() {
    let (socket, address) = played_server();
    let (mut sockets, mut session) = ([connect_to(address)], Session::new());
    // The same text twice: its number is all that tells them apart.
    assert!(exchange(&mut sockets, session.request(b"hello"), &patience(SHORT, 1)).is_err());
    let server = thread::spawn(move || {
        let (one, _) = receive(&socket);
        let (two, peer) = receive(&socket);
        socket.send_to(&answer(&one, b"to one"), peer).unwrap();
        socket.send_to(&answer(&two, b"to two"), peer).unwrap();
    });
    let reply = exchange(&mut sockets, session.request(b"hello"), &patience(GENEROUS, 1));
    assert_eq!(reply.unwrap(), b"to two");
    server.join().unwrap();
}

#[test]
fn the_next_address_is_asked_where_nobody_listens() {
    let server = start();
    let mut sockets = [connect_to(nobody()), server.connect()];
    let reply = exchange(&mut sockets, Session::new().request(b"hello"), &patience(GENEROUS, 1));
    assert_eq!(reply.unwrap(), b"1: hello");
    assert_eq!(sockets[0].peer_addr().unwrap(), server.address);
}

promises! { client, of netcore::testing::udp::tries =>
    a_client_asks_again_until_it_is_answered_and_counts_its_tries,
    a_client_gives_up_after_its_last_try_and_says_what_is_not_known,
    only_the_reply_to_this_very_request_is_taken,
    nobody_listening_is_told_at_once,
    a_server_that_goes_away_meanwhile_may_have_run_the_request,
    a_reply_that_has_come_is_not_lost_to_a_refusal,
    after_silence_no_other_address_is_asked,
    a_message_longer_than_a_datagram_is_refused_before_it_is_sent,
    a_try_that_cannot_be_sent_is_a_lost_one_and_an_earlier_one_may_still_be_answered,
    the_last_error_is_told_and_whether_the_request_has_run_where_a_try_has_left,
}
