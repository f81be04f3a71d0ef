//! What every TCP echo server does with bytes, however they come and however the client
//! leaves.
//!
//! Run over the rungs that name the suite `tcp-echo`. After each visit the next client
//! is served; a rung whose manifest has the limit `second-visit` has ended instead, and
//! that is checked as well.

use ladder_tests::peer::assert_refused;
use ladder_tests::{Peer, Rung, Server, rungs_in};

/// More than the socket buffers of both ends and the server's own buffer.
const MEBIBYTE: usize = 1 << 20;

/// Letters of one, two, three and four bytes.
const TEXT: &str = "hello, Привет, 世界 👋";

/// Over each echo whose server takes these options: who logs in has its rights by name.
fn over_every_echo(args: &[&str], visit: impl Fn(&Rung, &Server, &mut Peer)) {
    let takes_all = |rung: &&Rung| args.iter().all(|option| rung.server_takes(option));
    for rung in rungs_in("tcp-echo").into_iter().filter(takes_all) {
        println!("over {}", rung.name);
        let server = start(rung, args);
        let mut client = server.connect();
        visit(rung, &server, &mut client);
        drop(client);
        expect_the_next_visit(rung, server, 0);
    }
}

/// Where no other test listens when this server has ended: that nobody does is checked
/// then.
#[track_caller]
fn start(rung: &'static Rung, args: &[&str]) -> Server {
    Server::start_lasting(rung, args)
}

/// The next client is served, or the server has ended with `code` where it serves once.
fn expect_the_next_visit(rung: &Rung, server: Server, code: i32) {
    if rung.serves_once() {
        let address = server.address.clone();
        server.wait().expect_code(code);
        assert_refused(address);
    } else {
        let mut next = server.connect();
        next.send(b"NEXT");
        next.expect_bytes(b"NEXT");
    }
}

/// Bytes without a short period: a part that is lost, repeated or out of place does not
/// go unnoticed.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u32;
    let next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

#[test]
fn a_whole_message_comes_back() {
    over_every_echo(&[], |_, _, client| {
        client.send(TEXT.as_bytes());
        client.expect_bytes(TEXT.as_bytes());
        client.assert_would_block();
    });
}

#[test]
fn a_client_that_says_nothing_and_hangs_up_gets_nothing() {
    over_every_echo(&[], |_, _, client| {
        client.half_close();
        client.expect_end_of_stream();
    });
}

#[test]
fn one_byte_segments_make_the_same_answer() {
    over_every_echo(&[], |_, _, client| {
        for byte in TEXT.bytes() {
            client.send(&[byte]);
        }
        client.expect_bytes(TEXT.as_bytes());
        client.assert_would_block();
    });
}

#[test]
fn messages_that_arrive_together_are_all_answered_in_order() {
    over_every_echo(&[], |_, _, client| {
        client.send(b"first\nsecond\nthird\n");
        client.expect_bytes(b"first\n");
        client.expect_bytes(b"second\n");
        client.expect_bytes(b"third\n");
        client.assert_would_block();
    });
}

#[test]
fn messages_are_answered_one_by_one_on_one_connection() {
    over_every_echo(&[], |_, _, client| {
        for message in [&b"first"[..], b"x", b"third and last"] {
            client.send(message);
            client.expect_bytes(message);
        }
    });
}

#[test]
fn a_client_that_half_closes_gets_every_byte_and_then_the_end_of_the_stream() {
    over_every_echo(&[], |_, _, client| {
        client.send(b"last words");
        client.half_close();
        client.expect_bytes(b"last words");
        client.expect_end_of_stream();
    });
}

#[test]
fn a_mebibyte_comes_back_whole() {
    let message = noise(MEBIBYTE);
    over_every_echo(&[], |_, _, client| {
        client.exchange(&message, &message);
        client.half_close();
        client.expect_end_of_stream();
    });
}

#[test]
fn text_that_is_cut_at_any_byte_comes_back_whole() {
    over_every_echo(&[], |_, _, client| {
        for at in 0..TEXT.len() {
            let (head, tail) = TEXT.as_bytes().split_at(at);
            client.send(head);
            // The answer shows that the server has read the first part by itself.
            client.expect_bytes(head);
            client.send(tail);
            client.expect_bytes(tail);
        }
    });
}

#[test]
fn upper_case_changes_ascii_letters_only_wherever_the_text_is_cut() {
    over_every_echo(&["--upper"], |_, _, client| {
        let upper = "HELLO, Привет, 世界 👋";
        for at in 0..TEXT.len() {
            client.send(&TEXT.as_bytes()[..at]);
            client.expect_bytes(&upper.as_bytes()[..at]);
            client.send(&TEXT.as_bytes()[at..]);
            client.expect_bytes(&upper.as_bytes()[at..]);
        }
    });
}

#[test]
fn bytes_that_are_no_text_come_back_as_they_are() {
    let all: Vec<u8> = (0..=255).collect();
    over_every_echo(&[], |_, _, client| {
        client.send(&all);
        client.expect_bytes(&all);
    });
}

#[test]
fn a_client_that_resets_the_connection_midway_is_reported_and_ends_nothing_but_its_visit() {
    for rung in rungs_in("tcp-echo") {
        println!("over {}", rung.name);
        let server = start(rung, &[]);
        let mut rude = server.connect();
        rude.send(b"half a mess");
        // The answer shows that the server has come to the next read. It is left where it is:
        // over a UNIX socket, this is what makes the end a reset.
        rude.expect_something();
        let address = rude.address();
        rude.reset();
        if rung.serves_once() {
            server
                .expect_log(&["error: cannot serve the client: connection reset by the other end"]);
        } else {
            server.expect_log(&[&address, "dropped: connection reset by the other end"]);
        }
        expect_the_next_visit(rung, server, 1);
    }
}

#[test]
fn a_hundred_clients_that_hang_up_at_once_do_not_stop_the_server() {
    for rung in rungs_in("tcp-echo").into_iter().filter(|rung| !rung.serves_once()) {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        for _ in 0..50 {
            drop(server.connect());
            server.connect().reset();
        }
        expect_the_next_visit(rung, server, 0);
    }
}

#[test]
fn the_client_of_the_rung_brings_a_mebibyte_back() {
    let line = "0123456789abcdef".repeat(MEBIBYTE / 16);
    for rung in rungs_in("tcp-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let finished = server.client_with_input(&[], format!("{line}\n").as_bytes());
        finished.expect_code(0).expect_stdout(&format!("{line}\n"));
    }
}
