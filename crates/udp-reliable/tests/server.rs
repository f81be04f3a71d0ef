//! Server and client in the test's own process, on ports of their own.

mod dice;

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::num::NonZeroU8;
use std::sync::mpsc::{self, Receiver};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use dice::Dice;
use netcore::deadline::Deadline;
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::wait::{self, Waited};
use netcore::{connect, listen};
use udp_reliable::client::{self, Session};
use udp_reliable::wire::{HEADER, Kind, Message};
use udp_reliable::{BUFFER, MAX_MESSAGE, Options, Patience, server};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(100);

/// Bounds that no test comes near unless it sets its own.
const OPTIONS: Options =
    Options { remember: Duration::from_secs(120), max_clients: 10_000, max_memory: 64 << 20 };

/// A server that is told to stop and waited for on every way out of a test.
struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    ended: Receiver<io::Result<()>>,
}

impl Running {
    fn start(options: Options) -> Running {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let socket = listen::udp("127.0.0.1", 0).unwrap();
        let address = socket.local_addr().unwrap();
        let handle = shutdown.clone();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || end.send(server::serve(socket, &options, &handle)));
        Running { address, shutdown, ended }
    }

    fn connect(&self) -> Vec<UdpSocket> {
        connect_to(self.address)
    }

    fn stop(&self) -> io::Result<()> {
        self.shutdown.stop();
        self.ended.recv_timeout(GENEROUS).expect("the server ends when it is told to")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.stop();
        let _ = self.ended.recv_timeout(GENEROUS);
    }
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
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let handle = shutdown.clone();
        let thread = Some(thread::spawn(move || relay(&socket, server, Dice(seed), &handle)));
        Relay { address, shutdown, thread }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shutdown.stop();
        let _ = self.thread.take().unwrap().join();
    }
}

fn relay(socket: &UdpSocket, server: SocketAddr, mut dice: Dice, shutdown: &Shutdown) {
    let mut buf = vec![0; BUFFER];
    let mut client = None;
    let mut held: Option<(Vec<u8>, SocketAddr)> = None;
    while wait::readable(socket, shutdown, Deadline::after(GENEROUS)).unwrap() == Waited::Ready {
        let Ok((n, from)) = socket.recv_from(&mut buf) else { continue };
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
            let _ = socket.send_to(&buf[..n], to);
        }
        if let Some((datagram, to)) = held.take() {
            let _ = socket.send_to(&datagram, to);
        }
    }
}

fn connect_to(address: SocketAddr) -> Vec<UdpSocket> {
    let sockets = connect::udp(&address.ip().to_string(), address.port()).unwrap();
    for socket in &sockets {
        socket.set_read_timeout(Some(GENEROUS)).unwrap();
    }
    sockets
}

