//! Conversations of our own with each solution.

mod files;
mod pests;
mod reliable;
mod tickets;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::thread;

use netcore::shutdown::Shutdown;
use netcore::testing::{GENEROUS, Running, Setup, Suite, events, udp};
use protohackers::{chat, cipher, database, echo, jobs, middle, prices, primes, server};

fn start(
    serve: impl Fn(TcpListener, &Shutdown) -> std::io::Result<()> + Send + Sync + 'static,
) -> Running {
    let suite: Suite = Suite::new("", "", move |listener, _, shutdown| serve(listener, shutdown));
    suite.start(Setup::default())
}

/// A client that speaks in lines.
struct Client(BufReader<TcpStream>);

impl Client {
    fn of(address: SocketAddr) -> Client {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        Client(BufReader::new(stream))
    }

    fn send(&mut self, bytes: &[u8]) {
        self.0.get_mut().write_all(bytes).unwrap();
    }

    fn say(&mut self, line: &str) {
        self.send(format!("{line}\n").as_bytes());
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.trim_end_matches('\n').into()
    }

    fn half_close(&self) {
        self.0.get_ref().shutdown(Side::Write).unwrap();
    }

    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
        rest
    }

    fn json(&mut self, request: &str) -> serde_json::Value {
        self.say(request);
        serde_json::from_str(&self.hear()).unwrap()
    }
}

#[test]
fn problem_0_sends_back_every_byte_to_five_at_once() {
    let server = start(|listener, shutdown| server::serve(listener, shutdown, echo::talk));
    let mut clients = [0_u8, 1, 2, 3, 4].map(|number| (number, Client::of(server.address)));
    for (number, client) in &mut clients {
        client.send(&[*number; 5000]);
        client.half_close();
    }
    for (number, client) in clients.iter_mut().rev() {
        assert_eq!(client.rest(), [*number; 5000]);
    }
}

