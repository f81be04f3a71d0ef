//! Who follows misses nothing and is told nothing twice, whatever breaks in between.

mod world;

use std::io::Read;
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::thread;

use omnichannel::message::Reply;
use world::*;

/// Changes that each follower sees, in all.
const CHANGES: u64 = 120;

fn expected() -> String {
    (1..=CHANGES).map(|made| format!("revision {made}: text {}\n", made - 1)).collect()
}

fn text_of(mut child: Child) -> String {
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success());
    text
}

#[test]
fn followers_see_each_change_once_and_in_order_across_reconnects_and_a_killed_server() {
    let world = World::new();
    let port = free_port();
    // Every connection of a follower is ended after half a second, on top of what is killed.
    let args = ["--port", &port, "--total", "500ms"];
    let start = || world.server_with(&[&["--account", "ann"], &args[..]].concat());
    let server = start();
    let ann = world.token("ann");
    let until = CHANGES.to_string();
    let followers: Vec<Child> = ["tcp", "udp", "http"]
        .into_iter()
        .map(|over| {
            let args = ["--over", over, "--until", &until, "follow"];
            let mut command = world.client_command(&server, &args);
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
        })
        .collect();
    write(&server, &ann, 0, CHANGES / 3);
    server.kill();
    let server = start();
    // So many that each connection is ended at least once.
    for from in (CHANGES / 3)..(CHANGES - 10) {
        write(&server, &ann, from, from + 1);
        thread::sleep(std::time::Duration::from_millis(10));
    }
    server.kill();
    let server = start();
    write(&server, &ann, CHANGES - 10, CHANGES);
    for follower in followers {
        assert_eq!(text_of(follower), expected());
    }
    // Who comes late is told the same, also in many small answers.
    for over in ["tcp", "udp", "http"] {
        let args = ["--over", over, "--until", &until, "follow"];
        assert_eq!(printed(&world.client(&server, &args)), expected(), "{over}");
    }
}

#[test]
fn events_begin_behind_the_last_that_was_seen() {
    let world = World::new();
    let server = world.server(&["--total", "1s"]);
    let ann = world.token("ann");
    write(&server, &ann, 0, 3);
    let gone = Over::Tcp.ask(server.address, &ann, &put(3, "two\r\nlines"));
    assert_eq!(gone, Reply::Done(4));
    let events = |fields: &str| {
        let request = format!(
            "GET /changes HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\
             Authorization: Bearer {}\r\n{fields}\r\n",
            ann.0
        );
        http(server.address, &request).unwrap()
    };
    let all = events("");
    assert_eq!(field(&all, "content-type"), Some("text/event-stream"));
    for revision in 1..=4 {
        assert_eq!(all.matches(&format!("id: {revision}\n")).count(), 1, "{all}");
    }
    let last = events("Last-Event-ID: 3\r\n");
    assert_eq!(last.matches("id: ").count(), 1, "{last}");
    assert!(
        last.contains("id: 4\ndata: {\"revision\":4,\"text\":\"two\\r\\nlines\"}\n\n"),
        "{last}"
    );
    // It ends in good order, so that a browser comes again.
    assert!(last.ends_with("\r\n0\r\n\r\n"), "{last}");
    assert!(!events("Last-Event-ID: 4\r\n").contains("id: "));
    assert!(events("Last-Event-ID: x\r\n").starts_with("HTTP/1.1 400 "));
}

/// As after a store was put back: it would hear nothing until its revision is passed, and miss
/// what had that number.
#[test]
fn who_has_seen_more_than_there_is_is_told() {
    if is_shared() {
        // What is behind a bucket may have to come yet.
        return;
    }
    let world = World::new();
    let server = world.server(&[]);
    let ann = world.token("ann");
    write(&server, &ann, 0, 2);
    for over in ["tcp", "udp", "http"] {
        let told = world.client(&server, &["--over", over, "follow@3"]);
        assert_eq!(told.status.code(), Some(1), "{over}");
        let error = String::from_utf8_lossy(&told.stderr).into_owned();
        assert!(error.contains("this is not the store that was followed before"), "{error}");
    }
    // A replica may be behind, and hears in the end.
    let follow = server.address.to_string();
    let replica = world.server(&["--follow", &follow, "--data", "replica.redb"]);
    let followers = ["tcp", "udp", "http"].map(|over| {
        let mut command =
            world.client_command(&replica, &["--over", over, "--until", "4", "follow@3"]);
        command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap()
    });
    write(&server, &ann, 2, 4);
    for follower in followers {
        assert_eq!(text_of(follower), "revision 4: text 3\n");
    }
}

#[test]
fn of_what_is_not_kept_the_last_is_still_there() {
    let world = World::new();
    let server = world.server(&["--history", "5"]);
    let ann = world.token("ann");
    write(&server, &ann, 0, 20);
    let output = world.client(&server, &["--until", "20", "follow"]);
    let expected: String =
        (16..=20).map(|made| format!("revision {made}: text {}\n", made - 1)).collect();
    assert_eq!(printed(&output), expected);
}

/// As a proxy does in front of a server that is down.
#[test]
fn what_ends_each_connection_at_once_is_not_asked_all_the_time() {
    const CONNECTIONS: u32 = 6;
    let world = World::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let replica = world.server(&["--memory", "--follow", &address.to_string()]);
    let took = |what: &str| {
        let mut began = Vec::new();
        for _ in 0..CONNECTIONS {
            let (mut stream, _) = listener.accept().unwrap();
            began.push(std::time::Instant::now());
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            let _ = stream.read_to_end(&mut Vec::new());
        }
        let took = began[began.len() - 1] - began[0];
        // The shortest of the pauses, and no more than that is promised.
        let least = std::time::Duration::from_millis(100) * (CONNECTIONS - 1);
        assert!(took >= least, "{what}: {took:?}");
    };
    took("a replica");
    let log = replica.kill();
    assert!(log.contains("cannot be followed for now: the other end closed"), "{log}");
    let mut client = world.program();
    client.args(["client", "--port", &address.port().to_string(), "follow"]);
    let mut client = client.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    took("a client");
    client.kill().unwrap();
    client.wait().unwrap();
}
