//! Each fault against a server in the test's own process.

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use netfault::{Running, Speaks};
use starting::{GENEROUS, HELLO, start};

mod starting;

/// Files that the tests beside one have open.
const BESIDE: usize = 300;

/// Whether this process may have so many files open, once the limit is raised, for a test of
/// `name`.
fn may_open(name: &str, files: usize) -> bool {
    let may = netfault::descriptors::allow_many() >= (files + BESIDE) as u64;
    if !may {
        println!("{name} is not tried: this process may not have {files} files open for it");
    }
    may
}

/// The fault's connection, accepted by a server that is the test itself.
fn accepted(name: &'static str) -> (TcpStream, JoinHandle<Running>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let fault = start(name, listener.local_addr().unwrap(), Speaks::Bytes);
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream.set_write_timeout(Some(GENEROUS)).unwrap();
    (stream, fault)
}

fn read(stream: &mut TcpStream) -> Vec<u8> {
    let mut buf = [0; 64];
    let n = stream.read(&mut buf).unwrap();
    buf[..n].to_vec()
}

#[test]
fn every_fault_has_a_name_of_its_own() {
    let names: HashSet<&str> = netfault::ALL.iter().map(|fault| fault.name).collect();
    assert_eq!(names.len(), netfault::ALL.len());
    assert!(netfault::find("polite").is_none());
}

#[test]
fn a_silent_client_says_nothing_and_ends_with_its_guard() {
    let (mut stream, fault) = accepted("silent");
    drop(fault.join().unwrap());
    assert_eq!(read(&mut stream), b"");
}

#[test]
fn a_silent_client_ends_when_the_server_closes() {
    let (stream, fault) = accepted("silent");
    drop(stream);
    // Waits for the thread of the fault, which is not blocked.
    drop(fault.join().unwrap());
}

#[test]
fn a_dripping_client_sends_one_byte_at_a_time() {
    let (mut stream, fault) = accepted("drip");
    let running = fault.join().unwrap();
    for byte in HELLO.iter().chain(HELLO) {
        assert_eq!(read(&mut stream), [*byte]);
    }
    assert!(running.lasts());
}

#[test]
fn a_client_that_never_reads_fills_every_buffer() {
    let (mut stream, fault) = accepted("never-reads");
    let _running = fault.join().unwrap();
    stream.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let full = stream.write_all(&vec![0; 64 << 20]).unwrap_err();
    assert!(matches!(full.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{full}");
}

#[test]
fn a_client_that_breaks_off_resets_the_connection() {
    let (mut stream, fault) = accepted("reset-midway");
    assert!(!fault.join().unwrap().lasts());
    // What had arrived before the reset may be thrown away with it.
    let mut all = Vec::new();
    assert_eq!(stream.read_to_end(&mut all).unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert!(HELLO[..2].starts_with(&all));
}

#[test]
fn noise_is_the_same_at_every_run() {
    let noise = || {
        let (mut stream, fault) = accepted("random-bytes");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        drop(fault.join().unwrap());
        all
    };
    let first = noise();
    assert_eq!(first.len(), 4096);
    assert!(first == noise());
}

#[test]
fn two_messages_arrive_in_one_read() {
    let (mut stream, fault) = accepted("coalesced");
    let together = read(&mut stream);
    assert_eq!(together, b"hellohello");
    stream.write_all(&together).unwrap();
    let peer = stream.peer_addr().unwrap();
    drop(stream);
    let running = fault.join().unwrap();
    assert_eq!(running.peers(), [peer.to_string()]);
    assert_eq!(running.verdict(), Ok("got 2 whole answers"));
}

#[test]
fn a_client_that_half_closes_knows_what_is_due_to_it() {
    for (reply, right) in [(&b"hello"[..], true), (b"hell", false), (b"", false)] {
        let (mut stream, fault) = accepted("half-close");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert_eq!(all, HELLO);
        stream.write_all(reply).unwrap();
        drop(stream);
        assert_eq!(fault.join().unwrap().verdict().is_ok(), right, "{reply:?}");
    }
}

#[test]
fn half_a_message_must_not_be_answered() {
    for (reply, right) in [(&b"he"[..], false), (b"", true)] {
        let (mut stream, fault) = accepted("cut-mid-message");
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        assert_eq!(all, b"he");
        stream.write_all(reply).unwrap();
        drop(stream);
        assert_eq!(fault.join().unwrap().verdict().is_ok(), right, "{reply:?}");
    }
}

#[test]
fn a_lasting_fault_tells_whether_the_server_has_ended_it() {
    let (stream, fault) = accepted("silent");
    let running = fault.join().unwrap();
    assert!(!running.wait_until_dropped(Duration::from_millis(50)));
    drop(stream);
    assert!(running.wait_until_dropped(GENEROUS));
}

#[test]
fn a_hundred_clients_come_and_go() {
    // Where a client has reset before it is accepted, other systems let accept fail.
    let names = if cfg!(target_os = "linux") {
        ["connect-close", "reset-before-accept"]
    } else {
        ["connect-close"; 2]
    };
    for name in names {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fault = start(name, listener.local_addr().unwrap(), Speaks::Bytes);
        for _ in 0..100 {
            let mut end = Vec::new();
            let (mut stream, _) = listener.accept().unwrap();
            let read = stream.read_to_end(&mut end);
            assert_eq!(read.is_ok(), name == "connect-close", "{read:?}");
        }
        assert_eq!(fault.join().unwrap().peers().len(), 100);
    }
}

#[test]
fn a_visit_that_is_over_has_been_answered_and_closed() {
    let (mut stream, fault) = accepted("second-visit");
    let mut all = Vec::new();
    stream.read_to_end(&mut all).unwrap();
    assert_eq!(all, HELLO);
    stream.write_all(&all).unwrap();
    drop(stream);
    assert!(!fault.join().unwrap().lasts());
}

#[test]
fn a_second_client_stays_after_its_reply() {
    let (mut stream, fault) = accepted("second-client");
    assert_eq!(read(&mut stream), HELLO);
    stream.write_all(HELLO).unwrap();
    let running = fault.join().unwrap();
    stream.set_nonblocking(true).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_err().kind(), ErrorKind::WouldBlock);
    stream.set_nonblocking(false).unwrap();
    drop(running);
    assert_eq!(read(&mut stream), b"");
}

#[test]
fn many_clients_stay_until_their_guard_is_dropped() {
    // Two for each client.
    if !may_open("many-idle", 2 * 1_000) {
        return;
    }
    // With room for all of them in its queue, where the system has it.
    let listener = netcore::listen::tcp("127.0.0.1", 0).unwrap();
    let fault = start("many-idle", listener.local_addr().unwrap(), Speaks::Bytes);
    let (sender, accepted) = std::sync::mpsc::channel();
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            if sender.send(stream).is_err() {
                return;
            }
        }
    });
    let running = fault.join().unwrap();
    assert_eq!(running.peers().len(), 1_000);
    let streams: Vec<TcpStream> =
        (0..1_000).map(|_| accepted.recv_timeout(GENEROUS).unwrap()).collect();
    drop(running);
    for mut stream in streams {
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        assert_eq!(read(&mut stream), b"");
    }
}

