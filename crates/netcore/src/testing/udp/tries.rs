//! What a client promises that asks again while nobody answers, and knows its reply by a
//! number. The test plays its server.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::thread;
use std::time::{Duration, Instant};

use super::{
    GENEROUS, SHORT, assert_would_block, connect_to, end_sending, nobody, played_server, receive,
};
use crate::datagrams::LARGEST;
use crate::request::{Kind, Message};

/// Sends a message in a session of its own, to the addresses that the sockets are connected
/// to, and waits so long for a reply to the first of so many tries.
pub type Client = dyn Fn(&mut [UdpSocket], &[u8], Duration, u8) -> io::Result<Vec<u8>>;

/// Until somebody answers.
pub fn a_client_asks_again_until_it_is_answered_and_counts_its_tries(client: &Client) {
    let (socket, address) = played_server();
    let lossy = thread::spawn(move || {
        for attempt in 1..=4 {
            let (datagram, peer) = receive(&socket);
            let request = Message::request_in(&datagram).expect("it works");
            assert_eq!((request.id, request.attempt), (1, attempt));
            assert_eq!(request.payload, b"hello");
            if attempt == 4 {
                socket.send_to(&answer(&datagram, b"yes", |_| {}), peer).expect("it works");
            }
        }
    });
    let reply = ask(client, connect_to(address), SHORT / 10, 12);
    assert_eq!(reply.expect("it works"), b"yes");
    lossy.join().expect("it works");
}

/// A request that nobody answered may have run all the same.
pub fn a_client_gives_up_after_its_last_try_and_says_what_is_not_known(client: &Client) {
    let (silent, address) = played_server();
    let started = Instant::now();
    let error = ask(client, connect_to(address), SHORT, 3).expect_err("no reply");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "timed out; it is not known whether the request has run");
    let took = started.elapsed();
    assert!(took >= SHORT * (1 + 2 + 4) && took < GENEROUS, "{took:?}");
    for _ in 0..3 {
        assert_asked(&silent);
    }
    assert_would_block(&silent);
}

/// Whoever sends, and whatever else has come.
pub fn only_the_reply_to_this_very_request_is_taken(client: &Client) {
    let ((socket, address), (stranger, _)) = (played_server(), played_server());
    let server = thread::spawn(move || {
        let (request, peer) = receive(&socket);
        stranger.send_to(&answer(&request, b"forged", |_| {}), peer).expect("it works");
        for wrong in [
            b"wrong".to_vec(),
            request.clone(),
            answer(&request, b"wrong", |reply| reply.kind = Kind::Request),
            answer(&request, b"wrong", |reply| reply.session += 1),
            answer(&request, b"wrong", |reply| reply.id += 1),
            answer(&request, b"right", |reply| reply.attempt = 99),
        ] {
            socket.send_to(&wrong, peer).expect("it works");
        }
    });
    assert_eq!(ask(client, connect_to(address), GENEROUS, 1).expect("it works"), b"right");
    server.join().expect("it works");
}

/// Where the system can tell, nobody waits.
pub fn nobody_listening_is_told_at_once(client: &Client) {
    let error = ask(client, connect_to(nobody()), GENEROUS, 4).expect_err("a refusal");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
}

/// A refusal that comes later says nothing of the first try.
pub fn a_server_that_goes_away_meanwhile_may_have_run_the_request(client: &Client) {
    let (socket, address) = played_server();
    let server = thread::spawn(move || drop(receive(&socket)));
    let error = ask(client, connect_to(address), SHORT, 20).expect_err("no reply");
    server.join().expect("it works");
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert!(error.to_string().ends_with("it is not known whether the request has run"), "{error}");
}

/// Linux tells the refusal first.
pub fn a_reply_that_has_come_is_not_lost_to_a_refusal(client: &Client) {
    let (socket, address) = played_server();
    let asking = connect_to(address);
    let same = asking.try_clone().expect("it works");
    let server = thread::spawn(move || {
        let (request, peer) = receive(&socket);
        socket.send_to(&answer(&request, b"yes", |reply| reply.id += 1), peer).expect("it works");
        socket.send_to(&answer(&request, b"yes", |_| {}), peer).expect("it works");
        drop(socket);
        same.send(b"refused").expect("it works");
    });
    assert_eq!(ask(client, asking, GENEROUS, 1).expect("it works"), b"yes");
    server.join().expect("it works");
}

/// The request may have run at the first.
pub fn after_silence_no_other_address_is_asked(client: &Client) {
    let ((silent, first), (other, second)) = (played_server(), played_server());
    let mut sockets = [connect_to(first), connect_to(second)];
    let error = client(&mut sockets, b"hello", SHORT, 2).expect_err("no reply");
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    // The request may have run there.
    assert_asked(&silent);
    assert_would_block(&other);
}

/// It would fit in no try.
pub fn a_message_longer_than_a_datagram_is_refused_before_it_is_sent(client: &Client) {
    let (socket, address) = played_server();
    let message = vec![b'x'; LARGEST + 1];
    let error = client(&mut [connect_to(address)], &message, SHORT, 1).expect_err("no reply");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_would_block(&socket);
}

/// As without a route, or with a filter: the system refuses what is sent.
pub fn a_try_that_cannot_be_sent_is_a_lost_one_and_an_earlier_one_may_still_be_answered(
    client: &Client,
) {
    let (socket, address) = played_server();
    let asking = connect_to(address);
    let same = asking.try_clone().expect("it works");
    let server = thread::spawn(move || {
        let (request, peer) = receive(&socket);
        end_sending(&same);
        // The pause is the fault itself: the reply is late.
        thread::sleep(SHORT * 3 / 2);
        socket.send_to(&answer(&request, b"yes", |_| {}), peer).expect("it works");
    });
    assert_eq!(ask(client, asking, SHORT, 4).expect("it works"), b"yes");
    server.join().expect("it works");
}

/// And where none has left, nothing has run.
pub fn the_last_error_is_told_and_whether_the_request_has_run_where_a_try_has_left(
    client: &Client,
) {
    let (socket, address) = played_server();
    let asking = connect_to(address);
    let same = asking.try_clone().expect("it works");
    let server = thread::spawn(move || {
        receive(&socket);
        end_sending(&same);
        socket
    });
    let error = ask(client, asking, SHORT / 10, 3).expect_err("no reply").to_string();
    assert!(error.ends_with("; it is not known whether the request has run"), "{error}");
    assert!(!error.contains("timed out"), "{error}");
    server.join().expect("it works");
    // Nothing has left, so nothing has run.
    let asking = connect_to(address);
    end_sending(&asking);
    let error = ask(client, asking, SHORT / 10, 3).expect_err("no reply").to_string();
    assert!(!error.contains("not known"), "{error}");
}

fn assert_asked(socket: &UdpSocket) {
    let request = receive(socket).0;
    assert_eq!(Message::request_in(&request).map(|request| request.payload), Some(&b"hello"[..]));
}

/// One message to one address.
fn ask(client: &Client, socket: UdpSocket, timeout: Duration, tries: u8) -> io::Result<Vec<u8>> {
    client(&mut [socket], b"hello", timeout, tries)
}

/// Answers what was received with `payload`, with a change.
fn answer(datagram: &[u8], payload: &[u8], change: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut reply = Message::request_in(datagram).expect("a request").reply(payload);
    change(&mut reply);
    reply.encode()
}