#[test]
fn problem_1_knows_primes_and_ends_with_who_asks_otherwise() {
    let server = start(|listener, shutdown| server::serve(listener, shutdown, primes::talk));
    let mut client = Client::of(server.address);
    let ask = |number: &str| format!(r#"{{"number": {number}, "method": "isPrime", "more": []}}"#);
    for (number, prime) in [
        ("13", true),
        ("12", false),
        ("-7", false),
        ("2.5", false),
        ("123456789012345678901234567890", false),
    ] {
        let reply = client.json(&ask(number));
        assert_eq!(reply, serde_json::json!({ "method": "isPrime", "prime": prime }), "{number}");
    }
    for wrong in ["{}", "[]", "no json", &ask("\"13\""), r#"{"method":"isprime","number":1}"#] {
        let mut client = Client::of(server.address);
        client.say(wrong);
        let said = client.rest();
        assert!(!said.is_empty() && serde_json::from_slice::<serde_json::Value>(&said).is_err());
    }
}

#[test]
fn problem_2_has_the_mean_of_each_clients_own_prices() {
    let server = start(|listener, shutdown| server::serve(listener, shutdown, prices::talk));
    let message =
        |kind: u8, a: i32, b: i32| [&[kind][..], &a.to_be_bytes(), &b.to_be_bytes()].concat();
    let mean = |client: &mut Client, from, to| {
        client.send(&message(b'Q', from, to));
        let mut reply = [0; 4];
        client.0.read_exact(&mut reply).unwrap();
        i32::from_be_bytes(reply)
    };
    let (mut one, mut other) = (Client::of(server.address), Client::of(server.address));
    for (time, price) in [(30, 300), (10, 100), (20, -400), (1000, i32::MAX)] {
        one.send(&message(b'I', time, price));
    }
    assert_eq!(mean(&mut one, 10, 30), 0);
    assert_eq!(mean(&mut one, 10, 10), 100);
    assert_eq!(mean(&mut one, 11, 30), -50);
    assert_eq!(mean(&mut one, 30, 10), 0, "it ends before it begins");
    assert_eq!(mean(&mut one, i32::MIN, i32::MAX), i32::MAX / 4);
    assert_eq!(mean(&mut other, 0, 1000), 0, "it has told no prices");
}

fn room() -> Running {
    let room = chat::Room::default();
    start(move |listener, shutdown| {
        server::serve(listener, shutdown, |stream, peer| room.talk(stream, peer))
    })
}

fn join(address: SocketAddr, name: &str, contains: &str) -> Client {
    let mut client = Client::of(address);
    assert_eq!(client.hear(), "What are you called?");
    client.say(name);
    assert_eq!(client.hear(), format!("* The room contains: {contains}"));
    client
}

#[test]
fn problem_3_tells_all_others_who_comes_who_speaks_and_who_leaves() {
    let server = room();
    let mut ann = join(server.address, "ann", "");
    let mut bob = join(server.address, "bob", "ann");
    assert_eq!(ann.hear(), "* bob has entered the room");
    for name in ["", "a b", "Ünal", "ann"] {
        let mut refused = Client::of(server.address);
        refused.hear();
        refused.say(name);
        assert!(!refused.hear().starts_with('*'), "{name:?} was let in");
        assert_eq!(refused.rest(), b"");
    }
    bob.say("hello");
    assert_eq!(ann.hear(), "[bob] hello");
    ann.say("hello, bob");
    assert_eq!(bob.hear(), "[ann] hello, bob", "and not what it said itself");
    drop(bob);
    assert_eq!(ann.hear(), "* bob has left the room");
}

#[test]
fn problem_4_keeps_what_stands_behind_the_first_equals_sign() {
    let server = udp::Running::start(database::serve);
    let socket = server.connect();
    let ask = |datagram: &str| {
        socket.send(datagram.as_bytes()).unwrap();
        let mut buf = [0; 1000];
        let n = socket.recv(&mut buf).unwrap();
        String::from_utf8_lossy(&buf[..n]).into_owned()
    };
    let version = ask("version");
    for kept in ["a=1", "b=x=y=z", "c=", "=empty", "a=2", "version=mine"] {
        socket.send(kept.as_bytes()).unwrap();
    }
    for (asked, said) in
        [("a", "a=2"), ("b", "b=x=y=z"), ("c", "c="), ("", "=empty"), ("version", &version)]
    {
        assert_eq!(ask(asked), said);
    }
    assert!(version.len() > "version=".len());
}

#[test]
fn problem_5_changes_addresses_in_both_directions_and_nothing_else() {
    let room = room();
    let upstream = room.address;
    let middle = start(move |listener, shutdown| {
        server::serve(listener, shutdown, |stream, _| middle::talk(stream, upstream))
    });
    let mut ann = join(room.address, "ann", "");
    let mut bob = join(middle.address, "bob", "ann");
    ann.hear();
    let theirs = "7F1u3wSD5RbOHQmupo9nx4TnhQ";
    bob.say(&format!("pay {theirs} or {theirs}, please: {theirs}-1"));
    let ours = middle::OURS;
    assert_eq!(ann.hear(), format!("[bob] pay {ours} or {theirs}, please: {theirs}-1"));
    ann.say(theirs);
    assert_eq!(bob.hear(), format!("[ann] {ours}"));
    // Half a line is no message.
    bob.send(b"pay ");
    drop(bob);
    assert_eq!(ann.hear(), "* bob has left the room");
}

#[test]
fn problem_5_hands_on_all_that_the_room_has_said_before_it_ends() {
    let room = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = room.local_addr().unwrap();
    let middle = start(move |listener, shutdown| {
        server::serve(listener, shutdown, |stream, _| middle::talk(stream, upstream))
    });
    let mut bob = Client::of(middle.address);
    // More than the system holds for somebody who reads slowly.
    let said = format!("{}\n", "x".repeat(1000)).repeat(20_000).into_bytes();
    let mut stream = room.accept().unwrap().0;
    let saying = thread::spawn({
        let said = said.clone();
        move || stream.write_all(&said).unwrap()
    });
    let (slowly, rest) = said.split_at(200_000);
    for byte in slowly {
        let mut heard = [0];
        bob.0.get_mut().read_exact(&mut heard).unwrap();
        assert_eq!(heard[0], *byte);
    }
    assert!(bob.rest() == rest);
    saying.join().unwrap();
}

#[test]
fn problem_8_answers_through_the_cipher_and_drops_one_that_hides_nothing() {
    let server = start(|listener, shutdown| server::serve(listener, shutdown, cipher::talk));
    // Each byte is turned around and has its place added.
    let hide = |bytes: &[u8]| -> Vec<u8> {
        let places = (0_u8..).cycle();
        bytes.iter().zip(places).map(|(byte, at)| byte.reverse_bits().wrapping_add(at)).collect()
    };
    let mut client = Client::of(server.address);
    client.send(&[1, 5, 0]);
    client.send(&hide(b"2x doll,10x fire engine,9x x\n1x bear\n"));
    let mut reply = vec![0; b"10x fire engine\n1x bear\n".len()];
    client.0.read_exact(&mut reply).unwrap();
    assert_eq!(reply, hide(b"10x fire engine\n1x bear\n"));
    let mut plain = Client::of(server.address);
    plain.send(&[1, 1, 0]);
    assert_eq!(plain.rest(), b"");
}

#[test]
fn problem_9_gives_out_the_most_urgent_and_takes_back_what_was_left() {
    let server = start(|listener, shutdown| {
        let jobs = jobs::Jobs::new(shutdown);
        server::serve(listener, shutdown, |stream, peer| jobs.talk(stream, peer))
    });
    let (mut ann, mut bob) = (Client::of(server.address), Client::of(server.address));
    let put = |queue: &str, pri: u8| {
        format!(r#"{{"request":"put","queue":"{queue}","job":{{"n":{pri}}},"pri":{pri}}}"#)
    };
    for (queue, pri) in [("one", 1), ("one", 9), ("two", 5)] {
        assert_eq!(ann.json(&put(queue, pri))["status"], "ok");
    }
    let get = r#"{"request":"get","queues":["one","two"]}"#;
    let taken = bob.json(get);
    assert_eq!((&taken["pri"], &taken["queue"]), (&9.into(), &"one".into()));
    let by_id = |request: &str| format!(r#"{{"request":"{request}","id":{}}}"#, taken["id"]);
    assert_eq!(ann.json(&by_id("abort"))["status"], "no-job", "it is not hers");
    assert_eq!(bob.json(&by_id("abort"))["status"], "ok");
    assert_eq!(bob.json(get)["id"], taken["id"]);
    // Whoever leaves gives back what it was working on.
    drop(bob);
    let waiting = r#"{"request":"get","queues":["one"],"wait":true}"#;
    let mut got = ann.json(waiting);
    if got["id"] != taken["id"] {
        got = ann.json(waiting);
    }
    assert_eq!(got["id"], taken["id"]);
    assert_eq!(ann.json(&by_id("delete"))["status"], "ok");
    assert_eq!(ann.json(&by_id("delete"))["status"], "no-job");
    for wrong in ["{}", "no json", r#"{"request":"get","queues":[1]}"#] {
        assert_eq!(ann.json(wrong)["status"], "error", "{wrong}");
    }
    // Whoever waits for one and leaves keeps no place.
    let mut gone = Client::of(server.address);
    gone.say(r#"{"request":"get","queues":["none"],"wait":true}"#);
    let peer = gone.0.get_ref().local_addr().unwrap().to_string();
    drop(gone);
    events::expect(&[&peer, "closed"]);
    // A client that waits for a job is no reason not to stop.
    let mut waits = Client::of(server.address);
    assert_eq!(waits.json(r#"{"request":"get","queues":["none"]}"#)["status"], "no-job");
    waits.say(r#"{"request":"get","queues":["none"],"wait":true}"#);
    ann.half_close();
    let stopped = thread::spawn(move || {
        server.stop();
        server.end()
    });
    assert_eq!(waits.hear(), r#"{"status":"no-job"}"#);
    drop((waits, ann));
    stopped.join().unwrap().expect("it ends in good order");
}
