//! threaded-echo, pooled-echo, poll-echo, event-echo, async-echo.

use std::io::Write;
use std::time::Duration;

use ladder_tests::{Peer, Server, rung};

#[test]
fn a_client_above_the_bound_waits_and_is_not_refused() {
    let server = Server::start(rung("threaded-echo"), &["--max-clients", "1"]);
    let mut first = server.connect();
    first.exchange(b"one", b"one");
    let mut second = server.connect();
    second.send(b"two");
    second.assert_would_block();
    // Its place is free, and what the second has sent is still there.
    drop(first);
    second.expect_bytes(b"two");
}

#[test]
fn two_workers_serve_two_clients_and_then_two_more() {
    let server = Server::start(rung("pooled-echo"), &["--max-clients", "2"]);
    for _ in 0..2 {
        let mut clients = [server.connect(), server.connect()];
        for client in &mut clients {
            client.exchange(b"hello", b"hello");
        }
        // Both hang up here. No thread ends: each takes the next client.
    }
}

#[test]
fn a_client_that_never_reads_holds_up_nobody() {
    let server = Server::start(rung("poll-echo"), &[]);
    let mut deaf = Peer::connect_deaf(&server.address);
    deaf.send_until_stuck(&[b'x'; 64 << 10]);
    // Its reply waits in the visit, until its socket can be written to; the loop goes on.
    server.connect().exchange(b"hello", b"hello");
}

#[test]
fn clients_that_wait_cost_no_thread_and_each_is_remembered() {
    let server = Server::start(rung("async-echo"), &[]);
    let mut clients: Vec<Peer> = (0..100).map(|_| server.connect()).collect();
    // Last come, first served: nobody waits for another.
    for (number, client) in clients.iter_mut().enumerate().rev() {
        let message = format!("client {number}");
        client.exchange(message.as_bytes(), message.as_bytes());
    }
}

#[test]
fn a_client_that_reads_late_gets_everything() {
    let server = Server::start(rung("event-echo"), &[]);
    let mut late = server.connect();
    late.stream().set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let mut sent = 0;
    while let Ok(n) = late.stream().write(&[b'x'; 64 << 10]) {
        sent += n;
    }
    // Asked for writing once, at the start: an event comes when a full buffer has room again.
    late.expect_bytes(&vec![b'x'; sent]);
}
