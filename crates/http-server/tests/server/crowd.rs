//! Who holds what of a server: not those who are slow, deaf or many.

use std::io::{Read, Write};
use std::net::{Shutdown as Side, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

use http_server::{AtOnce, Files, Limits, Method, Metrics, Request, Response, Running, Server};

use crate::asking::{GENEROUS, ask, assert_status, connect, get, post, server};

const HEAD: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

/// A door that a handler waits at until it is opened.
#[derive(Clone, Default)]
struct Gate(Arc<(Mutex<(bool, usize)>, Condvar)>);

impl Gate {
    fn wait(&self) -> &'static str {
        let mut state = self.0.0.lock().unwrap();
        state.1 += 1;
        self.0.1.notify_all();
        while !state.0 {
            state = self.0.1.wait(state).unwrap();
        }
        "through"
    }

    fn until_somebody_waits(&self) {
        let state = self.0.0.lock().unwrap();
        let waited = self.0.1.wait_timeout_while(state, GENEROUS, |state| state.1 == 0);
        assert!(!waited.unwrap().1.timed_out(), "nobody comes");
    }

    fn open(&self) {
        self.0.0.lock().unwrap().0 = true;
        self.0.1.notify_all();
    }
}

/// Opens it also where a test fails: the server would wait for its handler otherwise.
struct Opens<'a>(&'a Gate);

impl Drop for Opens<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

fn one_worker() -> Server {
    server().limits(Limits { workers: 1, ..Limits::default() })
}

fn clients(server: &Running, count: usize, bytes: &[u8]) -> Vec<TcpStream> {
    let client = |_| {
        let mut stream = connect(server);
        stream.write_all(bytes).unwrap();
        stream
    };
    (0..count).map(client).collect()
}

#[test]
fn heads_and_bodies_that_do_not_come_hold_no_worker() {
    let server =
        one_worker().get("/", |_| "ok").post("/echo", |req| req.body_text()).spawn().unwrap();
    let _heads = clients(&server, 20, b"GET / HTTP/1.1\r\nHost:");
    let post_half = b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n\r\nhal";
    let mut bodies = clients(&server, 20, post_half);
    let chunked =
        b"POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhal";
    bodies.extend(clients(&server, 20, chunked));
    assert_status(&get(&server, "/"), 200);
    assert_status(&post(&server, "/echo", "whole"), 200);
    for (place, mut late) in bodies.into_iter().enumerate() {
        late.write_all(if place < 20 { b"ves" } else { b"ves\r\n0\r\n\r\n" }).unwrap();
        late.shutdown(Side::Write).unwrap();
        let mut response = String::new();
        late.read_to_string(&mut response).unwrap();
        assert!(response.ends_with("\r\n\r\nhalves"), "{response}");
    }
}

/// Content without end.
struct Endless;

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        buf.fill(b'x');
        Ok(buf.len())
    }
}

#[test]
fn readers_that_do_not_read_hold_no_worker() {
    let folder = tempfile::tempdir().unwrap();
    let large = std::fs::File::create(folder.path().join("large")).unwrap();
    large.set_len(64 << 20).unwrap();
    let server = one_worker()
        .get("/", |_| "ok")
        .get("/endless", |_| Response::stream(Endless))
        .get("/long", |_| vec![b'x'; 64 << 20])
        .mount("/files", Files::new(folder.path()).unwrap())
        .spawn()
        .unwrap();
    let mut deaf = Vec::new();
    for path in ["/endless", "/long", "/files/large"] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        deaf.extend(clients(&server, 5, request.as_bytes()));
    }
    // Each of them has its response before it.
    for deaf in &mut deaf {
        deaf.read_exact(&mut [0; 12]).unwrap();
    }
    assert_status(&get(&server, "/"), 200);
    // And they can go on.
    let mut content = vec![0; 8 << 20];
    for deaf in &mut deaf {
        deaf.read_exact(&mut content).unwrap();
    }
}

#[test]
fn a_handler_that_does_not_return_holds_up_what_needs_none() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.txt");
    std::fs::write(&file, "a").unwrap();
    let age = std::time::SystemTime::now() - GENEROUS;
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(age).unwrap();
    let gate = Gate::default();
    let waits = gate.clone();
    let server = one_worker()
        .get("/gate", move |_| waits.wait())
        .mount("/", Files::new(folder.path()).unwrap())
        .spawn()
        .unwrap();
    // A worker reads it, and from then on it is at hand once it is settled.
    let kept = Instant::now();
    let at_hand = || {
        assert_status(&get(&server, "/a.txt"), 200);
        kept.elapsed() > std::time::Duration::from_secs(3)
    };
    while !at_hand() {
        std::thread::yield_now();
    }
    let _opens = Opens(&gate);
    let mut stuck = connect(&server);
    stuck.write_all(b"GET /gate HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    gate.until_somebody_waits();
    // Windows keeps no file at hand.
    if cfg!(unix) {
        assert_status(&get(&server, "/a.txt"), 200);
    }
    assert_status(&post(&server, "/a.txt", "x"), 405);
    assert_status(&post(&server, "/gate", "x"), 405);
    gate.open();
    assert_eq!(ask_more(&mut stuck), "HTTP/1.1 200");
}

