//! Faults of UNIX sockets against a server in the test's own process.
#![cfg(unix)]

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
#[cfg(target_os = "linux")]
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

#[cfg(target_os = "linux")]
use netcore::deadline::Deadline;
#[cfg(target_os = "linux")]
use netcore::wait::{Interest, ready};
use netfault::proxy::{Fate, Network, Passed, Proxy, record};
use netfault::{Address, Speaks, Target};
use tempfile::TempDir;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// There, a close is a reset only where something has been left unread.
#[test]
fn a_client_that_breaks_off_resets_the_connection_of_a_file_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let fault = thread::spawn(move || {
        let target = Target::new(Address::Unix(path), Speaks::Local, b"hello");
        netfault::find("reset-midway").unwrap().start(&target).unwrap()
    });
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    let mut half = [0; 2];
    stream.read_exact(&mut half).unwrap();
    stream.write_all(&half).unwrap();
    drop(fault.join().unwrap());
    assert_eq!(stream.read(&mut half).unwrap_err().kind(), ErrorKind::ConnectionReset);
}

/// Nobody can have said anything to it by then, so there is nothing to leave unread.
#[test]
fn a_client_that_leaves_before_it_is_accepted_cannot_reset_and_so_there_is_no_such_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let _ = socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO));
    drop(client);
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
    let fault = netfault::find("reset-before-accept").unwrap();
    assert!(!fault.is_for(Speaks::Local) && fault.is_for(Speaks::Bytes));
}

/// A proxy from a file to a file, and both ends.
struct Connected {
    client: UnixStream,
    server: UnixStream,
    recorded: Receiver<Passed>,
    _proxy: Proxy,
    _folder: TempDir,
}

fn connected(network: &Network) -> Connected {
    let folder = tempfile::tempdir().unwrap();
    let [here, there] = ["here", "there"].map(|name| folder.path().join(name));
    let listener = UnixListener::bind(&there).unwrap();
    let (recorder, recorded) = record::recorder();
    let proxy = Proxy::streams(
        std::os::fd::OwnedFd::from(UnixListener::bind(&here).unwrap()),
        Address::Unix(there),
        network,
        Some(recorder),
    );
    let client = UnixStream::connect(&here).unwrap();
    let (server, _) = listener.accept().unwrap();
    for stream in [&client, &server] {
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
    }
    Connected { client, server, recorded, _proxy: proxy.unwrap(), _folder: folder }
}

fn late() -> Network {
    Network { delay: Duration::from_millis(20), ..Network::default() }
}

/// Only who has been told something can reset there, and so can the proxy.
#[test]
#[cfg(target_os = "linux")]
fn a_reset_passes_through_the_proxy_behind_all_that_was_sent() {
    let [yes, no] = [true, false];
    for (client_resets, half_closed) in [(yes, no), (no, no), (yes, yes), (no, yes)] {
        let ends = connected(&late());
        let (mut rude, mut other) = match client_resets {
            true => (ends.client, ends.server),
            false => (ends.server, ends.client),
        };
        other.write_all(b"what nobody reads").unwrap();
        if half_closed {
            other.shutdown(Shutdown::Write).unwrap();
        }
        ready(&rude, Interest::Reading, None, Deadline::after(GENEROUS)).unwrap();
        rude.write_all(b"half a mess").unwrap();
        drop(rude);
        let mut all = Vec::new();
        let error = other.read_to_end(&mut all).unwrap_err();
        assert_eq!((error.kind(), &all[..]), (ErrorKind::ConnectionReset, &b"half a mess"[..]));
        while ends.recorded.recv_timeout(GENEROUS).unwrap().fate != Fate::Reset {}
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_reset_cannot_reach_an_end_on_a_file_that_has_said_nothing_and_looks_like_an_end() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let server = UnixListener::bind(&path).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::streams(listener, Address::Unix(path), &late(), None).unwrap();
    for (said, reset) in [(&b"welcome"[..], true), (b"", false)] {
        let client = TcpStream::connect(proxy.address().inet().unwrap()).unwrap();
        let (mut stream, _) = server.accept().unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        stream.write_all(said).unwrap();
        (&client).read_exact(&mut vec![0; said.len()]).unwrap();
        socket2::SockRef::from(&client).set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        let kind = stream.read(&mut [0; 1]).map_err(|error| error.kind());
        assert_eq!(kind, if reset { Err(ErrorKind::ConnectionReset) } else { Ok(0) });
    }
}

#[test]
fn who_says_all_and_closes_at_once_is_heard_and_ends_well() {
    let mut ends = connected(&late());
    ends.client.write_all(b"all I have to say").unwrap();
    drop(ends.client);
    let mut all = Vec::new();
    ends.server.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"all I have to say");
}

#[test]
fn a_conversation_that_ends_well_ends_so_for_both() {
    let Connected { mut client, mut server, recorded, _proxy, _folder } =
        connected(&Network::default());
    for word in [&b"a"[..], b"question", b"!"] {
        client.write_all(word).unwrap();
        server.read_exact(&mut vec![0; word.len()]).unwrap();
        server.write_all(word).unwrap();
        client.read_exact(&mut vec![0; word.len()]).unwrap();
    }
    let message = netfault::random::Random::new(2).noise(1 << 20);
    thread::scope(|scope| {
        scope.spawn(|| {
            client.write_all(&message).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
        });
        let mut all = Vec::new();
        server.read_to_end(&mut all).unwrap();
        assert!(all == message);
    });
    server.write_all(b"an answer").unwrap();
    server.shutdown(Shutdown::Write).unwrap();
    let mut all = Vec::new();
    client.read_to_end(&mut all).unwrap();
    assert_eq!(all, b"an answer");
    // When the proxy has closed as well.
    drop(_proxy);
    for end in [&mut client, &mut server] {
        assert_eq!(end.read(&mut [0; 1]).unwrap(), 0);
    }
    let ends = recorded.iter().filter(|passed| passed.fate == Fate::Ended).count();
    assert_eq!(ends, 2);
}
