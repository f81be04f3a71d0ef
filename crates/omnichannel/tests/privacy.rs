//! Who may, what is kept of people, and what is told of them.

mod world;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Stdio;

use netcore::request::{HEADER, Message, Session};
use omnichannel::message::{Ask, Draft, Reply, Request, Secret, Why};
use socket2::{Domain, Socket, Type};
use world::*;

#[test]
fn a_token_that_proves_nothing_is_refused_on_every_channel_and_an_address_is_no_proof() {
    let world = World::new();
    let server = world.server(&[]);
    let (ann, address) = (world.token("ann"), server.address);
    let refused = Reply::Refused(Why::NotProven);
    let another = format!("bob.{}", ann.0.strip_prefix("ann.").unwrap());
    for wrong in ["", "ann", "ann.0123", "nobody.0123", &another] {
        for over in ALL {
            for ask in [Ask::Get, put(0, "x"), Ask::Delete { revision: 0 }] {
                let reply = over.ask(address, &Secret(wrong.into()), &ask);
                assert_eq!(reply, refused, "{over:?} {wrong:?} {ask:?}");
            }
        }
    }
    // On a connection, and from an address, that has proven its account before.
    let request = |token: &Secret| Request { token: token.clone(), key: None, ask: Ask::Get };
    let mut stream = BufReader::new(connect(address).unwrap());
    stream.get_mut().write_all(&frame(&request(&ann))).unwrap();
    assert_eq!(read_frame(&mut stream), Some(Reply::Draft(Draft::default())));
    stream.get_mut().write_all(&frame(&request(&Secret("ann.0123".into())))).unwrap();
    assert_eq!(read_frame(&mut stream), Some(refused.clone()));
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(GENEROUS)).unwrap();
    let mut session = Session::new();
    let mut said = |token: &Secret| {
        let datagram = session.request(&encoded(&request(token))).encode();
        socket.send_to(&datagram, address).unwrap();
        let mut buf = [0; 2048];
        let n = socket.recv(&mut buf).unwrap();
        (datagram.len(), buf[..n].to_vec())
    };
    said(&ann);
    let (asked, answered) = said(&Secret("a.b".into()));
    let refusal = [Message::request_in(&answered).is_none(), answered.ends_with(&[6, 0])];
    assert_eq!(refusal, [true, true]);
    // A forged address is flooded by nothing that is longer than what was sent.
    assert!(answered.len() <= asked, "{} bytes for {asked}", answered.len());
    for short in [&b""[..], b"x", b"\x01", b"\x01\x00\x00"] {
        socket.send_to(&Session::new().request(short).encode(), address).unwrap();
    }
    // None of them is answered before what comes behind them is.
    assert_eq!(said(&ann).1[HEADER..], [1, 0, 0, 0]);
    // Only a replica is told of all accounts, and it may change none.
    let mut stream = BufReader::new(connect(address).unwrap());
    let all = Ask::Replicate { store: 0, since: 0 };
    let asks = Request { token: ann, key: None, ask: all };
    stream.get_mut().write_all(&frame(&asks)).unwrap();
    assert_eq!(read_frame(&mut stream), Some(Reply::Refused(Why::NotHere)));
    let replica = world.token("replica");
    let reply = Over::Tcp.ask(address, &replica, &put(0, "x"));
    assert_eq!(reply, Reply::Refused(Why::NotHere));
}

