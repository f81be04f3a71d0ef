//! What every server of typed values does, byte by byte: it speaks first, answers
//! requests of known types, and makes of everything else a plain refusal.
//!
//! A message is four bytes of length, one of version, and the value: a number of less
//! than 251 is one byte, a text its length and its bytes, a variant its place.

use std::process::Command;

use ladder::process::output;
use ladder_tests::{Peer, Server, binaries, rungs_in};
use serde_json::Value;

/// `{1: "hi", 2: "there"}`, two entries.
const GREETING: &[u8] = b"\x01\x02\x01\x02hi\x02\x05there";

/// The requests and replies that are spelled out here, after the version.
const GET_1: &[u8] = b"\x01\x00\x01";
const ENTRY_HI: &[u8] = b"\x01\x00\x01\x02hi";
const ECHO: &[u8] = b"\x01\x02";
const REFUSED_FOR_ITS_VERSION: &[u8] = b"\x01\x03\x00\x01";
const REFUSED_AS_NO_REQUEST: &[u8] = b"\x01\x03\x01";
const REFUSED_AS_TOO_DEEP: &[u8] = b"\x01\x03\x02";
const REFUSED_FOR_WHAT_FOLLOWS: &[u8] = b"\x01\x03\x03";

/// A value of two bytes that holds one other: a list of one.
const LIST_OF_ONE: &[u8] = b"\x05\x01";

fn over_every_rung(args: &[&str], visit: impl Fn(&Server, &mut Peer)) {
    for rung in rungs_in("object-exchange") {
        println!("over {}", rung.name);
        let server = Server::start(rung, args);
        let mut client = greeted(&server);
        visit(&server, &mut client);
        drop(client);
        // The next client is served.
        exchange(&mut greeted(&server), GET_1, ENTRY_HI);
    }
}

#[track_caller]
fn greeted(server: &Server) -> Peer {
    let mut client = server.connect();
    client.expect_bytes(&framed(GREETING));
    client
}

#[track_caller]
fn exchange(client: &mut Peer, request: &[u8], reply: &[u8]) {
    client.send(&framed(request));
    client.expect_bytes(&framed(reply));
}

fn framed(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("the message is short");
    [&length.to_be_bytes(), message].concat()
}

