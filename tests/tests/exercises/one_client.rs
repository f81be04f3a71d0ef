//! oneshot-echo, reusable-echo, stopping-echo, timeout-echo, nonblocking-echo.

use std::thread;
use std::time::Duration;

use ladder_tests::peer::lasting_port;
use ladder_tests::{Peer, Server, rung};

#[test]
fn a_reply_is_read_until_it_is_as_long_as_what_was_sent() {
    let server = Server::start(rung("oneshot-echo"), &[]);
    let mut client = server.connect();
    for byte in b"hello" {
        client.send(&[*byte]);
    }
    // As read_exact does: in how many pieces the reply comes is nobody's promise.
    client.expect_bytes(b"hello");
}

#[test]
fn a_second_client_is_connected_and_never_served() {
    let server = Server::start(rung("oneshot-echo"), &[]);
    let mut first = server.connect();
    first.exchange(b"one", b"one");
    // The kernel completes the connection and takes the bytes; nobody ever reads them.
    let mut second = server.connect();
    second.send(b"two");
    second.assert_would_block();
    drop(first);
    second.expect_hang_up_without_a_word();
}

/// The port of a server that is ended while a client is there, so that it is the first to
/// close.
#[cfg(unix)]
fn closed_first_by(name: &str) -> u16 {
    let port = lasting_port();
    let server = Server::start_on(rung(name), port, &[]);
    let mut client = server.connect();
    server.expect_log(&[&client.address(), "connected"]);
    // Ctrl-C: the system closes what the process leaves behind.
    server.signal(rustix::process::Signal::TERM);
    client.expect_end_of_stream();
    client.half_close();
    // Its listener may be there for longer than the connection, and has the port as well.
    server.wait();
    port
}

#[cfg(unix)]
#[test]
fn the_port_is_busy_where_the_server_was_the_first_to_close() {
    let port = closed_first_by("oneshot-echo");
    let again = rung("oneshot-echo").run(&["server", "--port", &port.to_string()]);
    again.expect_error(
        &format!("cannot listen on 127.0.0.1:{port}: address already in use"),
        "another server has this port, or had it a minute ago; pass --port 0 for a free one",
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_port_that_closed_first_is_free_at_once_where_both_servers_reuse_it() {
    let port = closed_first_by("oneshot-echo");
    rung("reusable-echo").run(&["server", "--port", &port.to_string()]).expect_code(1);
    let port = closed_first_by("reusable-echo");
    let again = Server::start_on(rung("reusable-echo"), port, &[]);
    again.client(&["hello"]).expect_code(0).expect_stdout("hello\n");
}

#[test]
fn a_second_server_cannot_take_the_port_of_the_first() {
    let port = lasting_port();
    let first = Server::start_on(rung("reusable-echo"), port, &[]);
    rung("reusable-echo").run(&["server", "--port", &port.to_string()]).expect_code(1);
    // Nothing has changed for the first one.
    first.client(&["hello"]).expect_code(0).expect_stdout("hello\n");
}

#[test]
fn a_client_that_breaks_off_is_told_and_the_next_one_served() {
    let server = Server::start(rung("reusable-echo"), &[]);
    let mut client = server.connect();
    client.exchange(b"he", b"he");
    let address = client.address();
    client.reset();
    server.expect_log(&[&address, "dropped: connection reset by the other end"]);
    server.client(&["hello"]).expect_code(0).expect_stdout("hello\n");
}

#[cfg(unix)]
#[test]
fn what_was_sent_before_a_stop_is_still_answered() {
    let server = Server::start(rung("stopping-echo"), &["-v"]);
    let mut client = server.connect();
    client.send(b"hello");
    server.expect_log(&[&client.address(), "received 5 bytes"]);
    server.signal(rustix::process::Signal::TERM);
    client.expect_bytes(b"hello");
    // Its reading side has ended, so the loop ends as it does after every client: nobody is
    // cut off.
    client.expect_end_of_stream();
    server.wait().expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_stop_waits_for_the_client_in_hand_and_refuses_the_next() {
    let server = Server::start(rung("stopping-echo"), &[]);
    let (address, mut client) = (server.address.clone(), server.connect());
    client.exchange(b"one", b"one");
    server.signal(rustix::process::Signal::TERM);
    server.expect_log(&["stopping"]);
    client.expect_end_of_stream();
    ladder_tests::peer::assert_refused(address);
    // Our end of the stream is what the staged close waits for.
    client.half_close();
    server.wait().expect_code(0);
}

#[test]
fn a_client_that_drips_outlives_the_idle_limit_and_not_the_total_one() {
    let server = Server::start(rung("timeout-echo"), &["-v", "--idle", "500ms", "--total", "2s"]);
    let mut client = server.connect();
    let mut sent = 0;
    while client.try_exchange(b"x") {
        sent += 1;
        // The pause is the drip itself.
        thread::sleep(Duration::from_millis(50));
    }
    assert!(sent > 1, "it was dropped at once");
    server.expect_log(&[&client.address(), "dropped: timed out"]);
    server.client(&["hello"]).expect_code(0).expect_stdout("hello\n");
}

#[test]
fn a_client_that_says_nothing_and_closes_is_no_timeout() {
    let server = Server::start(rung("timeout-echo"), &["-v"]);
    let mut client = server.connect();
    client.half_close();
    client.expect_end_of_stream();
    server.expect_log(&[&client.address(), "closed"]);
}

#[test]
fn one_byte_and_the_end_of_the_stream_are_two_answers() {
    let server = Server::start(rung("nonblocking-echo"), &["-v"]);
    let mut client = server.connect();
    client.send(b"x");
    server.expect_log(&[&client.address(), "received 1 bytes"]);
    client.expect_bytes(b"x");
    // Nothing yet: the server waits, and has no more to say.
    client.assert_would_block();
    client.half_close();
    client.expect_end_of_stream();
    server.expect_log(&[&client.address(), "closed"]);
}

#[test]
fn a_reply_that_is_taken_in_small_parts_comes_whole() {
    let server = Server::start(rung("nonblocking-echo"), &[]);
    let mut slow = Peer::connect_deaf(&server.address);
    let long = vec![b'x'; 512 << 10];
    let mut sender = slow.again();
    let sent = long.clone();
    let sending = thread::spawn(move || sender.send(&sent));
    for part in long.chunks(1000) {
        slow.expect_bytes(part);
    }
    sending.join().expect("everything is sent");
}
