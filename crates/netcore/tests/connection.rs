//! Deadlines, a stop and a close in stages, over TCP and over UNIX sockets.

use std::io::{ErrorKind, Read, Result, Write};
use std::iter;
use std::net::{Shutdown as Side, TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use netcore::connection::{Connection, LINGER, Socket};
use netcore::deadline::Deadline;
use netcore::shutdown::{DRAIN, Shutdown};

/// Short beside [`GENEROUS`], so that a deadline which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(200);

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(20);

/// Two ends of one connection.
type Pair<S> = fn() -> (S, S);

macro_rules! over_both_families {
    ($($promise:ident),+ $(,)?) => {
        mod tcp {
            $(#[test] fn $promise() { super::$promise(super::tcp); })+
        }
        #[cfg(unix)]
        mod unix {
            $(#[test] fn $promise() { super::$promise(super::unix_pair); })+
        }
    };
}

over_both_families! {
    a_peer_that_sends_nothing_meets_the_deadline,
    a_peer_that_drips_bytes_cannot_stretch_the_deadline,
    a_peer_that_never_reads_meets_the_deadline,
    a_peer_that_takes_little_at_a_time_cannot_stretch_the_deadline,
    a_peer_that_takes_nothing_meets_the_patience_long_before_the_deadline,
    a_deadline_that_has_passed_ends_every_call,
    a_later_deadline_takes_the_place_of_the_first,
    the_end_of_the_peer_is_no_end_by_a_stop,
    a_stop_ends_a_read_that_waits,
    a_peer_that_answers_at_once_does_not_hold_up_a_stop,
    a_stop_ends_no_read_before_everything_that_has_arrived_is_read,
    what_is_sent_after_a_stop_arrives,
    a_peer_that_never_reads_is_waited_for_after_a_stop_until_the_drain_limit,
    a_connection_that_comes_after_a_stop_ends_at_once,
    a_close_with_something_unread_loses_nothing_that_was_sent,
    a_peer_that_is_silent_and_has_everything_is_not_waited_for,
    a_peer_that_nobody_has_served_is_not_waited_for,
    a_peer_that_is_answered_before_its_end_may_send_the_rest,
    a_stop_ends_the_wait_for_the_rest_at_its_drain_limit,
    a_peer_that_sends_for_ever_is_not_waited_for_for_ever,
}

fn tcp() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (client, listener.accept().unwrap().0)
}

#[cfg(unix)]
fn unix_pair() -> (std::os::unix::net::UnixStream, std::os::unix::net::UnixStream) {
    std::os::unix::net::UnixStream::pair().unwrap()
}

/// The client's end, which no test waits for too long, and the server's.
fn connect<S: Socket>(pair: Pair<S>, shutdown: &Shutdown) -> (Connection<S>, Connection<S>) {
    let (client, server) = pair();
    let mut client = Connection::of_client(client).unwrap();
    client.set_deadline(Deadline::after(GENEROUS));
    (client, Connection::new(server, shutdown).unwrap())
}

fn shutdown() -> Shutdown {
    Shutdown::new(DRAIN).unwrap()
}

/// Writes until that fails.
fn fill<S: Socket>(connection: &mut Connection<S>) -> Result<()> {
    iter::repeat_with(|| connection.write_all(&[0; 64 << 10])).find(Result::is_err).unwrap()
}

#[track_caller]
fn assert_timed_out(result: Result<()>, started: Instant) {
    assert_eq!(result.unwrap_err().kind(), ErrorKind::TimedOut);
    let took = started.elapsed();
    assert!(took >= SHORT && took < GENEROUS, "{took:?}");
}

fn a_peer_that_sends_nothing_meets_the_deadline<S: Socket>(pair: Pair<S>) {
    let (_silent, mut server) = connect(pair, &shutdown());
    let started = Instant::now();
    server.set_deadline(Deadline::after(SHORT));
    assert_timed_out(server.read_exact(&mut [0; 1]), started);
}

fn a_peer_that_drips_bytes_cannot_stretch_the_deadline<S: Socket + 'static>(pair: Pair<S>) {
    let (mut dripping, mut server) = connect(pair, &shutdown());
    thread::spawn(move || {
        // Ends when the other side has closed. A byte every 20 ms would renew a timeout of 200
        // ms for ever.
        while dripping.write_all(b".").is_ok() {
            thread::sleep(SHORT / 10);
        }
    });
    let started = Instant::now();
    server.set_deadline(Deadline::after(SHORT));
    assert_timed_out(server.read_exact(&mut vec![0; 1 << 20]), started);
}

fn a_peer_that_never_reads_meets_the_deadline<S: Socket>(pair: Pair<S>) {
    let (_deaf, mut server) = connect(pair, &shutdown());
    let started = Instant::now();
    server.set_deadline(Deadline::after(SHORT));
    assert_timed_out(fill(&mut server), started);
}

fn a_peer_that_takes_little_at_a_time_cannot_stretch_the_deadline<S: Socket + 'static>(
    pair: Pair<S>,
) {
    let (mut slow, mut server) = connect(pair, &shutdown());
    thread::spawn(move || {
        // All of it would take two seconds, and each part is taken sooner than a call that waits
        // gives up by itself.
        while slow.read(&mut [0; 64 << 10]).is_ok_and(|n| n > 0) {
            thread::sleep(SHORT / 100);
        }
    });
    let started = Instant::now();
    server.set_deadline(Deadline::after(SHORT));
    assert_timed_out(server.write_all(&vec![0; 64 << 20]), started);
}