#[cfg(unix)]
#[test]
fn what_a_person_mistypes_is_told_and_the_next_line_is_sent() {
    use ladder_tests::terminal::client_at_prompt;

    for rung in rungs_in("object-exchange") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let (mut keyboard, client) = client_at_prompt(rung, server.port());
        keyboard.type_line(r#"{"get": 1"#);
        client.expect_stderr(&["error: a request is written as JSON"]);
        keyboard.type_line(r#"{"get": 1}"#);
        client.expect_stdout(&[r#"{"entry":"hi"}"#]);
        keyboard.type_end();
        client.wait().expect_code(0);
    }
}

/// T2.8: the map comes first, unasked, and arrives as what it is.
#[test]
fn t2_8_the_server_speaks_first_and_the_same_map_arrives() {
    over_every_rung(&[], |server, client| {
        client.assert_would_block();
        client.half_close();
        client.expect_end_of_stream();
        server.client(&[]).expect_code(0).expect_stdout("{\"1\":\"hi\",\"2\":\"there\"}\n");
    });
}

#[test]
fn a_value_comes_back_as_what_it_is() {
    // A list of a number, a fraction, a text, three bytes, nothing, and a value that might
    // have been missing.
    let value = b"\x05\x06\x00\x0a\x01\x00\x00\x00\x00\x00\x00\xf8\x3f\x02\x04\xd0\x9c\xd0\xb8\
        \x03\x03\xff\x00\x80\x04\x00\x04\x01\x00\x02";
    over_every_rung(&[], |_, client| {
        exchange(client, &[ECHO, value].concat(), &[b"\x01\x02", &value[..]].concat());
    });
}

#[test]
fn requests_that_arrive_together_or_byte_by_byte_are_answered_in_order() {
    over_every_rung(&[], |_, client| {
        client.send(&[framed(GET_1), framed(GET_1)].concat());
        for byte in framed(GET_1) {
            client.send(&[byte]);
        }
        for _ in 0..3 {
            client.expect_bytes(&framed(ENTRY_HI));
        }
        client.assert_would_block();
    });
}

#[test]
fn a_message_that_is_no_request_is_refused_and_the_conversation_goes_on() {
    // A text that claims 64 GiB, in nine bytes, and has none: many a decoder allocates
    // first.
    let mut huge = [ECHO, b"\x02\xfd"].concat();
    huge.extend((64u64 << 30).to_le_bytes());
    let deep = [ECHO, &LIST_OF_ONE.repeat(10_000), b"\x04\x00"].concat();
    over_every_rung(&[], |_, client| {
        exchange(client, &huge, REFUSED_AS_NO_REQUEST);
        exchange(client, &deep, REFUSED_AS_TOO_DEEP);
        exchange(client, b"\x01\xc8\x01", REFUSED_AS_NO_REQUEST);
        exchange(client, &[ECHO, b"\x02\x02\xff\xff"].concat(), REFUSED_AS_NO_REQUEST);
        exchange(client, &[GET_1, b"!"].concat(), REFUSED_FOR_WHAT_FOLLOWS);
        exchange(client, b"\x02\x00\x01", REFUSED_FOR_ITS_VERSION);
        // What Python's pickle makes of {1: "hi"}, which runs nothing here.
        exchange(
            client,
            b"\x80\x04\x95\x0c\0\0\0\0\0\0\0}\x94K\x01\x8c\x02hi\x94s.",
            REFUSED_FOR_ITS_VERSION,
        );
        exchange(client, GET_1, ENTRY_HI);
    });
}

#[test]
fn a_length_over_the_limit_ends_the_visit_with_a_reason() {
    over_every_rung(&[], |server, client| {
        client.send(&u32::MAX.to_be_bytes());
        client.expect_hang_up_without_a_word();
        server.expect_log(&[&client.address(), "dropped", "over the limit"]);
    });
}

#[test]
fn a_message_that_is_cut_short_is_reported_and_not_answered() {
    over_every_rung(&[], |server, client| {
        client.send(&framed(GET_1)[..6]);
        client.half_close();
        client.expect_hang_up_without_a_word();
        server.expect_log(&[&client.address(), "dropped", "in the middle of a message"]);
    });
}

#[test]
fn a_client_that_resets_the_connection_midway_ends_its_visit_only() {
    for rung in rungs_in("object-exchange") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let mut rude = greeted(&server);
        rude.send(&framed(GET_1)[..6]);
        let address = rude.address();
        server.expect_log(&[&address, "connected"]);
        rude.reset();
        server.expect_log(&[&address, "dropped"]);
        exchange(&mut greeted(&server), GET_1, ENTRY_HI);
    }
}

#[test]
fn a_limit_without_room_for_the_greeting_is_wrong_usage() {
    for rung in rungs_in("object-exchange") {
        println!("over {}", rung.name);
        let finished = rung.run(&["server", "--port", "0", "--max-message", "12"]);
        let finished = finished.expect_code(2).expect_stdout("");
        assert!(finished.stderr.contains("no room for the greeting"), "{}", finished.stderr);
    }
}

#[test]
fn what_is_no_request_is_told_before_it_is_sent() {
    for rung in rungs_in("object-exchange") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let finished = server.client(&["hello"]).expect_code(2);
        assert!(finished.stderr.contains("written as JSON"), "{}", finished.stderr);
    }
}

/// netload has the bytes of the protocol by itself, so that it needs no rung. It checks
/// every byte of the greeting and of each reply.
#[test]
fn what_netload_says_is_understood_and_what_it_expects_is_answered() {
    for rung in rungs_in("object-exchange") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let address = server.address.to_string();
        let mut load = Command::new(binaries::netload());
        load.args(["object", &address, "--count", "200", "--size", "1000", "--json"]);
        let report: Value = serde_json::from_str(&output(&mut load).unwrap()).unwrap();
        assert_eq!((&report["replies"], &report["faults"]["first"]), (&200.into(), &Value::Null));
    }
}
