//! A replica reads what another server has written, is never two pasts in one, and says why it
//! cannot be one.

mod world;

use omnichannel::message::{Ask, Draft, Reply, Secret};
use world::*;

/// What a server counts of requests in frames, those of its replicas among them.
fn frames_asked(server: &Server) -> u64 {
    const NAME: &str = "omnichannel_requests_total{channel=\"tcp\"} ";
    let page = http(server.address, "GET /metrics HTTP/1.0\r\nHost: localhost\r\n\r\n").unwrap();
    let line = page.lines().find(|line| line.starts_with(NAME)).unwrap();
    line[NAME.len()..].parse().unwrap()
}

#[test]
fn a_replica_reads_and_does_not_write_and_one_that_was_dead_catches_up() {
    let world = World::new();
    let primary = world.server(&["--total", "1s"]);
    let follow = primary.address.to_string();
    let args = ["--follow", &follow, "--data", "replica.redb"];
    let (ann, bob) = (world.token("ann"), world.token("bob"));
    write(&primary, &ann, 0, 5);
    let replica = world.server(&args);
    let has = |replica: &Server, token: &Secret, revision: u64| {
        let reply = Over::Udp.ask(replica.address, token, &Ask::Get);
        matches!(reply, Reply::Draft(Draft { revision: it, .. }) if it == revision)
    };
    eventually("the replica has it", || has(&replica, &ann, 5));
    // Also after the connection has ended at the limit of the primary, and begun anew.
    let before = frames_asked(&primary);
    eventually("the replica comes again", || frames_asked(&primary) > before);
    write(&primary, &bob, 0, 3);
    eventually("the replica has it", || has(&replica, &bob, 3));
    let told = world.client(&replica, &["put@5 x"]);
    assert_eq!(told.status.code(), Some(1));
    let error = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(error.contains(&format!("this is a replica: changes go to {follow}")), "{error}");
    let answer = http(replica.address, http_request(&ann, None, &put(5, "x"))).unwrap();
    assert!(answer.starts_with("HTTP/1.1 421 "), "{answer}");
    // Dead, while much happens, a delete too.
    replica.kill();
    write(&primary, &ann, 5, 200);
    let deleted = Over::Tcp.ask(primary.address, &bob, &Ask::Delete { revision: 3 });
    assert_eq!(deleted, Reply::Done(4));
    let replica = world.server(&args);
    eventually("it catches up", || has(&replica, &ann, 200) && has(&replica, &bob, 4));
    for token in [&ann, &bob] {
        for over in ALL {
            let there = over.ask(primary.address, token, &Ask::Get);
            assert_eq!(over.ask(replica.address, token, &Ask::Get), there, "{over:?}");
        }
    }
    // History as well: who follows may do so there.
    let output = world.client(&replica, &["--until", "200", "follow"]);
    assert_eq!(printed(&output).lines().count(), 200);
    // And while it runs, what the primary does while it is alone.
    primary.kill();
    assert!(has(&replica, &ann, 200), "a replica reads when it is alone");
}

#[test]
fn a_replica_does_not_mix_two_stores() {
    if is_shared() {
        // The other engine has no file that could be put back.
        return;
    }
    let world = World::new();
    let primary = world.server(&[]);
    let ann = world.token("ann");
    write(&primary, &ann, 0, 3);
    let first = primary.address.to_string();
    let replica = world.server(&["--follow", &first, "--data", "replica.redb"]);
    eventually("the replica has it", || {
        Over::Tcp.ask(replica.address, &ann, &Ask::Get) == Reply::Draft(draft(3, "text 2"))
    });
    replica.kill();
    // Another store, and the same one as it was before.
    let other = world.server(&["--data", "other.redb"]);
    write(&other, &ann, 0, 9);
    let address = other.address.to_string();
    let mixed = world.server(&["--follow", &address, "--data", "replica.redb"]);
    let (code, log) = mixed.wait();
    assert_eq!(code, Some(1), "{log}");
    assert!(log.contains("this is not the store that was followed before"), "{log}");
    primary.kill();
    copy(&world.path("omnichannel.redb"), &world.path("backup.redb"));
    let primary = world.server(&[]);
    write(&primary, &ann, 3, 6);
    let address = primary.address.to_string();
    let replica = world.server(&["--follow", &address, "--data", "replica.redb"]);
    eventually("the replica has it", || {
        Over::Tcp.ask(replica.address, &ann, &Ask::Get) == Reply::Draft(draft(6, "text 5"))
    });
    replica.kill();
    let old = world.server(&["--data", "backup.redb"]);
    let address = old.address.to_string();
    // What the replica has is ahead of it, and then beside it.
    for revision in 3..9 {
        let ahead = world.server(&["--follow", &address, "--data", "replica.redb"]);
        let (code, log) = ahead.wait();
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains("this is not the store that was followed before"), "{log}");
        let reply = Over::Tcp.ask(old.address, &ann, &put(revision, "since then"));
        assert_eq!(reply, Reply::Done(revision + 1));
    }
}

