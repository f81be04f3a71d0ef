//! What every UDP echo server and its client do: each datagram stands alone, may be
//! lost, and comes with its sender's address.

use ladder_tests::{Datagrams, Server, python, rungs_in};

/// The largest datagram over IPv4: 65,535 less 20 of IP's header and 8 of UDP's.
const LARGEST: usize = 65_507;

/// The largest that one packet over loopback holds, which macOS has smaller:
/// `udp-batch` sends no fragments.
const ONE_PACKET: usize = if cfg!(target_vendor = "apple") { 16_384 - 28 } else { LARGEST };

fn over_every_server(args: &[&str], visit: impl Fn(&Server, &Datagrams)) {
    for rung in rungs_in("udp-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, args);
        visit(&server, &Datagrams::bind());
        let next = Datagrams::bind();
        next.send(b"NEXT", server.inet());
        assert_eq!(next.expect(b"NEXT"), server.inet());
    }
}

/// One more reply comes, and none before it: a second one to what was sent earlier
/// would be under way already.
#[track_caller]
fn expect_no_other_reply(server: &Server, client: &Datagrams) {
    client.send(b"LAST", server.inet());
    client.expect(b"LAST");
}

/// Starts the client of each rung against us: we are its server.
fn over_every_client(args: &[&str], serve: impl Fn(&Datagrams, ladder_tests::Process)) {
    for rung in rungs_in("udp-echo") {
        println!("over {}", rung.name);
        let server = Datagrams::bind();
        let port = server.address().port().to_string();
        let client = rung.start(&[&["client", "--port", &port], args].concat());
        serve(&server, client);
    }
}

#[test]
fn a_datagram_comes_back_to_its_sender() {
    over_every_server(&[], |server, client| {
        for message in ["hello", "Привет, сервер!", ""] {
            client.send(message.as_bytes(), server.inet());
            assert_eq!(client.expect(message.as_bytes()), server.inet());
        }
        expect_no_other_reply(server, client);
    });
}

#[test]
fn the_largest_datagram_comes_back_whole() {
    let message: Vec<u8> = (0..ONE_PACKET).map(|i| (i / 251) as u8).collect();
    over_every_server(&[], |server, client| {
        client.send(&message, server.inet());
        client.expect(&message);
    });
}

