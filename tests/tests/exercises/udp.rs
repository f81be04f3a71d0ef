//! udp-echo, udp-retry, udp-once, udp-batch.

use std::collections::BTreeSet;

use ladder_tests::{Datagrams, Server, rung};

#[test]
fn one_socket_answers_each_client_at_its_own_address() {
    let server = Server::start(rung("udp-echo"), &[]);
    let (one, two) = (Datagrams::bind(), Datagrams::bind());
    one.send(b"from one", server.inet());
    two.send(b"from two", server.inet());
    // Nobody has connected; the address that came with a datagram is all that the server
    // knows.
    two.expect(b"from two");
    one.expect(b"from one");
}

#[test]
fn an_empty_datagram_is_a_message_and_no_end() {
    let server = Server::start(rung("udp-echo"), &[]);
    let client = Datagrams::bind();
    client.send(b"", server.inet());
    client.expect(b"");
    client.send(b"more", server.inet());
    client.expect(b"more");
}

#[test]
fn a_burst_is_answered_one_by_one() {
    let server = Server::start(rung("udp-batch"), &[]);
    let client = Datagrams::bind();
    let sent: BTreeSet<Vec<u8>> =
        (0..32).map(|number| format!("number {number}").into_bytes()).collect();
    for message in &sent {
        client.send(message, server.inet());
    }
    // However many came with one call: a batch is the server's own affair.
    let received: BTreeSet<Vec<u8>> = sent.iter().map(|_| client.receive().0).collect();
    assert_eq!(received, sent);
}

#[test]
fn the_same_number_in_another_session_is_another_request() {
    let server = Server::start(rung("udp-retry"), &[]);
    let client = Datagrams::bind();
    for (session, answer) in [(b"sessionA", "1: hello"), (b"sessionB", "2: hello")] {
        let header = |kind: &[u8]| [b"NLR1", kind, b"\x01", session, &[0; 8]].concat();
        client.send(&[&header(b"\x01")[..], b"hello"].concat(), server.inet());
        // Its client knows it by the session, which no other one has.
        client.expect(&[&header(b"\x02")[..], answer.as_bytes()].concat());
    }
}

#[test]
fn a_number_is_run_once_whatever_comes_under_it_later() {
    let server = Server::start(rung("udp-once"), &[]);
    let client = Datagrams::bind();
    let request = |attempt: u8, text: &str| {
        [b"NLR1\x01", &[attempt][..], b"sessionA", &[0; 8], text.as_bytes()].concat()
    };
    let reply = |attempt: u8, text: &str| {
        [b"NLR1\x02", &[attempt][..], b"sessionA", &[0; 8], text.as_bytes()].concat()
    };
    client.send(&request(1, "pay"), server.inet());
    client.expect(&reply(1, "1: pay"));
    // The second try of the same request. That it says something else is its sender's
    // mistake.
    client.send(&request(2, "pay again"), server.inet());
    client.expect(&reply(2, "1: pay"));
}
