//! A log that nobody reads, which takes a process of its own: the one that fills it is
//! this program, started once more.

#![cfg(unix)]

use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{env, io, thread};

use netcore::visit::caught;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(20);

/// Lines that fill every pipe.
const LINES: usize = 100_000;

/// The last page of a full pipe may have room for a few words.
const PANICS: usize = 1_000;

const CHILD: &str = "NETCORE_TEST_OF_A_FULL_LOG";

#[test]
fn a_panic_does_not_wait_for_a_log_that_nobody_reads() {
    if env::var_os(CHILD).is_some() {
        return fill_the_log_and_panic();
    }
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_panic_does_not_wait_for_a_log_that_nobody_reads", "--nocapture"])
        .env(CHILD, "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let (stdin, unread) = (child.stdin.take(), child.stderr.take());
    let (ended, end) = mpsc::channel();
    thread::spawn(move || {
        // The child gives up when its standard input ends.
        let status = child.wait();
        ended.send(status).unwrap();
    });
    let status = end.recv_timeout(GENEROUS);
    drop((stdin, unread));
    assert!(status.expect("it ends").unwrap().success());
}

fn fill_the_log_and_panic() {
    netcore::log::init(0);
    thread::spawn(|| {
        let _ = io::copy(&mut io::stdin(), &mut io::sink());
        std::process::exit(1);
    });
    (0..LINES).for_each(|_| log::info!("nobody reads this"));
    let panics = || -> io::Result<()> { panic!("a reply with a bug") };
    (0..PANICS).for_each(|_| assert!(caught(panics).is_err()));
}
