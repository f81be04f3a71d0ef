//! Receiving datagrams until a stop, and waiting for a reply, over real sockets.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use netcore::ask::{ask_in_turn, await_reply, fits};
use netcore::datagrams::{BUFFER, Datagrams, answer_for};
use netcore::deadline::Deadline;
use netcore::listen;
use netcore::shutdown::{DRAIN, Shutdown};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(20);

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(200);

fn bound(host: &str) -> Option<(UdpSocket, SocketAddr)> {
    match listen::udp(host, 0) {
        Ok(socket) => {
            let address = socket.local_addr().unwrap();
            Some((socket, address))
        }
        Err(error) => {
            eprintln!("skipped, no {host} here: {error}");
            None
        }
    }
}

/// Two sockets that are connected to each other.
fn pair() -> (UdpSocket, UdpSocket) {
    let (one, other) = (bound("127.0.0.1").unwrap(), bound("127.0.0.1").unwrap());
    one.0.connect(other.1).unwrap();
    other.0.connect(one.1).unwrap();
    (one.0, other.0)
}

#[test]
fn a_stop_ends_a_blocked_receive_whatever_the_address() {
    // The last one is for broadcasts, to which nothing of ours can be sent.
    let hosts = ["127.0.0.1", "0.0.0.0", "::1", "::", "::ffff:127.0.0.1", "127.255.255.255"];
    for host in hosts.into_iter().take(if cfg!(target_os = "linux") { 6 } else { 5 }) {
        let Some((socket, _)) = bound(host) else { continue };
        let same = socket.try_clone().unwrap();
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let datagrams = Datagrams::new(socket, &shutdown).unwrap();
        let (end, ended) = mpsc::channel();
        thread::spawn(move || end.send(datagrams.receive(&mut [0; 64]).unwrap()));
        shutdown.stop();
        assert_eq!(ended.recv_timeout(GENEROUS).expect(host), None, "{host}");
        // That one may have seen the stop before it began to wait. This one waits.
        same.set_read_timeout(Some(GENEROUS)).unwrap();
        assert_eq!(same.recv(&mut [0; 64]).expect(host), 0, "{host}");
    }
}

#[test]
fn a_stop_ends_the_receive_of_each_thread() {
    let shutdown = Shutdown::new(DRAIN).unwrap();
    let datagrams = Arc::new(Datagrams::new(bound("127.0.0.1").unwrap().0, &shutdown).unwrap());
    let (end, ended) = mpsc::channel();
    for _ in 0..4 {
        let (datagrams, end) = (datagrams.clone(), end.clone());
        thread::spawn(move || end.send(datagrams.receive(&mut [0; 64]).unwrap()));
    }
    shutdown.stop();
    for _ in 0..4 {
        assert_eq!(ended.recv_timeout(GENEROUS).unwrap(), None);
    }
}

#[test]
fn a_stop_that_came_before_the_socket_ends_its_receive_too() {
    let shutdown = Shutdown::new(DRAIN).unwrap();
    shutdown.stop();
    let datagrams = Datagrams::new(bound("127.0.0.1").unwrap().0, &shutdown).unwrap();
    assert_eq!(datagrams.receive(&mut [0; 64]).unwrap(), None);
}

#[test]
fn a_datagram_of_no_bytes_is_one_and_no_stop() {
    let (socket, address) = bound("127.0.0.1").unwrap();
    let datagrams = Datagrams::new(socket, &Shutdown::new(DRAIN).unwrap()).unwrap();
    let (peer, from) = bound("127.0.0.1").unwrap();
    for message in [&b""[..], b"more", b""] {
        peer.send_to(message, address).unwrap();
        assert_eq!(datagrams.receive(&mut [0; 64]).unwrap(), Some((message.len(), from)));
    }
}

#[test]
fn a_datagram_that_was_cut_is_dropped_and_the_next_is_not() {
    let (socket, address) = bound("127.0.0.1").unwrap();
    let datagrams = Datagrams::new(socket, &Shutdown::new(DRAIN).unwrap()).unwrap();
    let (peer, from) = bound("127.0.0.1").unwrap();
    peer.send_to(&[1; 100], address).unwrap();
    peer.send_to(&[2; 63], address).unwrap();
    assert_eq!(datagrams.receive(&mut [0; 64]).unwrap(), Some((63, from)));
}

