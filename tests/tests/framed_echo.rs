//! What every server of framed messages does: four bytes of length, the most
//! significant first, and so many bytes of text. One message in, one message out,
//! however the network cuts or joins them.

use ladder_tests::peer::Peer;
use ladder_tests::{Rung, Server, rungs_in};

/// Letters of one, two, three and four bytes.
const TEXT: &str = "hello, Привет, 世界 👋";

fn over_every_rung(args: &[&str], visit: impl Fn(&Server, &mut Peer)) {
    for rung in rungs_in("framed-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, args);
        let mut client = server.connect();
        visit(&server, &mut client);
        drop(client);
        assert_serves_the_next(&server);
    }
}

#[track_caller]
fn assert_serves_the_next(server: &Server) {
    let mut next = server.connect();
    next.send(&framed("NEXT"));
    next.expect_bytes(&framed("NEXT"));
}

/// The server says nothing more to this client and tells its own log why.
#[track_caller]
fn expect_refusal(server: &Server, client: &mut Peer, reason: &str) {
    client.expect_hang_up_without_a_word();
    server.expect_log(&[&client.address(), "dropped", reason]);
}

fn framed(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("the text is short");
    [&length.to_be_bytes(), text.as_bytes()].concat()
}

/// The tutorial's header: ten characters, the digits first.
fn framed_in_ascii(text: &str) -> Vec<u8> {
    format!("{:<10}{text}", text.len()).into_bytes()
}

#[test]
fn a_whole_message_comes_back() {
    over_every_rung(&[], |_, client| {
        for text in [TEXT, "", "x"] {
            client.send(&framed(text));
            client.expect_bytes(&framed(text));
        }
        client.assert_would_block();
    });
}

#[test]
fn one_byte_segments_make_one_message() {
    over_every_rung(&[], |_, client| {
        for byte in framed(TEXT) {
            client.send(&[byte]);
        }
        client.expect_bytes(&framed(TEXT));
        client.assert_would_block();
    });
}

#[test]
fn messages_that_arrive_together_are_answered_one_by_one_in_order() {
    over_every_rung(&[], |_, client| {
        client.send(&[framed("first"), framed(""), framed("third")].concat());
        client.expect_bytes(&framed("first"));
        client.expect_bytes(&framed(""));
        client.expect_bytes(&framed("third"));
        client.assert_would_block();
    });
}

#[test]
fn a_message_that_is_cut_at_any_byte_is_answered_once_it_is_whole() {
    over_every_rung(&[], |_, client| {
        let message = framed(TEXT);
        for at in 0..message.len() {
            // With the answer to the message before it, the server has the first part of this one
            // as well.
            client.send(&[&framed("before")[..], &message[..at]].concat());
            client.expect_bytes(&framed("before"));
            client.assert_would_block();
            client.send(&message[at..]);
            client.expect_bytes(&message);
        }
    });
}

#[test]
fn a_client_that_half_closes_gets_every_answer_and_then_the_end_of_the_stream() {
    over_every_rung(&[], |server, client| {
        client.send(&[framed("last"), framed("words")].concat());
        client.half_close();
        client.expect_bytes(&framed("last"));
        client.expect_bytes(&framed("words"));
        client.expect_end_of_stream();
        server.expect_log(&[&client.address(), "closed"]);
    });
}

#[test]
fn a_message_that_is_cut_short_is_reported_and_not_answered() {
    for rung in rungs_in("framed-echo") {
        // In the length, after it, and one byte before the end.
        for kept in [2, 4, framed(TEXT).len() - 1] {
            println!("over {}: {kept} bytes", rung.name);
            let server = Server::start(rung, &[]);
            let mut client = server.connect();
            client.send(&framed(TEXT)[..kept]);
            client.half_close();
            expect_refusal(&server, &mut client, "in the middle of a message");
            assert_serves_the_next(&server);
        }
    }
}

#[test]
fn a_length_over_the_limit_is_refused_before_its_message_comes() {
    over_every_rung(&["--max-message", "1k"], |server, client| {
        client.send(&u32::MAX.to_be_bytes());
        expect_refusal(server, client, "4294967295 bytes is over the limit of 1024");
    });
    over_every_rung(&["--max-message", "1k"], |_, client| {
        let largest = framed(&"x".repeat(1024));
        client.exchange(&largest, &largest);
    });
}

