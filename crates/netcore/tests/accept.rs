//! What an accept survives and what ends it, and what is told of a visit.

use std::io::{Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::sync::{Mutex, Once};
use std::thread;
use std::time::{Duration, Instant};

use netcore::accept::Acceptor;
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::visit::visit;

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(200);

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(20);

fn acceptor() -> (Acceptor, SocketAddr, Shutdown) {
    let shutdown = Shutdown::new(DRAIN).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (Acceptor::new(listener, &shutdown).unwrap(), address, shutdown)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream
}

#[test]
fn nobody_who_comes_in_time_ends_it_as_a_stop_does() {
    let (acceptor, _, shutdown) = acceptor();
    let acceptor = acceptor.give_up_after(Some(SHORT));
    let started = Instant::now();
    assert!(acceptor.accept().unwrap().is_none());
    assert!(started.elapsed() >= SHORT && started.elapsed() < GENEROUS);
    assert!(!shutdown.is_stopping());
}

#[test]
fn a_client_that_comes_in_time_is_served() {
    let (acceptor, address, _shutdown) = acceptor();
    let acceptor = acceptor.give_up_after(Some(GENEROUS));
    let client = connect(address);
    let (_, peer) = acceptor.accept().unwrap().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

#[test]
fn at_the_bound_the_next_client_waits_until_a_connection_is_dropped() {
    let (acceptor, address, _shutdown) = acceptor();
    let acceptor = acceptor.at_most(1);
    let (_one, _two) = (connect(address), connect(address));
    let (first, _) = acceptor.accept().unwrap().unwrap();
    thread::scope(|scope| {
        let (accepted, second) = mpsc::channel();
        scope.spawn(move || accepted.send(acceptor.accept().unwrap().is_some()));
        assert!(second.recv_timeout(SHORT).is_err());
        drop(first);
        assert!(second.recv_timeout(GENEROUS).unwrap());
    });
}

#[test]
fn a_stop_ends_the_wait_at_the_bound() {
    let (acceptor, address, shutdown) = acceptor();
    let acceptor = acceptor.at_most(1);
    let _client = connect(address);
    let _first = acceptor.accept().unwrap().unwrap();
    thread::scope(|scope| {
        let waiting = scope.spawn(|| acceptor.accept().unwrap().is_none());
        shutdown.stop();
        assert!(waiting.join().unwrap());
    });
}

#[test]
fn a_stop_ends_every_thread_that_accepts() {
    let (acceptor, _, shutdown) = acceptor();
    thread::scope(|scope| {
        let accepts = || acceptor.accept().unwrap().is_none();
        let waiting: Vec<_> = (0..8).map(|_| scope.spawn(accepts)).collect();
        shutdown.stop();
        assert!(waiting.into_iter().all(|waits| waits.join().unwrap()));
    });
}

#[test]
fn a_stop_comes_before_the_clients_that_wait_and_refuses_the_others() {
    let (acceptor, address, shutdown) = acceptor();
    let mut waiting = connect(address);
    // Nobody accepts at this moment: the listener is closed all the same.
    shutdown.stop();
    let refused = TcpStream::connect_timeout(&address, GENEROUS).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    assert!(acceptor.accept().unwrap().is_none());
    // Hung up on, by whichever way.
    assert!(!matches!(waiting.read(&mut [0; 1]), Ok(1)));
}

/// What was logged, of every test here.
struct Log(Mutex<Vec<String>>);

static LOG: Log = Log(Mutex::new(Vec::new()));

impl log::Log for Log {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let level = record.level().as_str().to_lowercase();
        self.0.lock().unwrap().push(format!("{level} {}", record.args()));
    }

    fn flush(&self) {}
}

/// What the log tells of the visit of one client, which ends as `end` does.
fn told(shutdown: &Shutdown, end: impl FnOnce() -> std::io::Result<()>) -> Vec<String> {
    static START: Once = Once::new();
    START.call_once(|| {
        log::set_logger(&LOG).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let acceptor = Acceptor::new(listener.try_clone().unwrap(), shutdown).unwrap();
    let mut client = connect(listener.local_addr().unwrap());
    let (connection, peer) = acceptor.accept().unwrap().unwrap();
    client.write_all(b"?").unwrap();
    visit(connection, peer, |connection| {
        connection.read_exact(&mut [0; 1])?;
        end()?;
        connection.read(&mut [0; 1]).map(drop)
    });
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0, "the connection is closed in any case");
    let (peer, log) = (format!("{peer} "), LOG.0.lock().unwrap());
    let lines = log.iter().filter(|line| line.contains(&peer));
    lines.map(|line| line.replace(&peer, "")).collect()
}

#[test]
fn each_end_of_a_visit_is_told_and_a_panic_is_one_of_them() {
    let shutdown = Shutdown::new(DRAIN).unwrap();
    let told = |end: fn() -> std::io::Result<()>| told(&shutdown, end).join(", ");
    assert_eq!(
        told(|| Err(Error::other("no\nmore"))),
        "info connected, warn dropped: no\nmore",
        "it is the log that makes it harmless"
    );
    assert_eq!(told(|| Err(ErrorKind::TimedOut.into())), "info connected, warn dropped: timed out");
    assert_eq!(
        told(|| panic!("a bug: this line is expected")),
        "info connected, warn dropped: its visit panicked"
    );
}

#[test]
fn a_visit_that_a_stop_ends_is_told_from_one_that_the_client_ends() {
    let shutdown = Shutdown::new(DRAIN).unwrap();
    let handle = shutdown.clone();
    let lines = told(&shutdown, move || {
        handle.stop();
        Ok(())
    });
    assert_eq!(lines.join(", "), "info connected, info closed, because the server stops");
}