#[test]
fn a_replica_of_one_that_has_nothing_yet_has_the_same_store() {
    let world = World::new();
    let primary = world.server(&[]);
    let ann = world.token("ann");
    let first = primary.address.to_string();
    let middle = world.server(&["--follow", &first, "--data", "middle.redb"]);
    let second = middle.address.to_string();
    let args = ["--follow", &second, "--data", "last.redb"];
    let last = world.server(&args);
    eventually("it is followed", || frames_asked(&middle) >= 2);
    write(&primary, &ann, 0, 1);
    let has = |replica: &Server, revision| {
        let reply = Over::Udp.ask(replica.address, &ann, &Ask::Get);
        matches!(reply, Reply::Draft(Draft { revision: it, .. }) if it == revision)
    };
    eventually("it has it", || has(&last, 1));
    last.kill();
    let last = world.server(&args);
    write(&primary, &ann, 1, 2);
    eventually("it has it", || has(&last, 2));
}

#[test]
fn a_replica_of_itself_ends_and_says_so() {
    if is_shared() {
        return;
    }
    let world = World::new();
    for bind in ["127.0.0.1", "0.0.0.0"] {
        let port = free_port();
        let address = format!("127.0.0.1:{port}");
        let tokens = ["--account", "ann", "--account", "replica"];
        let args = ["--bind", bind, "--port", &port, "--memory", "--follow", &address];
        let (code, log) = world.server_with(&[&args[..], &tokens[..]].concat()).wait();
        assert_eq!(code, Some(1), "{log}");
        assert!(log.contains("--follow leads to this server itself"), "{log}");
    }
}

/// Each of them waits for the other to write. Which one finds out, is a matter of time.
#[test]
fn replicas_of_each_other_find_out_and_say_so() {
    if is_shared() {
        return;
    }
    let world = World::new();
    let [first, second] = [free_port(), free_port()];
    let start = |own: &str, other: &str| {
        let follow = format!("127.0.0.1:{other}");
        let tokens = ["--account", "ann", "--account", "replica"];
        let args = ["--port", own, "--memory", "--total", "1s", "--follow", &follow];
        world.server_with(&[&args[..], &tokens[..]].concat())
    };
    let mut both = [start(&first, &second), start(&second, &first)];
    eventually("one of them ends", || {
        both.iter_mut().any(|it| it.child.try_wait().unwrap().is_some())
    });
    let mut told = String::new();
    for mut server in both {
        if let Some(status) = server.child.try_wait().unwrap() {
            assert_eq!(status.code(), Some(1));
            told += &server.wait().1;
        }
    }
    assert!(told.contains("--follow leads back to this server by way of others"), "{told}");
}

#[test]
fn a_text_that_another_limit_has_let_in_is_read_and_replicated() {
    if is_shared() {
        // A bucket has its limit from the server that has made it.
        return;
    }
    let world = World::new();
    let server = world.server(&[]);
    let (ann, long) = (world.token("ann"), "x".repeat(10_000));
    assert_eq!(Over::Tcp.ask(server.address, &ann, &put(0, &long)), Reply::Done(1));
    server.kill();
    let server = world.server(&["--max-text", "1k"]);
    let follow = server.address.to_string();
    let less = ["--max-text", "512", "--follow", &follow, "--data", "replica.redb"];
    let replica = world.server(&less);
    for over in [Over::Tcp, Over::Http] {
        let reply = over.ask(server.address, &ann, &Ask::Get);
        assert_eq!(reply, Reply::Draft(draft(1, &long)), "{over:?}");
        let reply = over.ask(server.address, &ann, &put(7, "short"));
        assert_eq!(reply, Reply::Conflict(draft(1, &long)), "{over:?}");
        eventually("the replica has it", || {
            over.ask(replica.address, &ann, &Ask::Get) == Reply::Draft(draft(1, &long))
        });
    }
    let refused = world.program().args(["server", "--max-text", "16m"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2), "no frame carries that");
}

/// One that takes no connections, and refuses none either.
#[cfg(target_os = "linux")]
#[test]
fn a_replica_stops_at_once_while_the_other_server_does_not_answer() {
    use socket2::{Domain, Socket, Type};

    let world = World::new();
    let deaf = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    deaf.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    deaf.listen(0).unwrap();
    let address = deaf.local_addr().unwrap().as_socket().unwrap();
    // Until there is no more room.
    let crowd: Vec<_> = std::iter::from_fn(|| {
        std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(300)).ok()
    })
    .take(100)
    .collect();
    assert!(crowd.len() < 100);
    let replica = world.server(&["--memory", "--follow", &address.to_string()]);
    let began = std::time::Instant::now();
    let (code, log) = replica.stop();
    assert_eq!(code, Some(0), "{log}");
    // The connection has ten seconds.
    assert!(began.elapsed() < std::time::Duration::from_secs(7), "{log}");
}