#[test]
fn who_deletes_leaves_no_text_no_history_and_no_key() {
    let world = World::new();
    let server = world.server(&[]);
    let (ann, address) = (world.token("ann"), server.address);
    for revision in 0..3 {
        let key = format!("key-{revision}");
        let ask = put(revision, &format!("secret words {revision}"));
        let reply = Over::Tcp.try_ask(address, &ann, Some(&key), &ask);
        assert_eq!(reply, Some(Reply::Done(revision + 1)));
    }
    let gone = Ask::Delete { revision: 3 };
    for over in ALL {
        let reply = over.try_ask(address, &ann, Some("delete"), &gone);
        assert_eq!(reply, Some(Reply::Done(4)), "{over:?}");
        let nothing = Draft { revision: 4, text: None };
        assert_eq!(over.ask(address, &ann, &Ask::Get), Reply::Draft(nothing), "{over:?}");
    }
    let reply = Over::Udp.ask(address, &ann, &Ask::Follow { since: 0 });
    let Reply::Changes(changes) = reply else { panic!("{reply:?}") };
    assert_eq!(changes.len(), 1);
    assert_eq!(changes[0].draft, Draft { revision: 4, text: None });
    // The old names mean nothing any more, and revisions never go back.
    let reply = Over::Tcp.try_ask(address, &ann, Some("key-0"), &put(0, "x"));
    assert!(matches!(reply, Some(Reply::Conflict(_))), "{reply:?}");
    let reply = Over::Tcp.try_ask(address, &ann, Some("key-0"), &put(4, "new"));
    assert_eq!(reply, Some(Reply::Done(5)));
}

#[cfg(unix)]
#[test]
fn no_token_and_no_text_is_in_the_log_however_much_is_logged() {
    let world = World::new();
    let mut command = world.program();
    command.args(["server", "--port", "0", "--account", "ann", "-vv"]).args(world.engine(&[]));
    command.env("RUST_LOG", "trace");
    let server = Server::start(&mut command);
    let ann = world.token("ann");
    // The log shows the beginning of what is long.
    let secret = ann.0.strip_prefix("ann.").unwrap()[..8].to_string();
    for (revision, over) in ALL.into_iter().enumerate() {
        over.ask(server.address, &ann, &put(revision as u64, "words-of-ann"));
        over.ask(server.address, &ann, &Ask::Get);
        over.ask(server.address, &Secret(format!("bob.{secret}")), &Ask::Get);
    }
    for over in ["tcp", "udp", "http"] {
        let mut command = world.client_command(&server, &["--over", over, "-vv", "get"]);
        let output = ended(command.env("RUST_LOG", "trace"));
        assert!(!String::from_utf8_lossy(&output.stderr).contains(&secret), "{over}");
    }
    let (code, log) = server.stop();
    assert_eq!(code, Some(0));
    assert!(log.contains("is ann"), "{log}");
    assert!(!log.contains(&secret) && !log.contains("words-of-ann"), "{log}");
}

/// Whoever starts both at once has a client that is there first.
#[test]
fn a_client_that_waits_for_its_server_waits_for_the_tokens_as_well() {
    let world = World::new();
    // Nobody else gets the port, and who connects to it is refused until we listen.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port().to_string();
    let mut client = world.program();
    client.args(["client", "--port", &port, "--wait", "60s", "-vv", "get"]);
    let mut client = client.stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(client.stderr.take().unwrap()).lines().map(Result::unwrap);
    let came = log.find(|line| line.contains("trying again") || line.contains("tokens"));
    assert!(came.as_ref().is_some_and(|line| line.contains("trying again")), "{came:?}");
    let _server = world.server(&[]);
    socket.listen(8).unwrap();
    let listener = TcpListener::from(socket);
    listener.set_nonblocking(true).unwrap();
    let mut asked = Vec::new();
    eventually("it asks", || {
        // The first that comes only looks whether we are there.
        if let Ok((mut stream, _)) = listener.accept() {
            stream.set_nonblocking(false).unwrap();
            stream.set_read_timeout(Some(GENEROUS)).unwrap();
            asked.resize(1024, 0);
            let n = stream.read(&mut asked).unwrap();
            asked.truncate(n);
        }
        !asked.is_empty() || client.try_wait().unwrap().is_some()
    });
    client.kill().unwrap();
    client.wait().unwrap();
    let asked = String::from_utf8_lossy(&asked);
    assert!(asked.contains(&world.token("ann").0), "{asked}");
}
