//! One state over three channels, against real servers.

mod world;

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use netcore::request::Session;
use omnichannel::datagrams::LONGEST;
use omnichannel::message::{Ask, Draft, Reply, Request, Why};
use world::*;

#[test]
fn what_begins_on_one_channel_goes_on_on_the_next_and_ends_on_the_third() {
    let world = World::new();
    let server = world.server(&[]);
    for (revision, over, text) in
        [(1, "tcp", "Dear bank,"), (2, "udp", "please pay"), (3, "http", "Ann.")]
    {
        let added = world.client(&server, &["--over", over, &format!("add {text}")]);
        assert!(printed(&added).starts_with(&format!("revision {revision}: Dear")), "{added:?}");
    }
    let ann = world.token("ann");
    let whole = draft(3, "Dear bank, please pay Ann.");
    for over in ALL {
        assert_eq!(over.ask(server.address, &ann, &Ask::Get), Reply::Draft(whole.clone()));
    }
    // Another account has a draft of its own.
    let bob = world.token("bob");
    assert_eq!(Over::Udp.ask(server.address, &bob, &Ask::Get), Reply::Draft(Draft::default()));
}

#[test]
fn of_two_channels_that_change_one_revision_one_wins_and_the_other_is_told_what_is_there() {
    const ROUNDS: u64 = 1000;
    let world = World::new();
    let server = world.server(&[]);
    let (ann, address) = (world.token("ann"), server.address);
    let pairs = [(Over::Tcp, Over::Http), (Over::Udp, Over::Tcp), (Over::Http, Over::Udp)];
    let meet = Barrier::new(2);
    let write = |turn: usize| {
        let mut replies = Vec::new();
        for round in 0..ROUNDS {
            let (one, other) = pairs[round as usize % pairs.len()];
            let over = if turn == 0 { one } else { other };
            meet.wait();
            replies.push(over.ask(address, &ann, &put(round, &format!("{turn}"))));
        }
        replies
    };
    let (one, other) = thread::scope(|scope| {
        let one = scope.spawn(|| write(0));
        (write(1), one.join().unwrap())
    });
    let mut won = [0, 0];
    for (round, replies) in other.into_iter().zip(one).enumerate() {
        let made = round as u64 + 1;
        let winner = match replies {
            (Reply::Done(revision), Reply::Conflict(current)) => {
                assert_eq!((revision, current), (made, draft(made, "0")));
                0
            }
            (Reply::Conflict(current), Reply::Done(revision)) => {
                assert_eq!((revision, current), (made, draft(made, "1")));
                1
            }
            other => panic!("{round}: {other:?}"),
        };
        won[winner] += 1;
    }
    assert_eq!(won[0] + won[1], ROUNDS);
}

#[test]
fn the_same_request_again_has_one_effect_and_the_same_answer_also_after_a_restart() {
    let world = World::new();
    let server = world.server(&[]);
    let ann = world.token("ann");
    let ask = put(0, "once");
    // The number of a datagram is a key of its own.
    let request = Request { token: ann.clone(), key: None, ask: put(1, "numbered") };
    let datagram = Session::new().request(&encoded(&request)).encode();
    let mut first = None;
    let mut next = Some(server);
    for _ in 0..3 {
        let server = next.take().unwrap_or_else(|| world.server(&[]));
        for over in ALL {
            let reply = over.try_ask(server.address, &ann, Some("key-1"), &ask);
            assert_eq!(reply, Some(Reply::Done(1)), "{over:?}");
        }
        for _ in 0..3 {
            let reply = exchange(server.address, &datagram).unwrap();
            assert_eq!(*first.get_or_insert_with(|| reply.clone()), reply);
        }
        let now = Over::Tcp.ask(server.address, &ann, &Ask::Get);
        assert_eq!(now, Reply::Draft(draft(2, "numbered")));
        // Another request under that name is a mistake, and no repeat.
        for over in ALL {
            let reply = over.try_ask(server.address, &ann, Some("key-1"), &put(2, "other"));
            assert_eq!(reply, Some(Reply::Refused(Why::KeyReused)), "{over:?}");
        }
        server.kill();
    }
}

#[test]
fn a_key_on_the_command_line_names_what_is_the_same_when_it_comes_again() {
    let world = World::new();
    let server = world.server(&[]);
    let client = |message: &str| {
        let mut client = world.client_command(&server, &["--key", "k", message]);
        client.output().unwrap()
    };
    for message in ["add hi", "put hi", "delete", "get"] {
        let output = client(message);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("--key names"), "{output:?}");
    }
    for _ in 0..2 {
        let output = client("put@0 hi");
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert_eq!(output.stdout, b"revision 1: hi\n");
    }
    // What no field of HTTP can hold is no server that does not answer.
    let output = world.client(&server, &["--over", "http", "--key", "\n", "put@1 hi"]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
}

