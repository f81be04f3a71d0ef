//! Signals: a server ends at once when it is idle, after the work in hand when it is
//! busy, and at the drain limit at the latest. On Windows there are no signals to send
//! from outside.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;

use ladder_tests::ladder::at_once;
use ladder_tests::peer::assert_refused;
use ladder_tests::{Finished, Peer, Rung, Server, ladder, rungs_in, stream_rungs};
use rustix::process::Signal;

/// What a server says of connections that it has waited for in vain, until the drain
/// limit.
const WAITED: [&str; 2] = ["did not end in", "timed out"];

/// Ctrl-C, what `kill` and process managers send, and a terminal that is closed.
const SIGNALS: [Signal; 3] = [Signal::INT, Signal::TERM, Signal::HUP];

/// Where no other test listens when this server has ended: that nobody does is checked
/// then.
#[track_caller]
fn start(rung: &'static Rung, args: &[&str]) -> Server {
    Server::start_lasting(rung, args)
}

/// Sends `signal` and waits for the end: exit code 0, but where the rung leaves signals to
/// the system.
#[track_caller]
fn assert_stops(rung: &Rung, server: Server, signal: Signal) -> Finished {
    let address = server.address.clone();
    server.signal(signal);
    let mut finished = server.wait();
    if rung.leaves_signals_alone() {
        assert_eq!(finished.status.signal(), Some(signal.as_raw()), "{finished:#?}");
    } else {
        finished = finished.expect_code(0);
    }
    if rung.has_connections {
        assert_refused(address);
    }
    finished
}

#[track_caller]
fn assert_stops_at_once(rung: &Rung, server: Server, signal: Signal) {
    let finished = assert_stops(rung, server, signal);
    assert!(!WAITED.iter().any(|words| finished.stderr.contains(words)), "{finished:#?}");
}

/// Options that keep the rung's own limits out of a test about the drain limit.
fn patient(rung: &Rung) -> Vec<&'static str> {
    let options = [["--idle", "5m"], ["--total", "5m"]];
    options.into_iter().filter(|[option, _]| rung.server_takes(option)).flatten().collect()
}

#[test]
fn a_signal_ends_a_server_that_waits_for_its_first_client() {
    for rung in ladder() {
        for signal in SIGNALS {
            println!("over {}: {signal:?}", rung.name);
            let server = start(rung, &[]);
            assert_stops_at_once(rung, server, signal);
        }
    }
}

#[test]
fn a_signal_ends_a_server_that_waits_for_the_next_word_of_a_client() {
    for rung in stream_rungs() {
        for signal in SIGNALS {
            println!("over {}: {signal:?}", rung.name);
            let server = start(rung, &patient(rung));
            let mut silent = server.connect();
            server.expect_log(&[&silent.address(), "connected"]);
            assert_stops_at_once(rung, server, signal);
            silent.expect_hang_up();
        }
    }
}

#[test]
fn a_signal_ends_a_server_with_a_crowd_of_silent_clients() {
    for rung in stream_rungs().into_iter().filter(|rung| !rung.leaves_signals_alone()) {
        println!("over {}", rung.name);
        let server = start(rung, &patient(rung));
        let mut crowd: Vec<Peer> = std::iter::repeat_with(|| server.connect()).take(10).collect();
        server.expect_log(&[&crowd[0].address(), "connected"]);
        assert_stops_at_once(rung, server, Signal::TERM);
        for silent in &mut crowd {
            silent.expect_hang_up();
        }
    }
}

#[test]
fn what_has_been_received_is_answered_before_the_end() {
    for rung in echoes_that_stop() {
        println!("over {}", rung.name);
        let server = start(rung, &["-v"]);
        let mut client = server.connect();
        client.send(b"in hand");
        server.expect_log(&[&client.address(), "received 7 bytes"]);
        assert_stops_at_once(rung, server, Signal::TERM);
        client.expect_bytes(b"in hand");
        client.expect_end_of_stream();
    }
}

#[test]
fn a_client_that_never_reads_delays_the_end_to_the_drain_limit_and_no_longer() {
    at_once(echoes_that_stop(), |rung| {
        let server = start(rung, &patient(rung));
        let mut deaf = block_in_a_write(&server);
        let finished = assert_stops(rung, server, Signal::TERM);
        assert!(WAITED.iter().any(|words| finished.stderr.contains(words)), "{finished:#?}");
        deaf.expect_hang_up();
    });
}