/// One wait, whichever way.
fn a_peer_that_takes_nothing_meets_the_patience_long_before_the_deadline<S: Socket>(pair: Pair<S>) {
    let (_deaf, mut server) = connect(pair, &shutdown());
    server.set_limits(Deadline::after(GENEROUS * 2), SHORT);
    let started = Instant::now();
    assert_timed_out(fill(&mut server), started);
    let started = Instant::now();
    assert_timed_out(server.read_exact(&mut [0; 1]), started);
}

fn a_deadline_that_has_passed_ends_every_call<S: Socket>(pair: Pair<S>) {
    let (mut client, mut server) = connect(pair, &shutdown());
    client.write_all(b"here").unwrap();
    server.set_deadline(Deadline::after(Duration::ZERO));
    assert_eq!(server.read(&mut [0; 4]).unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(server.write(b"x").unwrap_err().kind(), ErrorKind::TimedOut);
}

fn a_later_deadline_takes_the_place_of_the_first<S: Socket>(pair: Pair<S>) {
    let (mut client, mut server) = connect(pair, &shutdown());
    server.set_deadline(Deadline::after(SHORT));
    assert!(server.read(&mut [0; 1]).is_err());
    server.set_deadline(Deadline::NEVER);
    client.write_all(b"!").unwrap();
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 1);
}

fn the_end_of_the_peer_is_no_end_by_a_stop<S: Socket>(pair: Pair<S>) {
    let (client, mut server) = connect(pair, &shutdown());
    drop(client);
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
    assert!(!server.ended_by_stop());
}

fn a_stop_ends_a_read_that_waits<S: Socket>(pair: Pair<S>) {
    let shutdown = shutdown();
    let (mut client, mut server) = connect(pair, &shutdown);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Known to be in the second read when its answer to the first is there, or soon.
            server.read_exact(&mut [0; 1]).unwrap();
            server.write_all(b"!").unwrap();
            assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
            assert!(server.ended_by_stop());
        });
        client.write_all(b"?").unwrap();
        client.read_exact(&mut [0; 1]).unwrap();
        shutdown.stop();
    });
}

/// Its next byte is always sooner than a read gives up.
fn a_peer_that_answers_at_once_does_not_hold_up_a_stop<S: Socket>(pair: Pair<S>) {
    let shutdown = Shutdown::new(GENEROUS).unwrap();
    let (mut client, mut server) = connect(pair, &shutdown);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut byte = [0; 1];
            while server.read(&mut byte).unwrap() > 0 {
                server.write_all(&byte).unwrap();
            }
            assert!(server.ended_by_stop());
            drop(server);
        });
        for turn in 0.. {
            if turn == 100 {
                shutdown.stop();
            }
            let answered = client.write_all(b"?").and_then(|()| client.read(&mut [0; 1]));
            if !answered.is_ok_and(|n| n > 0) {
                assert!(turn >= 100, "{turn}");
                break;
            }
        }
    });
}

fn a_stop_ends_no_read_before_everything_that_has_arrived_is_read<S: Socket>(pair: Pair<S>) {
    let shutdown = shutdown();
    let (mut client, mut server) = connect(pair, &shutdown);
    client.write_all(b"abc").unwrap();
    shutdown.stop();
    let mut byte = [0; 1];
    for sent in b"abc" {
        assert_eq!((server.read(&mut byte).unwrap(), byte[0]), (1, *sent));
    }
    assert_eq!(server.read(&mut byte).unwrap(), 0);
}

fn what_is_sent_after_a_stop_arrives<S: Socket>(pair: Pair<S>) {
    const MUCH: usize = 8 << 20;
    let shutdown = Shutdown::new(GENEROUS).unwrap();
    let (mut client, mut server) = connect(pair, &shutdown);
    shutdown.stop();
    thread::scope(|scope| {
        // More than the buffers hold: it waits for room although a stop has begun.
        scope.spawn(|| server.write_all(&vec![b'x'; MUCH]).unwrap());
        client.read_exact(&mut vec![0; MUCH]).unwrap();
    });
}