#[test]
fn an_end_without_a_follower_is_wrong_usage() {
    let world = World::new();
    let server = world.server(&[]);
    let output = world.client(&server, &["--until", "3", "get"]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert!(String::from_utf8_lossy(&output.stderr).contains("--until says"), "{output:?}");
    let output = world.client(&server, &["--until", "1", "put hi", "follow"]);
    assert_eq!(printed(&output), "revision 1: hi\n".repeat(2));
}

#[test]
fn what_an_operation_does_not_take_is_told_and_nothing_is_done() {
    let world = World::new();
    let server = world.server(&[]);
    for message in ["get 1", "get@1", "add@1 hi", "delete the draft", "follow 5", "hi", ""] {
        let output = world.client(&server, &[message]);
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{message}: {told}");
        assert!(told.contains(&format!("{message:?} is no operation: get,")), "{told}");
    }
    let now = Over::Tcp.ask(server.address, &world.token("ann"), &Ask::Get);
    assert_eq!(now, Reply::Draft(Draft::default()));
}

#[test]
fn a_text_that_is_too_long_for_a_datagram_is_told_so_there_and_works_elsewhere() {
    let world = World::new();
    let server = world.server(&["--max-text", "4k"]);
    let (ann, address) = (world.token("ann"), server.address);
    let long = "x".repeat(LONGEST + 1);
    let too_long = Reply::Refused(Why::TooLong { length: 1001, most: 1000 });
    assert_eq!(Over::Udp.ask(address, &ann, &put(0, &long)), too_long);
    let told = world.client(&server, &["--over", "udp", &format!("put {long}")]);
    assert_eq!(told.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&told.stderr).contains("this channel takes 1000"));
    assert_eq!(Over::Tcp.ask(address, &ann, &put(0, &long)), Reply::Done(1));
    // Nor can it be read there, or followed.
    assert_eq!(Over::Udp.ask(address, &ann, &Ask::Get), too_long);
    assert_eq!(Over::Udp.ask(address, &ann, &Ask::Follow { since: 0 }), too_long);
    assert_eq!(Over::Udp.ask(address, &ann, &put(0, "late")), too_long);
    assert_eq!(Over::Http.ask(address, &ann, &Ask::Get), Reply::Draft(draft(1, &long)));
    let exact = "y".repeat(LONGEST);
    assert_eq!(Over::Udp.ask(address, &ann, &put(1, &exact)), Reply::Done(2));
    assert_eq!(Over::Udp.ask(address, &ann, &Ask::Get), Reply::Draft(draft(2, &exact)));
    // What no channel takes.
    let longer = "z".repeat((4 << 10) + 1);
    let most = Reply::Refused(Why::TooLong { length: 4097, most: 4096 });
    assert_eq!(Over::Tcp.ask(address, &ann, &put(2, &longer)), most);
    let answer = http(address, http_request(&ann, None, &put(2, &longer))).unwrap();
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    let told = world.client(&server, &["--over", "http", &format!("put {longer}")]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    let error = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(error.starts_with("error: cannot ask the server: 413: the body is"), "{error}");
    let told = world.client(&server, &[&format!("put {}", longer.repeat(2))]);
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(String::from_utf8_lossy(&told.stderr).contains("this channel takes"), "{told:?}");
    let key = "k".repeat(65);
    let reply = Over::Tcp.try_ask(address, &ann, Some(&key), &put(2, "a"));
    assert!(matches!(reply, Some(Reply::Refused(Why::KeyTooLong { .. }))), "{reply:?}");
}

#[test]
fn a_slow_commit_stops_no_reader() {
    let world = World::new();
    let server = world.server(&["--slow-commit", "2s", "--max-clients", "50"]);
    let (ann, address) = (world.token("ann"), server.address);
    let written = AtomicBool::new(false);
    thread::scope(|scope| {
        let (ann, written) = (&ann, &written);
        let mut writers = Vec::new();
        for over in ALL {
            writers.push(scope.spawn(move || {
                let reply = over.ask(address, ann, &put(0, "slow"));
                written.store(true, Ordering::SeqCst);
                reply
            }));
        }
        // The writers are there: every request is counted when it comes.
        let asked = "omnichannel_requests_total{channel=\"udp\"} 1";
        eventually("the writers have asked", || {
            http(address, "GET /metrics HTTP/1.0\r\n\r\n").unwrap().contains(asked)
        });
        for over in ALL {
            for _ in 0..20 {
                let reply = over.ask(address, ann, &Ask::Get);
                assert_eq!(reply, Reply::Draft(Draft::default()), "{over:?}");
            }
        }
        assert!(!written.load(Ordering::SeqCst), "reading took as long as a commit");
        let replies: Vec<Reply> = writers.into_iter().map(|it| it.join().unwrap()).collect();
        assert_eq!(replies.iter().filter(|it| **it == Reply::Done(1)).count(), 1, "{replies:?}");
    });
}

#[test]
fn a_slow_commit_is_one_of_a_change_and_makes_neither_start_nor_stop_slow() {
    let world = World::new();
    let mut command = world.program();
    command.args(["server", "--port", "0", "--account", "ann", "--slow-commit", "10m"]);
    let output = ended(command.args(["--accept-timeout", "100ms"]));
    assert_eq!(output.status.code(), Some(0), "{output:?}");
}

#[test]
fn http_says_which_revision_and_asks_for_it() {
    let world = World::new();
    let server = world.server(&[]);
    let (ann, address) = (world.token("ann"), server.address);
    let said = |method: &str, fields: &str, text: &str| {
        let length = text.len();
        let request = format!(
            "{method} /draft HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer {}\r\n{fields}Content-Length: {length}\r\n\r\n{text}",
            ann.0
        );
        http(address, request).unwrap()
    };
    assert!(said("PUT", "", "x").starts_with("HTTP/1.1 428 "));
    for tag in ["*", "0", "W/\"0\"", "\"0\", \"1\"", "\"x\"", "\"-1\"", "\"+0\"", "\"00\""] {
        let answer = said("PUT", &format!("If-Match: {tag}\r\n"), "x");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{tag}: {answer}");
    }
    // Of two none is chosen, and what cannot be read is not as if it were not there.
    let two_tags = "If-Match: \"0\"\r\nIf-Match: \"1\"\r\n";
    let two_keys = "If-Match: \"0\"\r\nIdempotency-Key: a\r\nIdempotency-Key: b\r\n";
    let long = format!("If-Match: \"0\"\r\nIdempotency-Key: {}\r\n", "k".repeat(65));
    for fields in [two_tags, two_keys, &long] {
        let answer = said("PUT", fields, "x");
        assert!(answer.starts_with("HTTP/1.1 400 "), "{fields}: {answer}");
    }
    let request = http_request(&ann, Some("é"), &put(0, "x"));
    let in_latin_1: Vec<u8> = request.chars().map(|it| it as u8).collect();
    let answer = http(address, in_latin_1).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
    assert!(said("PUT", &long, "x").ends_with("the key has 65 bytes, and 64 are taken\n"));
    let answer = said("PUT", "If-Match: \"0\"\r\n", "привет");
    assert!(answer.starts_with("HTTP/1.1 204 "), "{answer}");
    assert_eq!(field(&answer, "etag"), Some("\"1\""));
    let answer = said("GET", "If-None-Match: \"1\"\r\n", "");
    assert!(answer.starts_with("HTTP/1.1 304 "), "{answer}");
    let answer = said("GET", "If-None-Match: \"0\"\r\n", "");
    assert!(answer.ends_with("\r\n\r\nпривет"), "{answer}");
    let answer = http(address, "GET /draft HTTP/1.0\r\n\r\n").unwrap();
    assert_eq!(field(&answer, "www-authenticate"), Some("Bearer"));
    let page = http(address, "GET / HTTP/1.0\r\n\r\n").unwrap();
    assert!(field(&page, "content-security-policy").unwrap().contains("default-src 'none'"));
    assert!(page.contains("/page.js"), "{page}");
    // Only this server's own page may ask for more than a page can without a question.
    assert_eq!(field(&said("OPTIONS", "", ""), "access-control-allow-origin"), None);
}

#[cfg(unix)]
#[test]
fn a_stop_ends_who_follows_and_what_was_asked_for_is_on_the_disk() {
    use std::io::{Read, Write};
    use std::process::Stdio;

    let world = World::new();
    let server = world.server(&[]);
    let ann = world.token("ann");
    let mut follower = world.client_command(&server, &["follow"]);
    let mut follower = follower.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let mut events = connect(server.address).unwrap();
    let request = "GET /changes HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ";
    events.write_all(format!("{request}{}\r\n\r\n", ann.0).as_bytes()).unwrap();
    let followers = ["{channel=\"tcp\"} 1", "{channel=\"http\"} 1"];
    eventually("both follow", || {
        let page = http(server.address, "GET /metrics HTTP/1.0\r\n\r\n").unwrap();
        followers.iter().all(|it| page.contains(&format!("omnichannel_followers{it}")))
    });
    assert_eq!(Over::Http.ask(server.address, &ann, &put(0, "kept")), Reply::Done(1));
    let (code, _) = server.stop();
    assert_eq!(code, Some(0));
    let mut text = String::new();
    events.read_to_string(&mut text).unwrap();
    assert!(text.contains("\"text\":\"kept\"") && text.ends_with("0\r\n\r\n"), "{text}");
    follower.kill().unwrap();
    follower.wait().unwrap();
    let server = world.server(&[]);
    assert_eq!(Over::Tcp.ask(server.address, &ann, &Ask::Get), Reply::Draft(draft(1, "kept")));
}

#[test]
fn a_bucket_without_the_engine_that_has_it_is_wrong_usage() {
    let world = World::new();
    for elsewhere in [&[][..], &["--memory"], &["--data", "d"], &["--follow", "127.0.0.1:1"]] {
        let mut command = world.program();
        command.args(["server", "--port", "0", "--accept-timeout", "100ms", "--bucket", "mine"]);
        let output = ended(command.args(elsewhere));
        assert_eq!(output.status.code(), Some(2), "{elsewhere:?}: {output:?}");
    }
}
