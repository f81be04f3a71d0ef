//! The numbered echo, and the client that asks again.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use netcore::request::{Kind, MAX_PAYLOAD, Message, Session};
use netcore::testing::udp::{
    GENEROUS, Running, SHORT, assert_would_block, connect_to, end_sending, nobody, played_server,
    receive,
};
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
fn ask(socket: UdpSocket, message: &[u8], patience: &Patience) -> io::Result<Vec<u8>> {
    exchange(&mut [socket], Session::new().request(message), patience)
}

/// Answers what was received with `payload`, with a change.
fn answer(datagram: &[u8], payload: &[u8], change: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut reply = Message::request_in(datagram).unwrap().reply(payload);
    change(&mut reply);
    reply.encode()
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
fn a_client_asks_again_until_it_is_answered_and_counts_its_tries() {
    let (socket, address) = played_server();
    let lossy = thread::spawn(move || {
        for attempt in 1..=4 {
            let (datagram, peer) = receive(&socket);
            let request = Message::request_in(&datagram).unwrap();
            assert_eq!((request.id, request.attempt), (1, attempt));
            assert_eq!(request.payload, b"is anybody there?");
            if attempt == 4 {
                socket.send_to(&answer(&datagram, b"yes", |_| {}), peer).unwrap();
            }
        }
    });
    let reply = ask(connect_to(address), b"is anybody there?", &patience(SHORT / 10, 12));
    assert_eq!(reply.unwrap(), b"yes");
    lossy.join().unwrap();
}

#[test]
fn a_client_gives_up_after_its_last_try_and_says_what_is_not_known() {
    let (silent, address) = played_server();
    let started = Instant::now();
    let error = ask(connect_to(address), b"hello", &patience(SHORT, 3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "timed out; it is not known whether the request has run");
    let took = started.elapsed();
    assert!(took >= SHORT * (1 + 2 + 4) && took < GENEROUS, "{took:?}");
    for _ in 0..3 {
        assert_eq!(Message::request_in(&receive(&silent).0).unwrap().payload, b"hello");
    }
    assert_would_block(&silent);
}

#[test]
fn only_the_reply_to_this_very_request_is_taken() {
    let ((socket, address), (stranger, _)) = (played_server(), played_server());
    let server = thread::spawn(move || {
        let (request, peer) = receive(&socket);
        stranger.send_to(&answer(&request, b"forged", |_| {}), peer).unwrap();
        for wrong in [
            b"wrong".to_vec(),
            request.clone(),
            answer(&request, b"wrong", |reply| reply.kind = Kind::Request),
            answer(&request, b"wrong", |reply| reply.session += 1),
            answer(&request, b"wrong", |reply| reply.id += 1),
            answer(&request, b"right", |reply| reply.attempt = 99),
        ] {
            socket.send_to(&wrong, peer).unwrap();
        }
    });
    assert_eq!(ask(connect_to(address), b"hello", &patience(GENEROUS, 1)).unwrap(), b"right");
    server.join().unwrap();
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
        socket.send_to(&answer(&one, b"to one", |_| {}), peer).unwrap();
        socket.send_to(&answer(&two, b"to two", |_| {}), peer).unwrap();
    });
    let reply = exchange(&mut sockets, session.request(b"hello"), &patience(GENEROUS, 1));
    assert_eq!(reply.unwrap(), b"to two");
    server.join().unwrap();
}

#[test]
fn nobody_listening_is_told_at_once_and_the_next_address_is_asked() {
    let error = ask(connect_to(nobody()), b"hello", &patience(GENEROUS, 4)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    let server = start();
    let mut sockets = [connect_to(nobody()), server.connect()];
    let reply = exchange(&mut sockets, Session::new().request(b"hello"), &patience(GENEROUS, 1));
    assert_eq!(reply.unwrap(), b"1: hello");
    assert_eq!(sockets[0].peer_addr().unwrap(), server.address);
}

#[test]
fn a_server_that_goes_away_meanwhile_may_have_run_the_request() {
    let (socket, address) = played_server();
    let server = thread::spawn(move || drop(receive(&socket)));
    let error = ask(connect_to(address), b"hello", &patience(SHORT, 20)).unwrap_err();
    server.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert!(error.to_string().ends_with("it is not known whether the request has run"), "{error}");
}

#[test]
fn a_reply_that_has_come_is_not_lost_to_a_refusal() {
    let (socket, address) = played_server();
    let client = connect_to(address);
    let same = client.try_clone().unwrap();
    let server = thread::spawn(move || {
        let (request, peer) = receive(&socket);
        socket.send_to(&answer(&request, b"yes", |reply| reply.id += 1), peer).unwrap();
        socket.send_to(&answer(&request, b"yes", |_| {}), peer).unwrap();
        drop(socket);
        same.send(b"refused").unwrap();
    });
    assert_eq!(ask(client, b"hello", &patience(GENEROUS, 1)).unwrap(), b"yes");
    server.join().unwrap();
}

#[test]
fn after_silence_no_other_address_is_asked() {
    let ((silent, first), (other, second)) = (played_server(), played_server());
    let mut sockets = [connect_to(first), connect_to(second)];
    let request = Session::new().request(b"hello");
    let error = exchange(&mut sockets, request, &patience(SHORT, 2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    // The request may have run there.
    assert_eq!(Message::request_in(&receive(&silent).0).unwrap().payload, b"hello");
    assert_would_block(&other);
}

#[test]
fn a_message_longer_than_a_datagram_is_refused_before_it_is_sent() {
    let (socket, address) = played_server();
    let message = vec![b'x'; MAX_PAYLOAD + 1];
    let error = ask(connect_to(address), &message, &patience(SHORT, 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_would_block(&socket);
}

/// As without a route, or with a filter: the system refuses what is sent.
#[test]
fn a_try_that_cannot_be_sent_is_a_lost_one_and_an_earlier_one_may_still_be_answered() {
    let (socket, address) = played_server();
    let client = connect_to(address);
    let same = client.try_clone().unwrap();
    let server = thread::spawn(move || {
        let (request, peer) = receive(&socket);
        end_sending(&same);
        // The pause is the fault itself: the reply is late.
        thread::sleep(SHORT * 3 / 2);
        socket.send_to(&answer(&request, b"yes", |_| {}), peer).unwrap();
    });
    assert_eq!(ask(client, b"hello", &patience(SHORT, 4)).unwrap(), b"yes");
    server.join().unwrap();
}

#[test]
fn the_last_error_is_told_and_whether_the_request_has_run_where_a_try_has_left() {
    let (socket, address) = played_server();
    let client = connect_to(address);
    let same = client.try_clone().unwrap();
    let server = thread::spawn(move || {
        receive(&socket);
        end_sending(&same);
        socket
    });
    let error = ask(client, b"hello", &patience(SHORT / 10, 3)).unwrap_err().to_string();
    assert!(error.ends_with("; it is not known whether the request has run"), "{error}");
    assert!(!error.contains("timed out"), "{error}");
    server.join().unwrap();
    // Nothing has left, so nothing has run.
    let client = connect_to(address);
    end_sending(&client);
    let error = ask(client, b"hello", &patience(SHORT / 10, 3)).unwrap_err().to_string();
    assert!(!error.contains("not known"), "{error}");
}