fn a_peer_that_never_reads_is_waited_for_after_a_stop_until_the_drain_limit<S: Socket>(
    pair: Pair<S>,
) {
    let shutdown = Shutdown::new(SHORT).unwrap();
    let (_deaf, mut server) = connect(pair, &shutdown);
    server.set_deadline(Deadline::after(GENEROUS * 2));
    let started = Instant::now();
    shutdown.stop();
    assert_timed_out(fill(&mut server), started);
}

fn a_connection_that_comes_after_a_stop_ends_at_once<S: Socket>(pair: Pair<S>) {
    // Beyond the generous deadline of the client.
    let shutdown = Shutdown::new(GENEROUS * 30).unwrap();
    shutdown.stop();
    let (mut client, mut server) = connect(pair, &shutdown);
    assert_eq!(server.read(&mut [0; 1]).unwrap(), 0);
    drop(server);
    assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
}

fn a_close_with_something_unread_loses_nothing_that_was_sent<S: Socket>(pair: Pair<S>) {
    const REPLY: usize = 100_000;
    let (mut client, mut server) = connect(pair, &shutdown());
    // Nobody reads this: a close at once would be a reset.
    client.write_all(&[b'?'; 10_000]).unwrap();
    server.write_all(&[b'!'; REPLY]).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| server.close());
        let mut reply = Vec::new();
        client.read_to_end(&mut reply).unwrap();
        assert!(reply == [b'!'; REPLY]);
        client.get_ref().shutdown(Side::Both).unwrap();
    });
}

fn a_peer_that_is_silent_and_has_everything_is_not_waited_for<S: Socket>(pair: Pair<S>) {
    let (mut client, mut server) = connect(pair, &shutdown());
    server.write_all(b"!").unwrap();
    client.read_exact(&mut [0; 1]).unwrap();
    let started = Instant::now();
    server.close();
    assert!(started.elapsed() < LINGER);
}

/// A rung that asks the socket itself need never wait.
#[test]
fn what_was_sent_without_a_wait_is_lost_at_the_end_no_more_than_anything_else() {
    let (mut client, mut server) = connect(tcp, &shutdown());
    client.write_all(b"unread").unwrap();
    server.set_deadline(Deadline::after(GENEROUS));
    let mut socket = server.get_ref();
    socket.write_all(b"reply").unwrap();
    let closing = thread::spawn(move || drop(server));
    let mut all = Vec::new();
    client.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"reply");
    drop(client);
    closing.join().unwrap();
}

/// As where there is no thread for it: who accepts the next ones must not wait for this
/// one.
fn a_peer_that_nobody_has_served_is_not_waited_for<S: Socket>(pair: Pair<S>) {
    let (mut client, server) = connect(pair, &shutdown());
    client.write_all(b"hello").unwrap();
    let started = Instant::now();
    drop(server);
    assert!(started.elapsed() < LINGER, "{:?}", started.elapsed());
    // The end of the stream or a reset: it knows.
    assert!(!matches!(client.read(&mut [0; 1]), Ok(1..)));
}

fn a_peer_that_is_answered_before_its_end_may_send_the_rest<S: Socket>(pair: Pair<S>) {
    let (mut client, mut server) = connect(pair, &shutdown());
    client.write_all(b"?").unwrap();
    server.read_exact(&mut [0; 1]).unwrap();
    server.write_all(b"!").unwrap();
    thread::scope(|scope| {
        scope.spawn(|| server.close());
        // The reply and the end, and only then the rest of the request.
        client.read_to_end(&mut Vec::new()).unwrap();
        let sent = (0..1000).try_for_each(|_| client.write_all(b"."));
        client.get_ref().shutdown(Side::Both).unwrap();
        sent.unwrap();
    });
}

fn a_stop_ends_the_wait_for_the_rest_at_its_drain_limit<S: Socket>(pair: Pair<S>) {
    let shutdown = Shutdown::new(Duration::from_millis(1)).unwrap();
    let (mut client, mut server) = connect(pair, &shutdown);
    client.write_all(b"?").unwrap();
    server.read_exact(&mut [0; 1]).unwrap();
    let started = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| server.close());
        client.read_to_end(&mut Vec::new()).unwrap();
        shutdown.stop();
    });
    assert!(started.elapsed() < LINGER);
}

fn a_peer_that_sends_for_ever_is_not_waited_for_for_ever<S: Socket + 'static>(pair: Pair<S>) {
    let (mut client, server) = connect(pair, &shutdown());
    client.write_all(b"?").unwrap();
    let sending = thread::spawn(move || fill(&mut client));
    let started = Instant::now();
    server.close();
    assert!(started.elapsed() < GENEROUS);
    assert!(sending.join().unwrap().is_err());
}