#[test]
fn a_datagram_that_cannot_be_sent_is_lost_and_the_next_is_not() {
    let datagrams =
        Datagrams::new(bound("127.0.0.1").unwrap().0, &Shutdown::new(DRAIN).unwrap()).unwrap();
    let (peer, address) = bound("127.0.0.1").unwrap();
    peer.set_read_timeout(Some(GENEROUS)).unwrap();
    datagrams.send(&vec![0; BUFFER], address);
    datagrams.send(b"to nobody", "127.0.0.1:0".parse().unwrap());
    datagrams.send(b"next", address);
    let mut buf = [0; 64];
    let n = peer.recv(&mut buf).unwrap();
    assert_eq!(&buf[..n], b"next");
}

#[test]
fn the_reply_is_awaited_and_what_is_none_is_passed_over() {
    let (here, there) = pair();
    there.send(b"something else").unwrap();
    there.send(b"the reply").unwrap();
    let is_reply = |datagram: &[u8]| datagram.starts_with(b"the");
    assert_eq!(await_reply(&here, Deadline::after(GENEROUS), is_reply).unwrap(), b"the reply");
}

#[test]
fn what_is_no_reply_cannot_stretch_the_wait() {
    let (here, there) = pair();
    let (over, is_over) = mpsc::channel::<()>();
    let started = Instant::now();
    let noise = thread::spawn(move || {
        // The pause is the fault itself: a datagram now and then.
        while is_over.recv_timeout(SHORT / 10) == Err(mpsc::RecvTimeoutError::Timeout) {
            let _ = there.send(b"noise");
        }
    });
    let error = await_reply(&here, Deadline::after(SHORT), |_| false).unwrap_err();
    let took = started.elapsed();
    drop(over);
    noise.join().unwrap();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(took >= SHORT && took < GENEROUS, "{took:?}");
}

#[test]
fn a_refusal_is_told_at_once_unless_the_reply_waits_behind_it() {
    for answered in [true, false] {
        let (here, there) = pair();
        if answered {
            there.send(b"reply").unwrap();
        }
        drop(there);
        here.send(b"is anybody there?").unwrap();
        let started = Instant::now();
        let reply = await_reply(&here, Deadline::after(GENEROUS), |_| true);
        match answered {
            true => assert_eq!(reply.unwrap(), b"reply"),
            false => assert_eq!(reply.unwrap_err().kind(), ErrorKind::ConnectionRefused),
        }
        assert!(started.elapsed() < GENEROUS);
    }
}

#[test]
fn another_address_is_asked_where_nobody_listens_and_not_after_silence() {
    let (mut sockets, mut asked) = (vec![pair().0, pair().0], Vec::new());
    let second = sockets[1].local_addr().unwrap();
    let kinds = [ErrorKind::ConnectionRefused, ErrorKind::TimedOut];
    let error = ask_in_turn::<()>(&mut sockets, |socket| {
        asked.push(socket.local_addr().unwrap());
        Err(kinds[asked.len() - 1].into())
    });
    assert_eq!(error.unwrap_err().kind(), ErrorKind::TimedOut);
    assert_eq!(asked.len(), 2);
    // The one that did not refuse is the first to be asked now.
    let first = ask_in_turn(&mut sockets, |socket| socket.local_addr()).unwrap();
    assert_eq!(first, second);
}

#[test]
fn what_does_not_fit_into_a_datagram_is_refused_with_both_numbers() {
    fits(&[0; 5], 5).unwrap();
    let error = fits(&[0; 6], 5).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(error.to_string(), "6 bytes are more than the 5 of the largest message");
}

#[test]
fn an_answer_that_panics_is_none_and_the_next_is_one() {
    let peer = bound("127.0.0.1").unwrap().1;
    let answers = |question: u8| answer_for(peer, || (question != 0).then(|| 100 / (question - 1)));
    assert_eq!((answers(0), answers(1), answers(3)), (None, None, Some(50)));
}