#[test]
fn a_second_signal_ends_a_server_that_still_drains_at_once_with_130() {
    at_once(echoes_that_stop(), |rung| {
        let server = start(rung, &patient(rung));
        let _deaf = block_in_a_write(&server);
        server.signal(Signal::INT);
        server.expect_log(&["stopping; a second signal ends at once"]);
        server.signal(Signal::INT);
        server.wait().expect_code(130);
    });
}

/// A client that sends and never reads, until the server can do nothing but wait for it
/// to read.
fn block_in_a_write(server: &Server) -> Peer {
    let mut deaf = server.connect_deaf();
    deaf.send_until_stuck(&[b'x'; 64 << 10]);
    // A blocked write sleeps on while up to a third of its buffer is free; the signal of a
    // test would wake it, it would write into what is free, and the server would be
    // done. So that comes first.
    server.halt_and_go_on();
    deaf.send_until_stuck(&[b'x'; 64 << 10]);
    deaf
}

fn echoes_that_stop() -> Vec<&'static Rung> {
    rungs_in("tcp-echo").into_iter().filter(|rung| !rung.leaves_signals_alone()).collect()
}

#[test]
fn a_server_starts_again_on_the_same_port_at_once() {
    for rung in ladder().iter().filter(|rung| !rung.has_limit("restart")) {
        println!("over {}", rung.name);
        let server = start(rung, &[]);
        let address = server.address.clone();
        if rung.has_connections {
            let mut client = server.connect();
            server.expect_log(&[&client.address(), "connected"]);
            // The server closes first, which leaves its port in TIME_WAIT once the client has
            // closed as well.
            assert_stops(rung, server, Signal::TERM);
            client.expect_hang_up();
        } else {
            assert_stops(rung, server, Signal::TERM);
        }
        if rung.has_limit("restart") {
            let [option, value] = address.option();
            rung.run(&["server", &option, &value]).expect_code(1);
            continue;
        }
        let again = Server::start_at(rung, &address, &[]);
        assert_eq!(again.address, address);
        if rung.has_connections {
            let client = again.connect();
            again.expect_log(&[&client.address(), "connected"]);
        }
    }
}

/// An idle server costs nothing: it makes no system call, so the kernel never puts it
/// on a processor.
#[cfg(target_os = "linux")]
#[test]
fn an_idle_server_never_wakes() {
    let clock = rungs_in("tcp-echo").into_iter().find(|rung| rung.server_takes("--accept-timeout"));
    let clock = clock.expect("a rung has an accept timeout");
    // Two of each: one that nobody has come to, and one with a client that says nothing.
    let start = |rung: &'static Rung| Server::start(rung, &patient(rung));
    // A node asks others now and then, whatever nobody says to it.
    let servers = ladder().iter().filter(|rung| rung.nodes.is_empty());
    let mut idle: Vec<Server> = servers.map(start).collect();
    let visited: Vec<Server> = stream_rungs().into_iter().map(start).collect();
    let silent: Vec<Peer> = visited.iter().map(Server::connect).collect();
    for (server, client) in visited.iter().zip(&silent) {
        server.expect_log(&[&client.address(), "connected"]);
    }
    idle.extend(visited);
    // Time that passes is the matter itself here, not a stand-in for an event. Another
    // server tells when it has: the first second lets the others come to rest, the
    // second one is measured.
    let a_second = || Server::start(clock, &["--accept-timeout", "1s"]).wait().expect_code(0);
    a_second();
    let before: Vec<u64> = idle.iter().map(|server| switches(server.id())).collect();
    a_second();
    for (server, before) in idle.iter().zip(before) {
        assert_eq!(switches(server.id()) - before, 0, "woke while it was idle: {server:?}");
    }
}

/// How often the threads of a process have been put on a processor: proc_pid_status(5).
#[cfg(target_os = "linux")]
fn switches(process: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).expect("the process runs");
    let counts = tasks.flat_map(|task| {
        let status =
            std::fs::read_to_string(task.expect("a thread is listed").path().join("status"));
        let status = status.expect("the thread lives");
        let lines: Vec<u64> = status
            .lines()
            .filter(|line| line.contains("ctxt_switches"))
            .map(|line| {
                line.split_whitespace().last().and_then(|n| n.parse().ok()).expect("it is a number")
            })
            .collect();
        lines
    });
    counts.sum()
}
