//! Over a bad network each message runs once, and the client knows when it does not know.

mod dice;

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dice::Dice;
use netcore::datagrams::{BUFFER, Datagrams};
use netcore::request::{Message, Session};
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::testing::udp::{
    GENEROUS, Running, SHORT, assert_would_block, connect_to, end_sending, nobody, played_server,
    receive,
};
use udp_reliable::client::exchange;
use udp_reliable::timer::Timer;
use udp_reliable::{Echo, MAX_MESSAGE, Patience, server};

fn start() -> Running {
    Running::start(|socket, shutdown| server::serve(socket, &Echo::default(), shutdown))
}

fn timer(timeout: Duration, tries: u8) -> Timer {
    Timer::new(Patience { timeout, tries: tries.try_into().unwrap() })
}

/// One message in a session of its own.
fn ask(socket: UdpSocket, message: &[u8], mut timer: Timer) -> io::Result<Vec<u8>> {
    exchange(&mut [socket], Session::new().request(message), &mut timer)
}

/// A network between one client and a server that loses, doubles and reorders
/// datagrams, the same at each run as far as those that come to it are the same.
struct Relay {
    address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    fn start(server: SocketAddr, seed: u64) -> Relay {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = socket.local_addr().unwrap();
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let datagrams = Datagrams::new(socket, &shutdown).unwrap();
        let thread = Some(thread::spawn(move || relay(&datagrams, server, Dice(seed))));
        Relay { address, shutdown, thread }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shutdown.stop();
        let _ = self.thread.take().unwrap().join();
    }
}

fn relay(socket: &Datagrams, server: SocketAddr, mut dice: Dice) {
    let mut buf = vec![0; BUFFER];
    let mut client = None;
    let mut held: Option<(Vec<u8>, SocketAddr)> = None;
    while let Some((n, from)) = socket.receive(&mut buf).unwrap() {
        if from != server {
            client = Some(from);
        }
        let to = if from == server { client.unwrap() } else { server };
        if dice.hit(25) {
            continue;
        }
        if held.is_none() && dice.hit(15) {
            // Until another one has gone before it.
            held = Some((buf[..n].to_vec(), to));
            continue;
        }
        for _ in 0..if dice.hit(20) { 2 } else { 1 } {
            socket.send(&buf[..n], to);
        }
        if let Some((datagram, to)) = held.take() {
            socket.send(&datagram, to);
        }
    }
}

#[test]
fn over_a_network_that_loses_doubles_and_reorders_each_message_runs_once() {
    let server = start();
    let relay = Relay::start(server.address, 2026);
    let (mut sockets, mut session) = ([connect_to(relay.address)], Session::new());
    let mut timer = timer(SHORT, 255);
    for number in 1..=12 {
        let message = format!("message {number}");
        let reply = exchange(&mut sockets, session.request(message.as_bytes()), &mut timer);
        assert_eq!(String::from_utf8(reply.unwrap()).unwrap(), format!("{number}: {message}"));
    }
}

/// As `--wait` does when a refusal came that was not for this request.
#[test]
fn a_client_that_asks_again_from_the_beginning_does_not_have_its_request_run_again() {
    let server = start();
    let (mut sockets, mut session) = ([server.connect()], Session::new());
    let request = session.request(b"withdraw 100");
    for _ in 0..2 {
        let reply = exchange(&mut sockets, request, &mut timer(GENEROUS, 1));
        assert_eq!(reply.unwrap(), b"1: withdraw 100");
    }
}

#[test]
fn the_largest_message_comes_back_whole() {
    let message: Vec<u8> = (0..MAX_MESSAGE).map(|i| (i / 251) as u8).collect();
    let reply = ask(start().connect(), &message, timer(GENEROUS, 1)).unwrap();
    assert!(reply == [b"1: ", message.as_slice()].concat());
}

#[test]
fn a_message_longer_than_a_datagram_is_refused_before_it_is_sent() {
    let (socket, address) = played_server();
    let message = vec![b'x'; MAX_MESSAGE + 1];
    let error = ask(connect_to(address), &message, timer(SHORT, 1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "65464 bytes are more than the 65463 of the largest message");
    assert_would_block(&socket);
}

#[test]
fn a_client_that_gives_up_says_that_it_is_not_known_whether_the_request_has_run() {
    let (silent, address) = played_server();
    let started = Instant::now();
    let error = ask(connect_to(address), b"hello", timer(SHORT, 3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "timed out; it is not known whether the request has run");
    let took = started.elapsed();
    assert!(took >= SHORT * (1 + 2 + 4) && took < GENEROUS, "{took:?}");
    for attempt in 1..=3 {
        assert_eq!(Message::request_in(&receive(&silent).0).unwrap().attempt, attempt);
    }
    assert_would_block(&silent);
}

#[test]
fn nobody_listening_is_told_at_once_and_nothing_has_run() {
    let error = ask(connect_to(nobody()), b"hello", timer(GENEROUS, 4)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
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
        socket
            .send_to(&Message::request_in(&request).unwrap().reply(b"yes").encode(), peer)
            .unwrap();
    });
    assert_eq!(ask(client, b"hello", timer(SHORT, 4)).unwrap(), b"yes");
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
    let error = ask(client, b"hello", timer(SHORT / 10, 3)).unwrap_err().to_string();
    assert!(error.ends_with("; it is not known whether the request has run"), "{error}");
    assert!(!error.contains("timed out"), "{error}");
    server.join().unwrap();
    // Nothing has left, so nothing has run.
    let client = connect_to(address);
    end_sending(&client);
    let error = ask(client, b"hello", timer(SHORT / 10, 3)).unwrap_err().to_string();
    assert!(!error.contains("not known"), "{error}");
}