#[test]
fn clients_that_are_far_away_are_all_served_or_it_is_told_which_was_not() {
    for served in [20, 19] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let fault = start("far-away", listener.local_addr().unwrap(), Speaks::Bytes);
        for number in 0..20 {
            let (mut stream, _) = listener.accept().unwrap();
            let text = read(&mut stream);
            assert_eq!(text, HELLO);
            if number < served {
                stream.write_all(&text).unwrap();
            }
        }
        let running = fault.join().unwrap();
        assert_eq!(running.verdict().is_ok(), served == 20, "{:?}", running.verdict());
    }
}

#[test]
fn in_a_full_house_each_of_the_others_is_told_in_time_or_counted() {
    const DEAF: usize = 8;
    const MORE: usize = 200;
    // One for each that comes, and two for those who stay.
    if !may_open("full-house", MORE + 2 * (DEAF + 1)) {
        return;
    }
    for told in [MORE, MORE - 1] {
        let listener = netcore::listen::tcp("127.0.0.1", 0).unwrap();
        let fault = start("full-house", listener.local_addr().unwrap(), Speaks::Http);
        let mut held = Vec::new();
        for number in 0..DEAF + MORE {
            let (mut stream, _) = listener.accept().unwrap();
            if number < DEAF {
                stream.write_all(b"H").unwrap();
                held.push(stream);
            } else if number >= DEAF + told {
                held.push(stream);
            }
        }
        let running = fault.join().unwrap();
        assert_eq!(running.peers().len(), DEAF);
        assert_eq!(running.verdict().is_ok(), told == MORE, "{:?}", running.verdict());
    }
}

#[test]
fn a_client_that_speaks_at_the_end_hears_all_that_was_handed_over_or_says_why_not() {
    for staged in [true, false] {
        let (stream, fault) = accepted("speaks-at-the-end");
        let running = fault.join().unwrap();
        let mut reader = &stream;
        let mut request = vec![0; 200_000];
        reader.read_exact(&mut request).unwrap();
        (&stream).write_all(&request).unwrap();
        if staged {
            // Ends its side, and takes what the client still says until it ends too.
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let taking = thread::spawn(move || {
                let mut rest = Vec::new();
                (&stream).read_to_end(&mut rest).unwrap();
            });
            assert_eq!(running.hear_the_end(), Ok(200_000));
            drop(running);
            taking.join().unwrap();
        } else {
            drop(stream);
            assert_ne!(running.hear_the_end(), Ok(200_000));
        }
    }
}
