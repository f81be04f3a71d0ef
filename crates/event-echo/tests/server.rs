//! The server in the test's own process, on a port of its own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use netcore::deadline::is_socket_timeout;
use netcore::listen;
use netcore::shutdown::{DRAIN, Shutdown};
use poll_echo::{Options, client, server};
use socket2::SockRef;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Beyond [`GENEROUS`], so that a server which waits for its own limit is told from one
/// that ends at once.
const FAR: Duration = Duration::from_secs(600);

/// Limits that no test comes near unless it sets its own.
const OPTIONS: Options =
    Options { upper: false, idle: FAR, total: FAR, max_clients: 8, drain: DRAIN };

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(300);

/// Bytes of replies that a server can leave to the system: far fewer than a client can
/// send ahead.
const LITTLE_ROOM: usize = 4 << 10;

/// A server that is told to stop and waited for on every way out of a test.
struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    fn start(options: Options) -> Running {
        Running::start_on(listen::tcp("127.0.0.1", 0).unwrap(), options)
    }

    /// With a client that writes and never reads, until the server can do nothing but
    /// wait for it to read.
    fn start_stuck(options: Options) -> (Running, TcpStream) {
        let listener = listen::tcp("127.0.0.1", 0).unwrap();
        // Its connections have this as well, and a size that was asked for is never made larger
        // by the system. In a large buffer, a server that the stop wakes may find room
        // for all that has come, and be done.
        SockRef::from(&listener).set_send_buffer_size(LITTLE_ROOM).unwrap();
        let server = Running::start_on(listener, options);
        let mut deaf = server.connect();
        deaf.set_write_timeout(Some(SHORT)).unwrap();
        while deaf.write_all(&[b'x'; 64 << 10]).is_ok() {}
        (server, deaf)
    }

    fn start_on(listener: TcpListener, options: Options) -> Running {
        let shutdown = Shutdown::new(options.drain).unwrap();
        let address = listener.local_addr().unwrap();
        let handle = shutdown.clone();
        let thread = Some(thread::spawn(move || server::serve(listener, &options, &handle)));
        Running { address, shutdown, thread }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        stream
    }

    fn stop(mut self) -> io::Result<()> {
        self.shutdown.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the server answers without options: an echo. Whoever changes `reply` in the
/// server changes this with it.
fn answer(message: &[u8]) -> Vec<u8> {
    message.to_vec()
}

#[test]
fn several_messages_on_one_connection_each_get_their_reply() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    for message in ["hello", "", "Привет, сервер!"] {
        assert_eq!(
            client::exchange(&stream, message.as_bytes()).unwrap(),
            answer(message.as_bytes())
        );
    }
}

#[test]
fn upper_case_leaves_everything_but_ascii_letters_as_it_was() {
    let server = Running::start(Options { upper: true, ..OPTIONS });
    let reply = client::exchange(&server.connect(), "hello, мир!".as_bytes()).unwrap();
    assert_eq!(String::from_utf8(reply).unwrap(), "HELLO, мир!");
}

#[test]
fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole() {
    let server = Running::start(OPTIONS);
    let message: Vec<u8> = (0..32 << 20).map(|i: u32| (i / 251) as u8).collect();
    assert!(client::exchange(&server.connect(), &message).unwrap() == answer(&message));
}

#[test]
fn a_client_that_half_closes_gets_every_byte_and_then_the_end_of_the_stream() {
    let server = Running::start(OPTIONS);
    let mut stream = server.connect();
    stream.write_all(b"last words").unwrap();
    stream.shutdown(Side::Write).unwrap();
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, answer(b"last words"));
}

