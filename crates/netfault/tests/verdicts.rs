//! What a fault says of a server that is wrong: it is not to be fooled.

#[cfg(feature = "tls")]
use std::io::ErrorKind;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use netfault::Speaks;
use starting::{GENEROUS, start};

mod starting;

/// A server without a bound takes whatever comes, and never gets rid of anybody.
#[test]
fn a_client_that_is_let_go_on_is_not_dropped_when_it_has_said_all_that_it_says() {
    const NEARLY_ALL: usize = 250 << 20;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let fault = start("never-reads", listener.local_addr().unwrap(), Speaks::Bytes);
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    let running = fault.join().unwrap();
    let (taken, nearly_all) = mpsc::channel();
    let taking = thread::spawn(move || {
        let (mut buf, mut all) = (vec![0; 1 << 20], 0);
        while let Ok(n @ 1..) = stream.read(&mut buf) {
            all += n;
            if all >= NEARLY_ALL {
                let _ = taken.send(());
            }
        }
    });
    nearly_all.recv_timeout(GENEROUS).unwrap();
    assert!(!running.wait_until_dropped(Duration::from_secs(2)));
    drop(running);
    taking.join().unwrap();
}

/// A room that looks at a name later than at what is said, and lets everybody in.
#[test]
fn a_name_that_is_a_command_is_waited_for_before_it_is_told_that_nobody_has_heard_it() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let fault = start("escape-sequences", listener.local_addr().unwrap(), Speaks::Lines);
    let member = |joined: &[u8]| {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        assert!(stream.read(&mut [0; 64]).unwrap() > 0);
        stream.write_all(joined).unwrap();
        stream
    };
    let mut witness = member(b"* witness joined\n");
    let evil = member(b"* evil joined\n");
    let (mut red, _) = listener.accept().unwrap();
    // What the evil one says, if it says it before the name is looked at.
    evil.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    if (&evil).read(&mut [0; 256]).is_ok() {
        witness.write_all(b"evil: over\n").unwrap();
    } else {
        let joined = b"* \x1b[31mred joined\n";
        red.write_all(joined).unwrap();
        witness.write_all(joined).unwrap();
    }
    let running = fault.join().unwrap();
    assert!(running.verdict().is_err(), "{:?}", running.verdict());
}

/// Those who are to take every place in TLS have to be let in, or all others find one.
#[cfg(feature = "tls")]
#[test]
fn a_house_that_nobody_can_fill_is_told_and_not_taken_for_a_full_one() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, hello) = (listener.local_addr().unwrap(), Speaks::Tls.hello());
    let target = netfault::Target::new(address, Speaks::Tls, hello);
    let error = netfault::find("full-house").unwrap().start(&target).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}
