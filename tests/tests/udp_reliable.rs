//! What every server of numbered requests over UDP does, byte by byte: it runs each of
//! them once, however often it comes, and its client asks again until it is answered.
//!
//! A datagram is `NLR1`, 1 for a request or 2 for a reply, the try, eight bytes of
//! session, eight of request number and the payload. The server puts before its answer
//! how many requests it has run.

use ladder_tests::{Datagrams, Server, rungs_in};

const REQUEST: u8 = 1;
const REPLY: u8 = 2;

/// The session of the tests' own requests.
const SESSION: u64 = 0x0102_0304_0506_0708;

fn datagram(kind: u8, attempt: u8, id: u64, payload: &str) -> Vec<u8> {
    let mut bytes = b"NLR1".to_vec();
    bytes.extend([kind, attempt]);
    bytes.extend(SESSION.to_be_bytes());
    bytes.extend(id.to_be_bytes());
    bytes.extend(payload.as_bytes());
    bytes
}

#[test]
fn a_request_that_comes_again_is_answered_again_and_runs_once() {
    for rung in rungs_in("udp-reliable") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let client = Datagrams::bind();
        for attempt in 1..=3 {
            client.send(&datagram(REQUEST, attempt, 1, "first"), server.inet());
            client.expect(&datagram(REPLY, attempt, 1, "1: first"));
        }
        // Had the first one run three times, this would be the fourth.
        client.send(&datagram(REQUEST, 1, 2, "second"), server.inet());
        client.expect(&datagram(REPLY, 1, 2, "2: second"));
        // Its client has gone on, so nobody waits for this one.
        client.send(&datagram(REQUEST, 4, 1, "first"), server.inet());
        server.expect_log(&["ignored try 4 of request 1"]);
        client.send(&datagram(REQUEST, 1, 3, "third"), server.inet());
        client.expect(&datagram(REPLY, 1, 3, "3: third"));
    }
}

#[test]
fn the_same_numbers_from_another_address_are_another_client() {
    for rung in rungs_in("udp-reliable") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        for run in 1..=2 {
            let client = Datagrams::bind();
            client.send(&datagram(REQUEST, 1, 1, "mine"), server.inet());
            client.expect(&datagram(REPLY, 1, 1, &format!("{run}: mine")));
        }
    }
}

#[test]
fn an_address_that_asks_for_everything_takes_nothing_from_a_client_elsewhere() {
    // Only Linux has all of 127.0.0.0/8 without being told.
    if !cfg!(target_os = "linux") {
        return;
    }
    for rung in rungs_in("udp-reliable") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let known = Datagrams::bind_on([127, 0, 0, 2].into());
        known.send(&datagram(REQUEST, 1, 1, "first"), server.inet());
        known.expect(&datagram(REPLY, 1, 1, "1: first"));
        let greedy = Datagrams::bind();
        let large = "x".repeat(65_463);
        for session in 0..1_025u64 {
            let mut request = datagram(REQUEST, 1, 1, &large);
            request[6..14].copy_from_slice(&session.to_be_bytes());
            greedy.send(&request, server.inet());
            greedy.receive();
        }
        known.send(&datagram(REQUEST, 2, 1, "first"), server.inet());
        known.expect(&datagram(REPLY, 2, 1, "1: first"));
        known.send(&datagram(REQUEST, 1, 2, "second"), server.inet());
        known.expect(&datagram(REPLY, 1, 2, "1027: second"));
    }
}