#[test]
fn a_datagram_that_is_no_text_is_answered_as_any_other() {
    over_every_server(&["-v"], |server, client| {
        client.send(b"\xff\xfe\xd0", server.inet());
        client.expect(b"\xff\xfe\xd0");
        server.expect_log(&[r"received 3 bytes", r#""\xff\xfe\xd0""#]);
    });
}

#[test]
fn a_prefix_stands_before_each_reply() {
    for rung in rungs_in("udp-echo").into_iter().filter(|rung| rung.server_takes("--prefix")) {
        println!("over {}", rung.name);
        let server = Server::start(rung, &["--prefix", "Ответ: "]);
        let client = Datagrams::bind();
        for message in ["Hello UDP!", ""] {
            client.send(message.as_bytes(), server.inet());
            client.expect(format!("Ответ: {message}").as_bytes());
        }
    }
}

#[test]
fn a_sender_that_has_gone_before_its_reply_does_not_stop_the_server() {
    over_every_server(&[], |server, _| {
        for _ in 0..20 {
            // The reply meets a closed port, which the system tells the server on some platforms.
            Datagrams::bind().send(b"too late", server.inet());
        }
    });
}

#[test]
fn a_server_that_never_answers_is_told() {
    over_every_client(&["--timeout", "100ms", "hello"], |server, client| {
        let finished = client.wait().expect_code(1).expect_stdout("");
        server.expect(b"hello");
        server.assert_would_block();
        let address = server.address();
        let error = format!("error: cannot get a reply from {address}: timed out");
        assert!(finished.stderr.contains(&error), "{}", finished.stderr);
        assert!(finished.stderr.contains("\nhint: "), "{}", finished.stderr);
    });
}

#[test]
fn the_reply_of_a_stranger_is_ignored() {
    over_every_client(&["--timeout", "30s", "hello"], |server, client| {
        let from = server.expect(b"hello");
        Datagrams::bind().send(b"evil hello", from);
        server.send(b"hello", from);
        client.wait().expect_code(0).expect_stdout("hello\n");
    });
}

#[test]
fn a_reply_that_comes_twice_is_not_taken_for_the_next_one() {
    over_every_client(&["--timeout", "30s", "first", "second"], |server, client| {
        let from = server.expect(b"first");
        server.send(b"first", from);
        server.send(b"first", from);
        assert_eq!(server.expect(b"second"), from);
        server.send(b"second", from);
        client.wait().expect_code(0).expect_stdout("first\nsecond\n");
    });
}

#[test]
fn a_message_longer_than_any_datagram_is_told_before_it_is_sent() {
    for rung in rungs_in("udp-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let fits = "x".repeat(ONE_PACKET);
        let finished = server.client_with_input(&[], fits.as_bytes());
        finished.expect_code(0).expect_stdout(&format!("{fits}\n"));
        let finished = server.client_with_input(&[], "x".repeat(LARGEST + 1).as_bytes());
        let finished = finished.expect_code(1).expect_stdout("");
        assert!(finished.stderr.contains("65508 bytes"), "{}", finished.stderr);
    }
}

#[test]
fn nobody_listening_is_told_with_a_hint() {
    for rung in rungs_in("udp-echo") {
        println!("over {}", rung.name);
        // Nobody listens on port 1 over UDP, and it is not handed out as a free one.
        let finished =
            rung.run(&["client", "--port", "1", "hello"]).expect_code(1).expect_stdout("");
        let error = "error: cannot get a reply from 127.0.0.1:1: connection refused\n";
        assert!(finished.stderr.contains(error), "{}", finished.stderr);
        assert!(
            finished.stderr.contains("\nhint: no server is listening there"),
            "{}",
            finished.stderr
        );
    }
}

/// T2.9: one socket, and the sender's address comes with every datagram.
#[test]
fn t2_9_clients_that_take_turns_each_get_their_own_replies() {
    over_every_server(&[], |server, first| {
        let second = Datagrams::bind();
        for round in 0..10 {
            let (a, b) = (format!("first {round}"), format!("second {round}"));
            first.send(a.as_bytes(), server.inet());
            second.send(b.as_bytes(), server.inet());
            second.expect(b.as_bytes());
            first.expect(a.as_bytes());
        }
        expect_no_other_reply(server, first);
        expect_no_other_reply(server, &second);
    });
}

/// T2.11: a person at a prompt, who sees replies and errors and goes on.
#[cfg(unix)]
#[test]
fn t2_11_a_prompt_shows_replies_and_errors_and_goes_on_until_the_end_of_input() {
    use ladder_tests::peer::lasting_port;
    use ladder_tests::terminal::client_at_prompt;

    for rung in rungs_in("udp-echo") {
        println!("over {}", rung.name);
        let port = lasting_port();
        let server = Server::start_on(rung, port, &[]);
        let (mut keyboard, client) = client_at_prompt(rung, port);
        keyboard.type_line("hello");
        client.expect_stdout(&["hello"]);
        // Now nobody listens there. The number is the system's own.
        drop(server);
        keyboard.type_line("anybody?");
        client.expect_stderr(&["error: ", "connection refused", "(os error "]);
        let again = Server::start_on(rung, port, &[]);
        keyboard.type_line("still here");
        client.expect_stdout(&["still here"]);
        keyboard.type_end();
        client.wait().expect_code(0).expect_stdout("hello\nstill here\n");
        drop(again);
    }
}

/// The box of the chapter, against each of them.
#[test]
fn python_talks_to_it() {
    for rung in rungs_in("udp-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &["--prefix", "Ответ: "]);
        let program = python::boxed("udp-echo").replace("50007", &server.port().to_string());
        let Some(finished) = python::run(&program) else { return };
        finished.expect_code(0).expect_stdout("Ответ: Привет, UDP!\n");
    }
}
