//! Each request runs once, and each address has its share: the server without its socket
//! and its clock.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use netcore::request::{Kind, Message};
use netcore::shares::{BYTES, Bounds};
use netcore::testing::udp::{self, Running};
use udp_once::server::{self, Memory};
use udp_once::{Echo, MAX_MESSAGE};

const REMEMBER: Duration = Duration::from_secs(60);

/// A server, as far as it decides.
struct Server {
    echo: Echo,
    memory: Memory,
    now: Instant,
}

impl Server {
    fn new(max_addresses: usize) -> Server {
        let bounds = Bounds { remember: REMEMBER, max_addresses };
        let echo = Echo { bounds: bounds.clone(), ..Echo::default() };
        Server { echo, memory: Memory::new(bounds), now: Instant::now() }
    }

    /// The payload of the reply to request `id` of `session` from `peer`.
    fn ask(&mut self, peer: &str, session: u64, id: u64, payload: &[u8]) -> Option<Vec<u8>> {
        let request = Message { kind: Kind::Request, attempt: 1, session, id, payload };
        let peer: SocketAddr = peer.parse().unwrap();
        let Server { echo, memory, now } = self;
        let answer = server::answer(echo, memory, &request.encode(), peer, *now)?;
        let reply = request.reply_in(&answer).unwrap();
        Some(reply.payload.to_vec())
    }

    #[track_caller]
    fn expect(&mut self, peer: &str, session: u64, id: u64, reply: &str) {
        let answer =
            self.ask(peer, session, id, b"pay").map(|reply| String::from_utf8(reply).unwrap());
        assert_eq!(answer.as_deref(), Some(reply));
    }
}

const ONE: &str = "10.0.0.1:1111";
const TWO: &str = "10.0.0.2:2222";
const THREE: &str = "10.0.0.3:3333";

#[test]
fn a_request_that_comes_again_gets_the_same_reply_and_does_not_run_again() {
    let mut server = Server::new(9);
    for _ in 0..3 {
        server.expect(ONE, 7, 1, "1: pay");
    }
    server.expect(ONE, 7, 2, "2: pay");
}

#[test]
fn the_next_request_is_new_and_an_earlier_one_never_again() {
    let mut server = Server::new(9);
    server.expect(ONE, 7, 1, "1: pay");
    // A client may have given up on some of its requests before they came here.
    server.expect(ONE, 7, 5, "2: pay");
    server.expect(ONE, 7, 5, "2: pay");
    for id in 0..5 {
        assert_eq!(server.ask(ONE, 7, id, b"late"), None);
    }
}

#[test]
fn another_session_another_port_and_another_address_are_other_clients() {
    let mut server = Server::new(9);
    for (peer, session, number) in [(ONE, 7, 1), (ONE, 8, 2), ("10.0.0.1:2", 7, 3), (TWO, 7, 4)] {
        server.expect(peer, session, 1, &format!("{number}: pay"));
    }
    server.expect(ONE, 7, 1, "1: pay");
}

#[test]
fn an_address_that_asks_for_everything_takes_nothing_from_others() {
    let mut server = Server::new(2);
    server.expect(TWO, 7, 1, "1: pay");
    // The largest requests that there are, each in a session of its own.
    let large = vec![b'x'; MAX_MESSAGE];
    for session in 0..1_025 {
        assert!(server.ask(ONE, session, 1, &large).is_some(), "session {session}");
    }
    assert!(server.memory.bytes() <= 2 * BYTES);
    // Known clients, new ones at a known address, and the greedy one itself are served.
    server.expect(TWO, 7, 1, "1: pay");
    server.expect(TWO, 7, 2, "1027: pay");
    server.expect("10.0.0.2:9", 8, 1, "1028: pay");
    server.expect(ONE, 9_999, 1, "1029: pay");
}

#[test]
fn a_further_address_is_served_once_another_has_been_silent() {
    let mut server = Server::new(2);
    server.expect(ONE, 7, 1, "1: pay");
    server.now += REMEMBER / 2;
    server.expect(TWO, 7, 1, "2: pay");
    assert_eq!(server.ask(THREE, 7, 1, b"pay"), None);
    server.now += REMEMBER / 2;
    server.expect(THREE, 7, 1, "3: pay");
    server.expect(TWO, 7, 1, "2: pay");
}

#[test]
fn a_request_whose_reply_would_not_fit_does_not_run() {
    let mut server = Server::new(9);
    assert_eq!(server.ask(ONE, 7, 1, &vec![b'x'; MAX_MESSAGE + 1]), None);
    assert_eq!(server.echo.runs.load(Ordering::Relaxed), 0);
    assert!(server.ask(ONE, 7, 1, &vec![b'x'; MAX_MESSAGE]).is_some());
}

#[test]
fn what_is_no_request_has_no_answer() {
    let mut server = Server::new(9);
    let request = Message { kind: Kind::Request, attempt: 1, session: 7, id: 1, payload: b"" };
    let whole = request.encode();
    let peer = ONE.parse().unwrap();
    for datagram in [b"".as_slice(), b"hello", &whole[..21], &request.reply(b"").encode()] {
        let Server { echo, memory, now } = &mut server;
        assert_eq!(server::answer(echo, memory, datagram, peer, *now), None);
    }
    server.expect(ONE, 7, 1, "1: pay");
}

#[test]
fn a_reply_names_the_try_that_it_answers() {
    let server =
        Running::start(|socket, shutdown| server::serve(socket, &Echo::default(), shutdown));
    let socket = server.connect();
    for attempt in [2, 1, 255] {
        let request =
            Message { kind: Kind::Request, attempt, session: 7, id: 1, payload: b"hello" };
        let answer = udp::ask(&socket, &request.encode());
        assert_eq!(Message::decode(&answer), Some(request.reply(b"1: hello")));
    }
}
