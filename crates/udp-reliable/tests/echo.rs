//! Over a bad network each message runs once, and the client knows when it does not know.

mod dice;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use dice::Dice;
use netcore::datagrams::{BUFFER, Datagrams};
use netcore::promises;
use netcore::request::Session;
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::testing::udp::{GENEROUS, Running, SHORT, connect_to};
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
fn client(
    sockets: &mut [UdpSocket],
    message: &[u8],
    timeout: Duration,
    tries: u8,
) -> io::Result<Vec<u8>> {
    exchange(sockets, Session::new().request(message), &mut timer(timeout, tries))
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
    let reply = client(&mut [start().connect()], &message, GENEROUS, 1).unwrap();
    assert!(reply == [b"1: ", message.as_slice()].concat());
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
