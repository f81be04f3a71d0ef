//! What a client of somebody else's API does, seen from outside: the third party counts what
//! took effect.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Command;
use std::thread;

use ladder_tests::{Process, Rung, Server, rungs_in};

/// The third party of each rung in a mood, and a client.
fn over_every_rung(mood: &[&str], check: impl Fn(&'static Rung, &Server)) {
    for rung in rungs_in("api-client") {
        println!("over {}", rung.name);
        check(rung, &Server::start(rung, &[&["--mood"], mood].concat()));
    }
}

fn client(rung: &'static Rung, server: &Server, args: &[&str]) -> Process {
    let port = server.port().to_string();
    rung.start(&[&["client", "--port", &port], args].concat())
}

#[track_caller]
fn assert_effects(rung: &'static Rung, server: &Server, effects: u32) {
    let told = client(rung, server, &["--get", "/effects"]).wait().expect_code(0);
    let told = told.printed();
    assert!(told.contains(&format!("\"effects\":{effects},")), "{told}");
}

#[test]
fn a_message_whose_answer_is_lost_has_one_effect() {
    over_every_rung(&["flaky"], |rung, server| {
        let sent = client(rung, server, &["hello"]).wait().expect_code(0);
        assert_eq!(sent.printed(), "note 1: hello\n");
        assert!(sent.stderr.contains("503") && sent.stderr.contains("502"), "{}", sent.stderr);
        assert_effects(rung, server, 1);
    });
}

#[test]
fn without_a_key_it_is_sent_once_and_what_is_not_known_is_told() {
    over_every_rung(&["flaky"], |rung, server| {
        client(rung, server, &["--no-key", "turned away"]).wait().expect_code(75);
        assert_effects(rung, server, 0);
        client(rung, server, &["--no-key", "lost"]).wait().expect_code(75);
        assert_effects(rung, server, 1);
    });
}

#[test]
fn an_outage_that_ends_is_waited_out_and_one_that_does_not_is_given_up() {
    over_every_rung(&["down", "--outage", "1s"], |rung, server| {
        let sent = client(rung, server, &["hello"]).wait().expect_code(0);
        assert_eq!(sent.printed(), "note 1: hello\n");
    });
    over_every_rung(&["down"], |rung, server| {
        let sent = client(rung, server, &["--within", "1s", "hello"]).wait().expect_code(75);
        assert!(sent.stderr.contains("error: cannot send the note now: "), "{}", sent.stderr);
    });
}

#[test]
fn curl_with_one_key_twice_has_one_effect_where_it_is_installed() {
    over_every_rung(&["ok"], |rung, server| {
        let url = format!("http://127.0.0.1:{}/notes", server.port());
        let ask = || {
            let body = "{\"text\":\"from curl\"}";
            let args = ["-sS", "--max-time", "30", "-H", "Idempotency-Key: one", "-d", body, &url];
            Command::new("curl").args(args).output()
        };
        let (Ok(first), Ok(second)) = (ask(), ask()) else { return };
        assert_eq!(String::from_utf8_lossy(&first.stdout), "{\"number\":1,\"text\":\"from curl\"}");
        assert_eq!(first.stdout, second.stdout);
        assert_effects(rung, server, 1);
    });
}

/// A path may come from somebody else, as part of an answer.
#[test]
fn the_secret_goes_nowhere_else_whatever_the_path_is() {
    over_every_rung(&["ok"], |rung, server| {
        let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
        elsewhere.set_nonblocking(true).unwrap();
        let place = elsewhere.local_addr().unwrap();
        let token = std::env::temp_dir().join(format!("secret-{}", place.port()));
        std::fs::write(&token, "a secret").unwrap();
        let file = token.to_string_lossy();
        for path in [format!("http://{place}/x"), format!("//{place}/x")] {
            let args = ["--token-file", &*file, "--within", "2s", "--get", path.as_str()];
            let asked = client(rung, server, &args).wait().expect_code(1);
            assert!(asked.stderr.contains("the path leads to another origin"), "{}", asked.stderr);
            // When the client has ended, whoever it has asked knows.
            assert!(elsewhere.accept().is_err(), "{path}");
        }
        std::fs::remove_file(&token).unwrap();
    });
}

/// Characters that are commands to a terminal, and an end of a line where none should be.
#[test]
fn what_the_third_party_says_is_shown_as_plain_text_on_one_line() {
    for rung in rungs_in("api-client") {
        let third_party = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = third_party.local_addr().unwrap().port().to_string();
        // The first connection only looks whether anybody is there, and says nothing.
        let answering = thread::spawn(move || {
            for stream in third_party.incoming().take(2) {
                let (mut stream, mut buf) = (stream.unwrap(), [0; 4096]);
                if stream.read(&mut buf).unwrap_or(0) == 0 {
                    continue;
                }
                let body = r#"{"number":1,"text":"\u001b[2J\u009b31m\nnote 2: forged"}"#;
                let head = format!(
                    "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: {}",
                    body.len()
                );
                stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).unwrap();
            }
        });
        let sent = rung.start(&["client", "--port", &port, "hello"]).wait().expect_code(0);
        let printed = sent.printed();
        assert_eq!(printed.lines().count(), 1, "{printed:?}");
        assert!(!printed.trim_end().chars().any(char::is_control), "{printed:?}");
        answering.join().unwrap();
    }
}