#[test]
fn a_client_that_hangs_up_midway_does_not_stop_the_server() {
    let server = Running::start(OPTIONS);
    let mut rude = server.connect();
    rude.write_all(b"half a mess").unwrap();
    // Closing becomes a reset: the server's next read or write fails.
    SockRef::from(&rude).set_linger(Some(Duration::ZERO)).unwrap();
    drop(rude);
    assert_eq!(client::exchange(&server.connect(), b"next").unwrap(), answer(b"next"));
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_client() {
    let server = Running::start(OPTIONS);
    server.stop().unwrap();
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_message() {
    let server = Running::start(OPTIONS);
    let mut stream = server.connect();
    // After one exchange the server is known to be in this connection.
    assert_eq!(client::exchange(&stream, b"in hand").unwrap(), answer(b"in hand"));
    let address = server.address;
    server.stop().unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_silent_client_is_dropped_and_the_next_one_served() {
    let server = Running::start(Options { idle: SHORT, ..OPTIONS });
    let mut silent = server.connect();
    assert_eq!(client::exchange(&server.connect(), b"next").unwrap(), answer(b"next"));
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn the_longest_limits_are_as_good_as_none() {
    let longest = Duration::MAX;
    let server =
        Running::start(Options { idle: longest, total: longest, drain: longest, ..OPTIONS });
    assert_eq!(client::exchange(&server.connect(), b"hello").unwrap(), answer(b"hello"));
    server.stop().unwrap();
}

#[test]
fn a_client_that_drips_within_the_idle_limit_is_dropped_at_the_total_one() {
    let server = Running::start(Options { total: SHORT, ..OPTIONS });
    let dripping = server.connect();
    let started = Instant::now();
    // The pause is the fault itself: a byte now and then. It ends when the server has
    // closed the connection.
    while client::exchange(&dripping, b".").is_ok() {
        assert!(started.elapsed() < GENEROUS);
        thread::sleep(SHORT / 10);
    }
    assert_eq!(client::exchange(&server.connect(), b"next").unwrap(), answer(b"next"));
}

#[test]
fn a_client_that_never_stops_talking_is_dropped_at_the_total_limit() {
    let server = Running::start(Options { total: SHORT, ..OPTIONS });
    let mut reader = server.connect();
    let mut writer = reader.try_clone().unwrap();
    let talking = thread::spawn(move || while writer.write_all(&[b'x'; 1 << 20]).is_ok() {});
    let started = Instant::now();
    // Ends when the server has closed the connection; until then there is always more to
    // read.
    let mut buf = vec![0; 1 << 20];
    while reader.read(&mut buf).is_ok_and(|n| n > 0) {
        assert!(started.elapsed() < GENEROUS);
    }
    talking.join().unwrap();
    assert_eq!(client::exchange(&server.connect(), b"next").unwrap(), answer(b"next"));
}

#[test]
fn a_client_that_never_reads_is_dropped() {
    let server = Running::start(Options { idle: SHORT, ..OPTIONS });
    let mut deaf = server.connect();
    deaf.set_write_timeout(Some(GENEROUS)).unwrap();
    // Ends when the server has closed the connection; until then its replies fill every
    // buffer on the way.
    let ended =
        std::iter::repeat_with(|| deaf.write_all(&[b'x'; 64 << 10])).find_map(Result::err).unwrap();
    assert!(!is_socket_timeout(&ended), "it was not dropped: {ended}");
    assert_eq!(client::exchange(&server.connect(), b"next").unwrap(), answer(b"next"));
}

#[test]
fn an_idle_client_keeps_nobody_waiting() {
    let server = Running::start(OPTIONS);
    let idle = server.connect();
    assert_eq!(client::exchange(&idle, b"first").unwrap(), answer(b"first"));
    assert_eq!(client::exchange(&server.connect(), b"second").unwrap(), answer(b"second"));
    assert_eq!(client::exchange(&idle, b"still here").unwrap(), answer(b"still here"));
}

#[test]
fn a_client_beyond_the_bound_is_served_when_another_leaves() {
    let server = Running::start(Options { max_clients: 1, ..OPTIONS });
    let first = server.connect();
    assert_eq!(client::exchange(&first, b"first").unwrap(), answer(b"first"));
    let mut second = server.connect();
    second.write_all(b"second").unwrap();
    second.set_read_timeout(Some(SHORT)).unwrap();
    let waiting = second.read(&mut [0; 1]).unwrap_err();
    assert!(matches!(waiting.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut));
    drop(first);
    second.set_read_timeout(Some(GENEROUS)).unwrap();
    let mut reply = [0; 6];
    second.read_exact(&mut reply).unwrap();
    assert_eq!(reply.as_slice(), answer(b"second"));
}

#[test]
fn a_client_that_half_closes_before_its_turn_gets_every_byte_and_then_the_end_of_the_stream() {
    let server = Running::start(Options { max_clients: 1, ..OPTIONS });
    let first = server.connect();
    assert_eq!(client::exchange(&first, b"first").unwrap(), answer(b"first"));
    // In the backlog: the server learns of the bytes and of their end at once.
    let mut second = server.connect();
    second.write_all(b"last words").unwrap();
    second.shutdown(Side::Write).unwrap();
    drop(first);
    let mut reply = Vec::new();
    second.read_to_end(&mut reply).unwrap();
    assert_eq!(reply, answer(b"last words"));
}

#[test]
fn a_stop_waits_for_the_work_in_hand_and_closes_it_at_the_drain_limit() {
    // At the bound, where a server that waited for a place would not see the stop.
    let (server, _deaf) =
        Running::start_stuck(Options { drain: SHORT, max_clients: 1, total: GENEROUS, ..OPTIONS });
    let asked = Instant::now();
    server.stop().unwrap();
    // Not when the limits of the visit ended it.
    assert!(asked.elapsed() >= SHORT && asked.elapsed() < GENEROUS / 2);
}

#[test]
fn new_clients_are_refused_while_a_stop_waits_for_the_work_in_hand() {
    // At the bound, where a server that waited for a place would go on listening.
    let (server, deaf) = Running::start_stuck(Options { drain: FAR, max_clients: 1, ..OPTIONS });
    server.shutdown.stop();
    let asked = Instant::now();
    loop {
        match TcpStream::connect_timeout(&server.address, GENEROUS) {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => break,
            _ => assert!(asked.elapsed() < GENEROUS, "the server still listens"),
        }
    }
    // Closing becomes a reset, which ends the write.
    SockRef::from(&deaf).set_linger(Some(Duration::ZERO)).unwrap();
    drop(deaf);
    server.stop().unwrap();
}