/// A socket for a server that the test plays itself.
fn played_server() -> (UdpSocket, SocketAddr) {
    let socket = listen::udp("127.0.0.1", 0).unwrap();
    socket.set_read_timeout(Some(GENEROUS)).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// A port that nobody listens on. Another process could take it meanwhile, but the
/// system hands out others first.
fn nobody() -> SocketAddr {
    played_server().1
}

fn receive(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut buf = vec![0; BUFFER];
    let (n, peer) = socket.recv_from(&mut buf).unwrap();
    buf.truncate(n);
    (buf, peer)
}

/// Answers what was received with `payload`, with a change.
fn answer(request: &[u8], payload: &[u8], change: impl FnOnce(&mut Message)) -> Vec<u8> {
    let mut reply = Message { kind: Kind::Reply, payload, ..Message::decode(request).unwrap() };
    change(&mut reply);
    reply.encode()
}

fn request(session: u64, id: u64, payload: &[u8]) -> Vec<u8> {
    Message { kind: Kind::Request, attempt: 1, session, id, payload }.encode()
}

/// Waits for a reply and checks it.
#[track_caller]
fn assert_reply(socket: &UdpSocket, id: u64, payload: &[u8]) {
    let datagram = receive(socket).0;
    let reply = Message::decode(&datagram).unwrap();
    assert_eq!((reply.kind, reply.id, reply.payload), (Kind::Reply, id, payload));
}

#[track_caller]
fn assert_would_block(socket: &UdpSocket) {
    socket.set_nonblocking(true).unwrap();
    assert_eq!(socket.recv(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

thread_local! {
    static BETWEEN_TRIES: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

/// Hears what the client logs, which is the only event between two of its tries.
struct Listener;

impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata) -> bool {
        true
    }

    fn log(&self, record: &log::Record) {
        if record.args().to_string().contains("no reply")
            && let Some(act) = BETWEEN_TRIES.take()
        {
            act();
        }
    }

    fn flush(&self) {}
}

/// Runs `act` when the first try of the client in this thread has had no reply, before
/// the second is sent.
fn between_tries(act: impl FnOnce() + 'static) {
    // Another test may have set it: it listens for all threads.
    let _ = log::set_logger(&Listener);
    log::set_max_level(log::LevelFilter::Info);
    BETWEEN_TRIES.set(Some(Box::new(act)));
}

fn patience(timeout: Duration, tries: u8) -> Patience {
    Patience { timeout, tries: NonZeroU8::new(tries).unwrap() }
}

/// For an exchange that loses nothing: one try, so that a retry cannot hide a fault.
fn one_try() -> Patience {
    patience(GENEROUS, 1)
}

/// The next message of a session.
fn exchange(
    sockets: &mut [UdpSocket],
    session: &mut Session,
    message: &[u8],
    patience: &Patience,
) -> io::Result<Vec<u8>> {
    let id = session.new_request();
    client::exchange(sockets, session, id, message, patience)
}

/// One message in a session of its own.
fn ask(sockets: &mut [UdpSocket], message: &[u8], patience: &Patience) -> io::Result<Vec<u8>> {
    exchange(sockets, &mut Session::new(patience), message, patience)
}

#[test]
fn each_message_gets_its_reply_and_the_next_number() {
    let server = Running::start(OPTIONS);
    let mut sockets = server.connect();
    let mut session = Session::new(&one_try());
    let messages =
        [b"hello", "".as_bytes(), "Привет, сервер!".as_bytes(), b"\xff\xfe\0\xd0", b"hello"];
    for (message, number) in messages.into_iter().zip(1..) {
        let reply = exchange(&mut sockets, &mut session, message, &one_try()).unwrap();
        assert_eq!(reply, [format!("{number}: ").as_bytes(), message].concat());
    }
}

#[test]
fn a_request_that_comes_again_gets_its_reply_again_and_does_not_run_again() {
    let server = Running::start(OPTIONS);
    let socket = &server.connect()[0];
    for _ in 0..3 {
        socket.send(&request(7, 1, b"hello")).unwrap();
        assert_reply(socket, 1, b"1: hello");
    }
    socket.send(&request(7, 2, b"next")).unwrap();
    assert_reply(socket, 2, b"2: next");
}

/// As `--wait` does when a refusal came that was not for this request.
#[test]
fn a_client_that_asks_again_from_the_beginning_does_not_have_its_request_run_again() {
    let server = Running::start(OPTIONS);
    let mut sockets = server.connect();
    let mut session = Session::new(&one_try());
    let id = session.new_request();
    for _ in 0..2 {
        let reply = client::exchange(&mut sockets, &mut session, id, b"withdraw 100", &one_try());
        assert_eq!(reply.unwrap(), b"1: withdraw 100");
    }
}

#[test]
fn a_reply_names_the_try_that_it_answers() {
    let server = Running::start(OPTIONS);
    let socket = &server.connect()[0];
    for attempt in [2, 1, 255] {
        let request =
            Message { kind: Kind::Request, attempt, session: 7, id: 1, payload: b"hello" };
        socket.send(&request.encode()).unwrap();
        assert_eq!(Message::decode(&receive(socket).0).unwrap().attempt, attempt);
    }
}

#[test]
fn an_earlier_request_that_comes_late_neither_runs_nor_is_answered() {
    let server = Running::start(OPTIONS);
    let socket = &server.connect()[0];
    socket.send(&request(7, 2, b"two")).unwrap();
    socket.send(&request(7, 1, b"late")).unwrap();
    socket.send(&request(7, 3, b"three")).unwrap();
    assert_reply(socket, 2, b"1: two");
    assert_reply(socket, 3, b"2: three");
}

#[test]
fn a_client_that_is_started_again_on_its_port_is_not_taken_for_its_predecessor() {
    let server = Running::start(OPTIONS);
    let mut sockets = server.connect();
    assert_eq!(ask(&mut sockets, b"before", &one_try()).unwrap(), b"1: before");
    assert_eq!(ask(&mut sockets, b"after", &one_try()).unwrap(), b"2: after");
}

#[test]
fn at_the_bound_new_clients_are_not_served_and_known_ones_are() {
    let server = Running::start(Options { max_clients: 1, ..OPTIONS });
    let (mut known, mut session) = (server.connect(), Session::new(&one_try()));
    assert_eq!(exchange(&mut known, &mut session, b"one", &one_try()).unwrap(), b"1: one");
    let refused = ask(&mut server.connect(), b"hello", &patience(SHORT, 2));
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(exchange(&mut known, &mut session, b"two", &one_try()).unwrap(), b"2: two");
}

#[test]
fn a_client_that_was_forgotten_makes_room_for_another() {
    let server = Running::start(Options { max_clients: 1, remember: SHORT, ..OPTIONS });
    assert_eq!(ask(&mut server.connect(), b"one", &one_try()).unwrap(), b"1: one");
    assert_eq!(ask(&mut server.connect(), b"two", &patience(SHORT, 50)).unwrap(), b"2: two");
}

#[test]
fn clients_that_interleave_each_get_their_own_replies() {
    let server = Running::start(OPTIONS);
    let (first, second) = (server.connect(), server.connect());
    first[0].send(&request(7, 1, b"first")).unwrap();
    second[0].send(&request(7, 1, b"second")).unwrap();
    first[0].send(&request(7, 2, b"first again")).unwrap();
    assert_reply(&second[0], 1, b"2: second");
    assert_reply(&first[0], 1, b"1: first");
    assert_reply(&first[0], 2, b"3: first again");
}

#[test]
fn the_largest_message_comes_back_whole() {
    let server = Running::start(OPTIONS);
    let message: Vec<u8> = (0..MAX_MESSAGE).map(|i| (i / 251) as u8).collect();
    let reply = ask(&mut server.connect(), &message, &one_try()).unwrap();
    assert!(reply == [b"1: ", message.as_slice()].concat());
}

#[test]
fn a_request_whose_reply_would_not_fit_does_not_run() {
    let server = Running::start(OPTIONS);
    let socket = &server.connect()[0];
    socket.send(&request(7, 1, &vec![b'x'; MAX_MESSAGE + 1])).unwrap();
    socket.send(&request(7, 2, b"next")).unwrap();
    assert_reply(socket, 2, b"1: next");
}

#[test]
fn what_is_no_request_is_dropped_and_the_next_is_answered() {
    let server = Running::start(OPTIONS);
    let socket = &server.connect()[0];
    let whole = request(7, 1, b"");
    for datagram in [b"".as_slice(), b"hello", &whole[..HEADER - 1], &answer(&whole, b"", |_| {})] {
        socket.send(datagram).unwrap();
    }
    socket.send(&request(7, 1, b"next")).unwrap();
    assert_reply(socket, 1, b"1: next");
}

#[test]
fn clients_that_are_gone_before_their_reply_do_not_stop_the_server() {
    let server = Running::start(OPTIONS);
    for _ in 0..100 {
        // The reply meets a closed port. Windows tells the server so, at its next receive.
        server.connect()[0].send(&request(7, 1, b"gone")).unwrap();
    }
    assert!(ask(&mut server.connect(), b"next", &one_try()).unwrap().ends_with(b": next"));
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_datagram() {
    let server = Running::start(OPTIONS);
    assert_eq!(ask(&mut server.connect(), b"ready", &one_try()).unwrap(), b"1: ready");
    server.stop().unwrap();
}

#[test]
fn a_stop_ends_the_server_while_datagrams_keep_coming() {
    let server = Running::start(OPTIONS);
    let mut sockets = server.connect();
    assert_eq!(ask(&mut sockets, b"ready", &one_try()).unwrap(), b"1: ready");
    let started = Instant::now();
    let (over, is_over) = mpsc::channel::<()>();
    let flood = thread::spawn(move || {
        let mut id = 0;
        // Ends when the test drops its end of the channel. Once the server has gone, each send
        // is refused.
        while is_over.try_recv() == Err(mpsc::TryRecvError::Empty) && started.elapsed() < GENEROUS {
            id += 1;
            let _ = sockets[0].send(&request(7, id, b"more"));
        }
    });
    let stopped = server.stop();
    drop(over);
    flood.join().unwrap();
    stopped.unwrap();
    assert!(started.elapsed() < GENEROUS);
}

#[test]
fn over_a_network_that_loses_doubles_and_reorders_each_message_runs_once() {
    let server = Running::start(OPTIONS);
    let relay = Relay::start(server.address, 2026);
    let mut sockets = connect_to(relay.address);
    let patience = patience(SHORT, 255);
    let mut session = Session::new(&patience);
    for number in 1..=12 {
        let message = format!("message {number}");
        let reply = exchange(&mut sockets, &mut session, message.as_bytes(), &patience).unwrap();
        assert_eq!(String::from_utf8(reply).unwrap(), format!("{number}: {message}"));
    }
}

#[test]
fn a_client_asks_again_until_it_is_answered_and_counts_its_tries() {
    let (socket, address) = played_server();
    let lossy = thread::spawn(move || {
        let mut last = None;
        for attempt in 1..=4 {
            let (datagram, peer) = receive(&socket);
            let request = Message::decode(&datagram).unwrap();
            assert_eq!((request.kind, request.id, request.attempt), (Kind::Request, 1, attempt));
            assert_eq!(request.payload, b"is anybody there?");
            last = Some((datagram, peer));
        }
        let (datagram, peer) = last.unwrap();
        socket.send_to(&answer(&datagram, b"yes", |_| {}), peer).unwrap();
    });
    let reply = ask(&mut connect_to(address), b"is anybody there?", &patience(SHORT / 10, 12));
    assert_eq!(reply.unwrap(), b"yes");
    lossy.join().unwrap();
}

#[test]
fn a_client_waits_twice_as_long_at_each_try_and_then_gives_up() {
    let (silent, address) = played_server();
    let started = Instant::now();
    let error = ask(&mut connect_to(address), b"hello", &patience(SHORT, 3)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert_eq!(error.to_string(), "timed out at try 3; whether it was taken is not known");
    let took = started.elapsed();
    assert!(took >= SHORT * (1 + 2 + 4) && took < GENEROUS, "{took:?}");
    for _ in 0..3 {
        assert_eq!(Message::decode(&receive(&silent).0).unwrap().payload, b"hello");
    }
    assert_would_block(&silent);
}

#[test]
fn a_reply_from_a_stranger_is_not_taken() {
    let (socket, address) = played_server();
    let (stranger, _) = played_server();
    let server = thread::spawn(move || {
        let (request, peer) = receive(&socket);
        stranger.send_to(&answer(&request, b"forged", |_| {}), peer).unwrap();
        socket.send_to(&answer(&request, b"true", |_| {}), peer).unwrap();
    });
    assert_eq!(ask(&mut connect_to(address), b"hello", &one_try()).unwrap(), b"true");
    server.join().unwrap();
}

#[test]
fn only_the_reply_to_this_very_request_is_taken() {
    let (socket, address) = played_server();
    let server = thread::spawn(move || {
        let (request, peer) = receive(&socket);
        for wrong in [
            b"wrong".to_vec(),
            request.clone(),
            answer(&request, b"wrong", |reply| reply.session += 1),
            answer(&request, b"wrong", |reply| reply.id += 1),
            answer(&request, b"right", |reply| reply.attempt = 99),
        ] {
            socket.send_to(&wrong, peer).unwrap();
        }
    });
    assert_eq!(ask(&mut connect_to(address), b"hello", &one_try()).unwrap(), b"right");
    server.join().unwrap();
}

#[test]
fn replies_to_something_else_cannot_stretch_the_wait() {
    let (socket, address) = played_server();
    let mut sockets = connect_to(address);
    let started = Instant::now();
    let (over, is_over) = mpsc::channel::<()>();
    let wrong = thread::spawn(move || {
        let (request, peer) = receive(&socket);
        let other = answer(&request, b"something else", |reply| reply.id += 1);
        // The pause is the fault itself: a datagram now and then would renew a timeout that
        // each receive has anew.
        let pause = || is_over.recv_timeout(SHORT / 10) == Err(mpsc::RecvTimeoutError::Timeout);
        while pause() && started.elapsed() < GENEROUS {
            let _ = socket.send_to(&other, peer);
        }
    });
    let error = ask(&mut sockets, b"hello", &patience(SHORT, 2)).unwrap_err();
    let took = started.elapsed();
    drop(over);
    wrong.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(took < GENEROUS, "{took:?}");
}

#[test]
fn a_reply_to_an_earlier_message_that_comes_late_is_not_taken_for_this_one() {
    let (socket, address) = played_server();
    let mut sockets = connect_to(address);
    let mut session = Session::new(&patience(SHORT, 1));
    // The same text twice: its number is all that tells them apart.
    assert!(exchange(&mut sockets, &mut session, b"hello", &patience(SHORT, 1)).is_err());
    let server = thread::spawn(move || {
        let (one, _) = receive(&socket);
        let (two, peer) = receive(&socket);
        socket.send_to(&answer(&one, b"to one", |_| {}), peer).unwrap();
        socket.send_to(&answer(&two, b"to two", |_| {}), peer).unwrap();
    });
    // By now the session waits twice as long, which a busy machine may exceed.
    let patience = patience(SHORT, 20);
    assert_eq!(exchange(&mut sockets, &mut session, b"hello", &patience).unwrap(), b"to two");
    server.join().unwrap();
}

#[test]
fn nobody_listening_is_told_at_once() {
    let started = Instant::now();
    let error = ask(&mut connect_to(nobody()), b"hello", &one_try()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(started.elapsed() < GENEROUS);
}

#[test]
fn a_server_that_goes_away_meanwhile_may_have_taken_the_message() {
    let (socket, address) = played_server();
    let server = thread::spawn(move || drop(receive(&socket)));
    let error = ask(&mut connect_to(address), b"hello", &patience(SHORT, 20)).unwrap_err();
    server.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
    assert_eq!(
        error.to_string(),
        "the server has gone; whether the message was taken is not known"
    );
}

#[test]
fn a_reply_that_has_come_is_not_lost_to_the_refusal_of_a_later_try() {
    for refused_before_the_try in [false, true] {
        let (socket, address) = played_server();
        let mut sockets = connect_to(address);
        let same = sockets[0].try_clone().unwrap();
        between_tries(move || {
            let (request, peer) = receive(&socket);
            socket.send_to(&answer(&request, b"yes", |_| {}), peer).unwrap();
            drop(socket);
            // A look that takes nothing: the reply is there.
            same.set_read_timeout(Some(GENEROUS)).unwrap();
            same.peek(&mut vec![0; BUFFER]).unwrap();
            if refused_before_the_try {
                same.send(b"refused").unwrap();
            }
        });
        let reply = ask(&mut sockets, b"is anybody there?", &patience(SHORT, 2));
        assert_eq!(reply.unwrap(), b"yes");
    }
}

#[test]
fn the_second_address_is_asked_when_nobody_listens_on_the_first_and_asked_first_from_then_on() {
    let server = Running::start(OPTIONS);
    let mut sockets = connect_to(nobody());
    sockets.extend(server.connect());
    assert_eq!(ask(&mut sockets, b"hello", &one_try()).unwrap(), b"1: hello");
    assert_eq!(sockets[0].peer_addr().unwrap(), server.address);
}

#[test]
fn after_silence_no_other_address_is_asked() {
    let ((silent, first), (other, second)) = (played_server(), played_server());
    let mut sockets = connect_to(first);
    sockets.extend(connect_to(second));
    let error = ask(&mut sockets, b"hello", &patience(SHORT, 2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    // The request may have run there.
    assert_eq!(Message::decode(&receive(&silent).0).unwrap().payload, b"hello");
    assert_would_block(&other);
}

#[test]
fn a_message_longer_than_a_datagram_is_refused_before_it_is_sent() {
    let (socket, address) = played_server();
    let message = vec![b'x'; MAX_MESSAGE + 1];
    let error = ask(&mut connect_to(address), &message, &one_try()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "65464 bytes are more than the 65463 of the largest message");
    assert_would_block(&socket);
}
