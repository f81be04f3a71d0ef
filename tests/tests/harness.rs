//! The harness keeps its own promises: no process outlives its test, and no suite is
//! named in vain.

use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ladder_tests::ladder::every_rung;
use ladder_tests::peer::{ClosedPort, assert_refused, lasting_port};
use ladder_tests::{Server, rungs_in};

/// The suites: each is a file of its name in this folder, or several that begin with
/// it.
const SUITES: [&str; 13] = [
    "tcp-echo",
    "unix-echo",
    "framed-echo",
    "object-exchange",
    "udp-echo",
    "udp-requests",
    "udp-reliable",
    "http",
    "http-rungs",
    "chat",
    "api-client",
    "gossip",
    "self-update",
];

#[test]
fn a_server_ends_with_a_test_that_panics() {
    let mut address = None;
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let server = Server::start_on(rungs_in("tcp-echo")[0], lasting_port(), &[]);
        address = Some(server.address.clone());
        panic!("on purpose: a test that fails");
    }));
    assert!(panicked.is_err());
    assert_refused(address.expect("the server was ready"));
}

/// A child that is being started holds copies of all sockets for a moment, also of the
/// one that a port is tried with.
#[cfg(unix)]
#[test]
fn a_lasting_port_is_free_while_other_tests_start_processes() {
    use std::net::TcpListener;
    use std::process::Command;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;

    use ladder_tests::Process;

    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !done.load(Ordering::SeqCst) {
                    Process::start("true", &mut Command::new("true")).wait();
                }
            });
        }
        let taken: Vec<u16> = (0..2_000)
            .map(|_| lasting_port())
            .filter(|port| TcpListener::bind(("127.0.0.1", *port)).is_err())
            .collect();
        done.store(true, Ordering::SeqCst);
        assert!(taken.is_empty(), "{taken:?}");
    });
}

#[test]
fn a_closed_port_refuses_connections_while_it_is_held() {
    let port = ClosedPort::take();
    assert_refused(SocketAddr::from(([127, 0, 0, 1], port.port())));
}

#[test]
fn each_suite_that_a_rung_names_exists() {
    for rung in every_rung() {
        for suite in &rung.suites {
            assert!(SUITES.contains(&suite.as_str()), "{}: no suite {suite}", rung.name);
        }
    }
}

#[test]
fn every_row_belongs_to_the_tutorials() {
    // T1.7, T1.8 and their like are told in the docs, not run.
    let rows = (1..=8).map(|n| format!("T1.{n}")).chain((1..=12).map(|n| format!("T2.{n}")));
    let rows: Vec<String> = rows.collect();
    for rung in every_rung() {
        for row in &rung.rows {
            assert!(rows.contains(row), "{}: no row {row}", rung.name);
        }
    }
}