fn ask_more(stream: &mut TcpStream) -> String {
    let mut response = [0; 12];
    stream.read_exact(&mut response).unwrap();
    String::from_utf8_lossy(&response).into_owned()
}

#[test]
fn more_requests_than_the_workers_will_ever_come_to_are_refused() {
    let gate = Gate::default();
    let waits = gate.clone();
    let server = one_worker().get("/", move |_| waits.wait()).spawn().unwrap();
    let opens = Opens(&gate);
    let mut first = clients(&server, 1, HEAD);
    gate.until_somebody_waits();
    first.extend(clients(&server, 40, HEAD));
    // Whoever is refused is told at once; the others wait.
    let deadline = Instant::now() + GENEROUS;
    while first.iter().filter(|client| is_answered(client)).count() < 24 {
        assert!(Instant::now() < deadline, "they wait as well");
    }
    drop(opens);
    let answers: Vec<String> = first.iter_mut().map(ask_more).collect();
    let count = |status: &str| answers.iter().filter(|answer| answer.ends_with(status)).count();
    assert_eq!((count("200"), count("503")), (17, 24), "{answers:?}");
}

fn is_answered(client: &TcpStream) -> bool {
    client.set_nonblocking(true).unwrap();
    let answered = client.peek(&mut [0; 12]).is_ok_and(|n| n == 12);
    client.set_nonblocking(false).unwrap();
    answered
}

/// A client that holds its place, as its response does not end.
fn busy(server: &Running) -> TcpStream {
    let mut busy =
        clients(server, 1, b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n").remove(0);
    assert_eq!(ask_more(&mut busy), "HTTP/1.1 200");
    busy
}

fn places(count: usize) -> Running {
    let limits = Limits { clients: count, ..Limits::default() };
    // No worker has it, so that whoever has its answer is idle.
    let ok = AtOnce(|_: &mut Request<'_>| "ok");
    let server = server().limits(limits).route(Method::Get, "/", ok);
    server.get("/endless", |_| Response::stream(Endless)).spawn().unwrap()
}

#[test]
fn a_full_server_refuses_everybody_who_comes() {
    let server = places(2);
    let _busy = [busy(&server), busy(&server)];
    // Both ends are in this process, which may have no more than 256 files: a few will do.
    let mut crowd = clients(&server, 50, HEAD);
    for client in &mut crowd {
        let mut response = String::new();
        client.read_to_string(&mut response).unwrap();
        assert_status(&response, 503);
        assert!(response.contains("\r\nRetry-After: 1\r\n"), "{response}");
    }
}

#[test]
fn a_byte_of_a_head_now_and_then_holds_no_place() {
    let server = places(2);
    let _begun = clients(&server, 2, b"G");
    let deadline = Instant::now() + GENEROUS;
    while ask(&mut connect(&server)) == "HTTP/1.1 503" {
        assert!(Instant::now() < deadline, "they hold their places");
    }
}

#[test]
fn who_has_asked_for_something_takes_the_place_of_who_has_been_idle_longest() {
    let server = places(2);
    let mut idle = [(); 2].map(|()| connect(&server));
    let rest = rest_of_ok();
    let mut asks = |place: usize| {
        assert_eq!(ask(&mut idle[place]), "HTTP/1.1 200");
        idle[place].read_exact(&mut vec![0; rest]).unwrap();
    };
    [0, 1, 0].into_iter().for_each(&mut asks);
    // Who has only begun to ask drives nobody out.
    let mut begun = clients(&server, 1, b"GET / HTTP/1.1\r\nHost: lo").remove(0);
    asks(0);
    begun.write_all(b"calhost\r\n\r\n").unwrap();
    assert_eq!(ask_more(&mut begun), "HTTP/1.1 200");
    assert_eq!(idle[1].read(&mut [0]).unwrap(), 0);
}

/// Bytes of the response behind what [`ask`] reads.
fn rest_of_ok() -> usize {
    let server = server().get("/", |_| "ok").spawn().unwrap();
    let mut client = connect(&server);
    client.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    client.shutdown(Side::Write).unwrap();
    client.read_to_end(&mut Vec::new()).unwrap() - 12
}

#[test]
fn what_becomes_of_connections_is_counted() {
    let metrics = Metrics::default();
    let limits = Limits { clients: 1, ..Limits::default() };
    let ok = AtOnce(|_: &mut Request<'_>| "ok");
    let server = server().limits(limits).count_in(metrics.clone()).route(Method::Get, "/", ok);
    let server = server.get("/endless", |_| Response::stream(Endless)).spawn().unwrap();
    let mut idle = connect(&server);
    assert_eq!(ask(&mut idle), "HTTP/1.1 200");
    let _busy = busy(&server);
    assert_eq!(ask(&mut connect(&server)), "HTTP/1.1 503");
    let count = |name: &str| {
        let text = metrics.text();
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).unwrap()
    };
    assert_eq!(count("http_connections_accepted_total"), 3);
    assert_eq!(count("http_connections_refused_total{reason=\"made_room\"}"), 1);
    assert_eq!(count("http_connections_refused_total{reason=\"full\"}"), 1);
    let deadline = Instant::now() + GENEROUS;
    // The idle one, and the one that was told.
    while count("http_connections_open") > 1 {
        assert!(Instant::now() < deadline, "they stay open");
    }
}
