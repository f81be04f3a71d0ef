//! What every server of numbered requests over UDP does, byte by byte, and every client.
//!
//! A datagram is `NLR1`, 1 for a request or 2 for a reply, the try, eight bytes of
//! session, eight of request number and the payload.

use ladder_tests::{Datagrams, Server, python, rungs_in};

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
fn what_is_no_request_is_reported_and_not_answered() {
    for rung in rungs_in("udp-requests") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let client = Datagrams::bind();
        let request = datagram(REQUEST, 1, 1, "");
        for garbage in
            [&b""[..], b"hello", &request[..request.len() - 1], &datagram(REPLY, 1, 1, "x")]
        {
            client.send(garbage, server.inet());
            server
                .expect_log(&["dropped", &format!("{} bytes that are no request", garbage.len())]);
        }
        client.send(&datagram(REQUEST, 1, 1, "still here"), server.inet());
        client.expect(&datagram(REPLY, 1, 1, "1: still here"));
    }
}

#[test]
fn the_client_asks_again_with_the_same_number_until_it_is_answered() {
    for rung in rungs_in("udp-requests") {
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

#[test]
fn a_server_that_never_answers_is_told_after_the_last_try() {
    for rung in rungs_in("udp-requests") {
        println!("over {}", rung.name);
        let server = Datagrams::bind();
        let address = server.address();
        let port = address.port().to_string();
        let args = ["client", "--port", &port, "--timeout", "100ms", "--tries", "3", "hello"];
        let finished = rung.start(&args).wait().expect_code(1).expect_stdout("");
        for _ in 0..3 {
            server.receive();
        }
        server.assert_would_block();
        let error = format!("error: cannot get a reply from {address}: timed out; it is not known");
        assert!(finished.stderr.contains(&error), "{}", finished.stderr);
        assert!(finished.stderr.contains("\nhint: "), "{}", finished.stderr);
    }
}

/// The box of each chapter, against the rung of that chapter.
#[test]
fn python_talks_to_it() {
    for rung in rungs_in("udp-requests") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let program = python::boxed(&rung.name).replace("50008", &server.port().to_string());
        let Some(finished) = python::run(&program) else { return };
        let expected = match rung.name.as_str() {
            "udp-reliable" => "1: hello\n2: hello\n3: hello\nwaits less than a second\n",
            // They ask twice under one number.
            _ if rung.passes("udp-reliable") => "1: hello\n1: hello\n",
            _ => "1: hello\n2: hello\n",
        };
        finished.expect_code(0).expect_stdout(expected);
    }
}
