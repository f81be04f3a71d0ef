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
            client.send(&datagram(REQUEST, attempt, 1, "first"), server.address);
            client.expect(&datagram(REPLY, attempt, 1, "1: first"));
        }
        // Had the first one run three times, this would be the fourth.
        client.send(&datagram(REQUEST, 1, 2, "second"), server.address);
        client.expect(&datagram(REPLY, 1, 2, "2: second"));
        // Its client has gone on, so nobody waits for this one.
        client.send(&datagram(REQUEST, 4, 1, "first"), server.address);
        server.expect_log(&["ignored try 4 of request 1"]);
        client.send(&datagram(REQUEST, 1, 3, "third"), server.address);
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
            client.send(&datagram(REQUEST, 1, 1, "mine"), server.address);
            client.expect(&datagram(REPLY, 1, 1, &format!("{run}: mine")));
        }
    }
}

#[test]
fn what_is_no_request_is_reported_and_not_answered() {
    for rung in rungs_in("udp-reliable") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let client = Datagrams::bind();
        let request = datagram(REQUEST, 1, 1, "");
        for garbage in
            [&b""[..], b"hello", &request[..request.len() - 1], &datagram(REPLY, 1, 1, "x")]
        {
            client.send(garbage, server.address);
            server
                .expect_log(&["dropped", &format!("{} bytes that are no request", garbage.len())]);
        }
        client.send(&datagram(REQUEST, 1, 1, "still here"), server.address);
        client.expect(&datagram(REPLY, 1, 1, "1: still here"));
    }
}

#[test]
fn the_client_asks_again_with_the_same_number_until_it_is_answered() {
    for rung in rungs_in("udp-reliable") {
        println!("over {}", rung.name);
        let server = Datagrams::bind();
        let port = server.address().port().to_string();
        let client = rung.start(&["client", "--port", &port, "--timeout", "200ms", "hello"]);
        let (first, _) = server.receive();
        let (second, from) = server.receive();
        // The try differs, the session and the number do not.
        assert_eq!((first[4], first[5], second[5]), (REQUEST, 1, 2));
        assert_eq!(first[6..], second[6..]);
        let header = |kind: u8| [&b"NLR1"[..], &[kind], &second[5..22]].concat();
        // A stranger, and a reply to something else, come before the reply.
        Datagrams::bind().send(&[&header(REPLY)[..], b"evil"].concat(), from);
        server.send(&[&header(REQUEST)[..], b"evil"].concat(), from);
        server.send(&[&header(REPLY)[..], b"1: hello"].concat(), from);
        client.wait().expect_code(0).expect_stdout("1: hello\n");
    }
}
