//! Server and client in the test's own process, on ports of their own.

use std::cell::RefCell;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::num::NonZeroU32;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use netcore::shutdown::{DRAIN, Shutdown};
use netcore::{connect, listen};
use quinn_udp::UdpSocketState;
use udp_batch::batch::Outbox;
use udp_batch::{BUFFER, MAX_MESSAGE, Options, Patience, client, server};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(100);

/// The tutorial's prefix: 12 bytes, 7 characters.
const PREFIX: &str = "Ответ: ";

/// The largest message that one packet over loopback holds, which macOS has smaller.
/// This server sends no fragments.
const ONE_PACKET: usize = if cfg!(target_vendor = "apple") { 16_384 - 28 } else { MAX_MESSAGE };

/// A server that is told to stop and waited for on every way out of a test.
struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    ended: Receiver<io::Result<()>>,
}

impl Running {
    fn start(prefix: &str) -> Running {
        Running::start_on("127.0.0.1", prefix).unwrap()
    }

    fn start_on(host: &str, prefix: &str) -> Result<Running, netcore::Error> {
        Ok(Running::serve(listen::udp(host, 0)?, prefix))
    }

    /// Serves what waits in `socket` already, and what comes.
    fn serve(socket: UdpSocket, prefix: &str) -> Running {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let address = socket.local_addr().unwrap();
        let handle = shutdown.clone();
        let options = Options { prefix: prefix.into() };
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

fn patience(timeout: Duration, tries: u32) -> Patience {
    Patience { timeout, tries: NonZeroU32::new(tries).unwrap() }
}

/// For an exchange that loses nothing: one try, so that a retry cannot hide a fault.
fn one_try() -> Patience {
    patience(GENEROUS, 1)
}

#[test]
fn each_message_gets_its_reply() {
    let server = Running::start("");
    let mut sockets = server.connect();
    for message in ["hello", "", "Привет, сервер!", "hello"] {
        let reply = client::exchange(&mut sockets, message.as_bytes(), &one_try()).unwrap();
        assert_eq!(reply, message.as_bytes());
    }
}

#[test]
fn the_prefix_stands_before_the_reply_byte_for_byte() {
    let server = Running::start(PREFIX);
    assert_eq!(PREFIX.len(), 12);
    let reply = client::exchange(&mut server.connect(), b"Hello UDP!", &one_try()).unwrap();
    assert_eq!(reply, b"\xd0\x9e\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82: Hello UDP!");
    // The shorter reply holds nothing of the longer one before it.
    assert_eq!(
        client::exchange(&mut server.connect(), b"", &one_try()).unwrap(),
        PREFIX.as_bytes()
    );
}

#[test]
fn clients_that_interleave_each_get_their_own_replies() {
    let server = Running::start("");
    let (first, second) = (server.connect(), server.connect());
    first[0].send(b"first").unwrap();
    second[0].send(b"second").unwrap();
    first[0].send(b"first again").unwrap();
    assert_eq!(receive(&second[0]).0, b"second");
    assert_eq!(receive(&first[0]).0, b"first");
    assert_eq!(receive(&first[0]).0, b"first again");
}

#[test]
fn an_empty_datagram_is_answered_with_an_empty_one() {
    let server = Running::start("");
    let sockets = server.connect();
    sockets[0].send(b"").unwrap();
    assert_eq!(sockets[0].recv(&mut [0; 1]).unwrap(), 0);
    // It was no end of anything.
    sockets[0].send(b"next").unwrap();
    assert_eq!(receive(&sockets[0]).0, b"next");
}

#[test]
fn the_largest_datagram_comes_back_whole() {
    let server = Running::start("");
    let message: Vec<u8> = (0..ONE_PACKET).map(|i| (i / 251) as u8).collect();
    assert!(client::exchange(&mut server.connect(), &message, &one_try()).unwrap() == message);
}

#[test]
fn the_server_serves_ipv6() {
    let server = match Running::start_on("::1", "") {
        Ok(server) => server,
        Err(error) => return eprintln!("skipped, no IPv6 here: {error}"),
    };
    assert_eq!(client::exchange(&mut server.connect(), b"6", &one_try()).unwrap(), b"6");
}

#[test]
fn datagrams_that_wait_together_are_answered_each_to_its_own_sender() {
    let (socket, address) = played_server();
    let peers: Vec<UdpSocket> = (0..5).flat_map(|_| connect_to(address)).collect();
    let text = |round: usize, peer: usize| format!("message {round} of peer {peer}");
    for round in 0..20 {
        for (number, peer) in peers.iter().enumerate() {
            peer.send(text(round, number).as_bytes()).unwrap();
        }
    }
    let _server = Running::serve(socket, PREFIX);
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
    let peer = &connect_to(address)[0];
    let message = |index: usize| vec![b'a' + index as u8; lengths[index]];
    for index in 0..lengths.len() {
        peer.send(&message(index)).unwrap();
    }
    let _server = Running::serve(socket, PREFIX);
    for index in 0..lengths.len() {
        assert!(
            receive(peer).0 == [PREFIX.as_bytes(), &message(index)].concat(),
            "datagram {index}"
        );
    }
}

#[test]
fn datagrams_that_left_in_one_call_come_back_one_by_one() {
    let server = Running::start(PREFIX);
    let sender = listen::udp("127.0.0.1", 0).unwrap();
    sender.set_read_timeout(Some(GENEROUS)).unwrap();
    // Asked of another socket, so that this one receives datagrams as they are.
    let offload = UdpSocketState::new((&played_server().0).into()).unwrap();
    let mut outbox = Outbox::new();
    let messages: Vec<String> = (1_000..1_200).map(|number| format!("number {number}")).collect();
    for message in &messages {
        if !outbox.takes(server.address, message.len(), offload.max_gso_segments()) {
            outbox.send(&sender, &offload).unwrap();
        }
        outbox.push(server.address, message.as_bytes());
    }
    outbox.send(&sender, &offload).unwrap();
    for message in &messages {
        assert_eq!(String::from_utf8(receive(&sender).0).unwrap(), format!("{PREFIX}{message}"));
    }
}

/// On Linux: elsewhere it would be an error of ours to ask for it.
#[cfg(target_os = "linux")]
#[test]
fn datagrams_that_the_system_does_not_take_together_leave_one_by_one() {
    let (sender, _) = played_server();
    let (receiver, address) = played_server();
    let offload = UdpSocketState::new((&sender).into()).unwrap();
    let mut outbox = Outbox::new();
    // More than Linux cuts a buffer into.
    for number in 1_000..1_200 {
        assert!(outbox.takes(address, 4, usize::MAX));
        outbox.push(address, number.to_string().as_bytes());
    }
    outbox.send(&sender, &offload).unwrap();
    for number in 1_000..1_200 {
        assert_eq!(String::from_utf8(receive(&receiver).0).unwrap(), number.to_string());
    }
}

#[test]
fn bytes_that_are_not_utf_8_come_back_as_they_are() {
    let server = Running::start(PREFIX);
    let message = b"\xff\xfe\0\xd0";
    let reply = client::exchange(&mut server.connect(), message, &one_try()).unwrap();
    assert_eq!(reply, [PREFIX.as_bytes(), message].concat());
}

#[test]
fn a_reply_that_its_prefix_makes_too_long_is_lost_and_the_next_is_not() {
    let server = Running::start(PREFIX);
    let sockets = server.connect();
    sockets[0].send(&vec![b'x'; MAX_MESSAGE]).unwrap();
    sockets[0].send(b"next").unwrap();
    assert_eq!(receive(&sockets[0]).0, [PREFIX.as_bytes(), b"next"].concat());
}

#[test]
fn clients_that_are_gone_before_their_reply_do_not_stop_the_server() {
    let server = Running::start("");
    for _ in 0..100 {
        // The reply meets a closed port. Windows tells the server so, at its next receive.
        server.connect()[0].send(b"gone").unwrap();
    }
    assert_eq!(client::exchange(&mut server.connect(), b"next", &one_try()).unwrap(), b"next");
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_datagram() {
    let server = Running::start("");
    assert_eq!(client::exchange(&mut server.connect(), b"ready", &one_try()).unwrap(), b"ready");
    server.stop().unwrap();
}

#[test]
fn a_stop_ends_the_server_while_datagrams_keep_coming() {
    let server = Running::start("");
    let mut sockets = server.connect();
    assert_eq!(client::exchange(&mut sockets, b"ready", &one_try()).unwrap(), b"ready");
    let started = Instant::now();
    let (over, is_over) = mpsc::channel::<()>();
    let flood = thread::spawn(move || {
        // Ends when the test drops its end of the channel. Once the server has gone, each send
        // is refused.
        while is_over.try_recv() == Err(mpsc::TryRecvError::Empty) && started.elapsed() < GENEROUS {
            let _ = sockets[0].send(b"more");
        }
    });
    let stopped = server.stop();
    drop(over);
    flood.join().unwrap();
    stopped.unwrap();
    assert!(started.elapsed() < GENEROUS);
}

#[test]
fn a_client_asks_again_until_it_is_answered() {
    let (socket, address) = played_server();
    let lossy = thread::spawn(move || {
        for _ in 0..3 {
            assert_eq!(receive(&socket).0, b"is anybody there?");
        }
        let (message, peer) = receive(&socket);
        socket.send_to(&message, peer).unwrap();
    });
    let reply =
        client::exchange(&mut connect_to(address), b"is anybody there?", &patience(SHORT / 10, 12));
    assert_eq!(reply.unwrap(), b"is anybody there?");
    lossy.join().unwrap();
}

#[test]
fn a_client_waits_twice_as_long_at_each_try_and_then_gives_up() {
    let (silent, address) = played_server();
    let started = Instant::now();
    let error =
        client::exchange(&mut connect_to(address), b"hello", &patience(SHORT, 3)).unwrap_err();
    assert_eq!(
        (error.kind(), error.to_string().as_str()),
        (ErrorKind::TimedOut, "timed out at try 3")
    );
    let took = started.elapsed();
    assert!(took >= SHORT * (1 + 2 + 4) && took < GENEROUS, "{took:?}");
    for _ in 0..3 {
        assert_eq!(receive(&silent).0, b"hello");
    }
    silent.set_nonblocking(true).unwrap();
    assert_eq!(silent.recv(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
}

#[test]
fn a_reply_from_a_stranger_is_not_taken() {
    let (socket, address) = played_server();
    let (stranger, _) = played_server();
    let server = thread::spawn(move || {
        let (_, peer) = receive(&socket);
        stranger.send_to(b"forged hello", peer).unwrap();
        socket.send_to(b"true hello", peer).unwrap();
    });
    let reply = client::exchange(&mut connect_to(address), b"hello", &one_try()).unwrap();
    assert_eq!(reply, b"true hello");
    server.join().unwrap();
}

#[test]
fn replies_to_something_else_cannot_stretch_the_wait() {
    let (socket, address) = played_server();
    let mut sockets = connect_to(address);
    let started = Instant::now();
    let (over, is_over) = mpsc::channel::<()>();
    let wrong = thread::spawn(move || {
        let (_, peer) = receive(&socket);
        // The pause is the fault itself: a datagram now and then would renew a timeout that
        // each receive has anew.
        let pause = || is_over.recv_timeout(SHORT / 10) == Err(mpsc::RecvTimeoutError::Timeout);
        while pause() && started.elapsed() < GENEROUS {
            let _ = socket.send_to(b"something else", peer);
        }
    });
    let error = client::exchange(&mut sockets, b"hello", &patience(SHORT, 2)).unwrap_err();
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
    assert!(client::exchange(&mut sockets, b"one", &patience(SHORT, 1)).is_err());
    let server = thread::spawn(move || {
        let (one, _) = receive(&socket);
        let (two, peer) = receive(&socket);
        socket.send_to(&one, peer).unwrap();
        socket.send_to(&two, peer).unwrap();
    });
    assert_eq!(client::exchange(&mut sockets, b"two", &one_try()).unwrap(), b"two");
    server.join().unwrap();
}

#[test]
fn a_late_reply_that_is_there_before_the_next_message_is_thrown_away() {
    let (socket, address) = played_server();
    let mut sockets = connect_to(address);
    // The late reply ends with the next message, so that nothing else would keep it from
    // being taken.
    assert!(client::exchange(&mut sockets, b"say hello", &patience(SHORT, 1)).is_err());
    let (late, peer) = receive(&socket);
    socket.send_to(&late, peer).unwrap();
    // A look that takes nothing: on loopback, too, the system may deliver when it likes.
    sockets[0].set_read_timeout(Some(GENEROUS)).unwrap();
    sockets[0].peek(&mut vec![0; BUFFER]).unwrap();
    let server = thread::spawn(move || {
        let (_, peer) = receive(&socket);
        socket.send_to(b"> hello", peer).unwrap();
    });
    assert_eq!(client::exchange(&mut sockets, b"hello", &one_try()).unwrap(), b"> hello");
    server.join().unwrap();
}

#[test]
fn nobody_listening_is_told_at_once() {
    let started = Instant::now();
    let error = client::exchange(&mut connect_to(nobody()), b"hello", &one_try()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(started.elapsed() < GENEROUS);
}

#[test]
fn a_reply_that_has_come_is_not_lost_to_the_refusal_of_a_later_try() {
    for refused_before_the_try in [false, true] {
        let (socket, address) = played_server();
        let mut sockets = connect_to(address);
        let same = sockets[0].try_clone().unwrap();
        between_tries(move || {
            let (message, peer) = receive(&socket);
            socket.send_to(&message, peer).unwrap();
            drop(socket);
            // A look that takes nothing: the reply is there.
            same.set_read_timeout(Some(GENEROUS)).unwrap();
            same.peek(&mut vec![0; BUFFER]).unwrap();
            if refused_before_the_try {
                same.send(b"refused").unwrap();
            }
        });
        let reply = client::exchange(&mut sockets, b"hello", &patience(SHORT, 2));
        assert_eq!(reply.unwrap(), b"hello");
    }
}

#[test]
fn the_second_address_is_asked_when_nobody_listens_on_the_first_and_asked_first_from_then_on() {
    let server = Running::start("");
    let mut sockets = connect_to(nobody());
    sockets.extend(server.connect());
    assert_eq!(client::exchange(&mut sockets, b"hello", &one_try()).unwrap(), b"hello");
    assert_eq!(sockets[0].peer_addr().unwrap(), server.address);
}

#[test]
fn a_message_longer_than_a_datagram_is_refused_before_it_is_sent() {
    let (socket, address) = played_server();
    let message = vec![b'x'; MAX_MESSAGE + 1];
    let error = client::exchange(&mut connect_to(address), &message, &one_try()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "65508 bytes are more than the 65507 of the largest datagram");
    socket.set_nonblocking(true).unwrap();
    assert_eq!(socket.recv(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
}