#[test]
fn a_message_that_is_no_text_ends_its_visit_only() {
    over_every_rung(&[], |server, client| {
        client.send(&[0, 0, 0, 2, 0xd0, 0x0a]);
        expect_refusal(server, client, "utf-8");
    });
}

#[test]
fn a_client_that_resets_the_connection_midway_ends_its_visit_only() {
    for rung in rungs_in("framed-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let mut rude = server.connect();
        rude.send(&[&framed("whole")[..], &framed("half")[..6]].concat());
        rude.expect_bytes(&framed("whole"));
        let address = rude.address();
        rude.reset();
        server.expect_log(&[&address, "dropped: connection reset by the other end"]);
        assert_serves_the_next(&server);
    }
}

#[test]
fn upper_case_changes_ascii_letters_only() {
    over_every_rung(&["--upper"], |_, client| {
        client.send(&framed(TEXT));
        client.expect_bytes(&framed("HELLO, Привет, 世界 👋"));
    });
}

#[test]
fn the_client_of_the_rung_brings_a_mebibyte_back() {
    let line = "0123456789abcdef".repeat((1 << 20) / 16);
    for rung in rungs_in("framed-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &["--max-message", "1m"]);
        let finished =
            server.client_with_input(&["--max-message", "1m"], format!("{line}\n").as_bytes());
        finished.expect_code(0).expect_stdout(&format!("{line}\n"));
    }
}

#[test]
fn the_clients_messages_and_lines_come_back_one_by_one() {
    for rung in rungs_in("framed-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        server
            .client(&["first", "", TEXT])
            .expect_code(0)
            .expect_stdout(&format!("first\n\n{TEXT}\n"));
        let finished = server.client_with_input(&[], "first\r\n\nпоследняя".as_bytes());
        finished.expect_code(0).expect_stdout("first\n\nпоследняя\n");
    }
}

#[test]
fn the_clients_own_limit_is_told_before_anything_is_sent() {
    for rung in rungs_in("framed-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let finished =
            server.client(&["--max-message", "4", "hello"]).expect_code(1).expect_stdout("");
        assert!(finished.stderr.contains("5 bytes is over the limit of 4"), "{}", finished.stderr);
    }
}

/// T2.12: the tutorial's own protocol, whose client reads 16 bytes at a time.
#[test]
fn t2_12_a_client_of_the_tutorials_protocol_is_understood() {
    for rung in rungs_in_ascii() {
        println!("over {}", rung.name);
        let server = Server::start(rung, &["--ascii-header"]);
        let mut client = server.connect();
        let long = TEXT.repeat(5);
        client.send(&[framed_in_ascii(&long), framed_in_ascii("next")].concat());
        for piece in framed_in_ascii(&long).chunks(16) {
            client.expect_bytes(piece);
        }
        // The length counts bytes: had it counted characters, the next message would begin
        // inside this one.
        client.expect_bytes(&framed_in_ascii("next"));
        client.assert_would_block();
        drop(client);
        server
            .client(&["--ascii-header", TEXT, ""])
            .expect_code(0)
            .expect_stdout(&format!("{TEXT}\n\n"));
    }
}

#[test]
fn t2_12_a_header_that_is_no_length_is_refused() {
    for rung in rungs_in_ascii() {
        for header in ["hello     ", "+5        ", "5 5       ", "          ", "-1        "] {
            println!("over {}: {header:?}", rung.name);
            let server = Server::start(rung, &["--ascii-header"]);
            let mut client = server.connect();
            client.send(header.as_bytes());
            expect_refusal(&server, &mut client, "header");
        }
    }
}

fn rungs_in_ascii() -> Vec<&'static Rung> {
    rungs_in("framed-echo").into_iter().filter(|rung| rung.server_takes("--ascii-header")).collect()
}

#[cfg(unix)]
#[test]
fn a_message_that_a_stop_cuts_is_told_as_the_doing_of_the_stop() {
    for rung in rungs_in("framed-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let mut client = server.connect();
        client.send(&[&framed("whole")[..], &framed("half")[..6]].concat());
        client.expect_bytes(&framed("whole"));
        let address = client.address();
        server.signal(rustix::process::Signal::TERM);
        server.expect_log(&[&address, "dropped: the server stops in the middle of a message"]);
        client.expect_end_of_stream();
        drop(client);
        server.wait().expect_code(0);
    }
}

#[test]
fn a_browser_that_asks_a_server_of_frames_is_known_by_the_log() {
    over_every_rung(&[], |server, client| {
        client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
        expect_refusal(server, client, "its length is the text \"GET \"");
    });
}
