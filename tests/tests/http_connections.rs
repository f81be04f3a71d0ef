//! How `http-server` treats a connection: its requests in order, its limits in time and
//! number, its end. Sections of four digits are of RFC 9110, others say where they are
//! from.

use std::io::Read;
use std::thread;
use std::time::{Duration, Instant};

use ladder_tests::http::{HttpServer, Response};
#[cfg(unix)]
use ladder_tests::peer::assert_refused;
use ladder_tests::process::allow_files;
use ladder_tests::site::Site;
use ladder_tests::{GENEROUS, Peer};

/// More than the buffers between two ends can hold.
const LARGE: usize = 64 << 20;

const GET: &[u8] = b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n";

fn site() -> Site {
    let site = Site::new();
    site.write("a.txt", "hello\n");
    site
}

/// Asks until it is not 503: a worker needs a moment to see that its client is idle, or
/// has gone.
#[track_caller]
fn get_when_there_is_room(server: &HttpServer) -> Response {
    let deadline = Instant::now() + GENEROUS;
    loop {
        let response = server.get("/a.txt");
        if response.status != 503 {
            return response;
        }
        assert!(Instant::now() < deadline, "the server stays full");
    }
}

/// A client whose response has begun and cannot end: it is busy from here on.
#[track_caller]
fn busy_when_there_is_room(server: &HttpServer) -> Peer {
    let deadline = Instant::now() + GENEROUS;
    loop {
        let mut peer = server.connect();
        peer.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
        let mut start = [0; 12];
        peer.stream().read_exact(&mut start).unwrap();
        if &start == b"HTTP/1.1 200" {
            return peer;
        }
        assert!(Instant::now() < deadline, "the server stays full");
    }
}

/// RFC 9112 section 9.3.
#[test]
fn a_connection_is_kept_until_the_client_asks_to_close() {
    let site = site();
    let server = site.start(&[]);
    let mut peer = server.connect();
    for _ in 0..3 {
        peer.send(GET);
        peer.response().expect_status(200).expect_no_field("connection");
    }
    // A missing file is no reason to close.
    peer.send(b"GET /missing HTTP/1.1\r\nHost: localhost\r\n\r\n");
    peer.response().expect_status(404);
    peer.send(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    peer.response().expect_status(200).expect_field("connection", "close");
    peer.expect_end_of_stream();
}

/// RFC 9112 section 9.3.2.
#[test]
fn requests_that_come_together_are_answered_in_order() {
    let site = site();
    for n in 0..30 {
        site.write(&n.to_string(), format!("file {n}"));
    }
    let server = site.start(&[]);
    let mut peer = server.connect();
    let requests: String =
        (0..30).map(|n| format!("GET /{n} HTTP/1.1\r\nHost: localhost\r\n\r\n")).collect();
    peer.send(requests.as_bytes());
    for n in 0..30 {
        peer.response().expect_body(format!("file {n}"));
    }
}

#[test]
fn a_request_in_one_byte_segments_is_the_same_request() {
    let site = site();
    let server = site.start(&[]);
    let mut peer = server.connect();
    for byte in GET {
        peer.send(&[*byte]);
    }
    peer.response().expect_status(200).expect_body("hello\n");
}

/// RFC 9112 section 9.6: a client that says that it sends no more still gets its
/// response.
#[test]
fn a_client_that_half_closes_gets_its_response() {
    let site = site();
    let server = site.start(&[]);
    let mut peer = server.connect();
    peer.send(GET);
    peer.half_close();
    peer.response().expect_status(200);
    peer.expect_end_of_stream();
}

/// RFC 9112 section 9.3: the body that nobody wanted does not become the next request.
#[test]
fn a_refused_body_is_drained_up_to_a_limit_and_the_connection_closed_past_it() {
    let site = site();
    let server = site.start(&[]);
    let post = |length: usize| {
        format!("POST /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n")
    };
    let mut peer = server.connect();
    for length in [10, 64 << 10] {
        peer.send(post(length).as_bytes());
        peer.send(&vec![b'G'; length]);
        peer.response().expect_status(405).expect_no_field("connection");
    }
    peer.send(b"POST /a.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n");
    peer.response().expect_status(405);
    peer.send(GET);
    peer.response().expect_status(200);

    let mut peer = server.connect();
    let length = (64 << 10) + 1;
    peer.send(post(length).as_bytes());
    peer.send(&vec![b'G'; length]);
    peer.response().expect_status(405).expect_field("connection", "close");
    peer.expect_end_of_stream();
}

/// RFC 9112 section 7.1: where a chunk ends is not left to taste. What follows is no
/// request any more.
#[test]
fn a_chunked_body_that_is_not_framed_exactly_ends_the_connection() {
    let site = site();
    let server = site.start(&[]);
    for body in [
        "3\nfoo\r\n0\r\n\r\n",
        "3\r\nfoo\n0\r\n\r\n",
        "3\r\nfoobar\r\n0\r\n\r\n",
        "x\r\n",
        "+3\r\nfoo\r\n0\r\n\r\n",
    ] {
        let mut peer = server.connect();
        peer.send(b"POST /a.txt HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
        peer.send(body.as_bytes());
        peer.send(GET);
        peer.response().expect_status(405);
        peer.expect_end_of_stream();
    }
}

/// RFC 9112 section 9.6: to close at once would reset the connection, and the client
/// lose the answer.
#[test]
fn a_client_that_is_still_sending_reads_why_it_was_refused() {
    let site = site();
    let server = site.start(&[]);
    let mut peer = server.connect();
    peer.send(b"POST /a.txt HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n");
    // Sent after the server has answered and stopped sending.
    let response = peer.response().expect_status(405);
    assert!(peer.try_send(&[b'x'; 1000]), "{}", response.head);
    peer.expect_hang_up();
}

/// RFC 9110 section 15.5.9.
#[test]
fn a_head_has_its_time_and_silence_is_met_with_silence() {
    let site = site();
    let server = site.start(&["--head", "300ms", "--idle", "300ms"]);
    let mut silent = server.connect();
    let mut stalled = server.connect();
    stalled.send(b"GET / HT");
    stalled.response().expect_status(408).expect_field("connection", "close");
    stalled.expect_end_of_stream();
    silent.expect_end_of_stream();
    // Between two requests there is nothing to be late with.
    let mut idle = server.connect();
    idle.send(GET);
    idle.response().expect_status(200);
    idle.expect_end_of_stream();
}

/// RFC 9110 section 15.5.9: each byte would start a timeout anew, but not a deadline.
#[test]
fn a_head_that_drips_is_late_too() {
    let site = site();
    let server = site.start(&["--head", "400ms"]);
    let mut peer = server.connect();
    peer.send(b"GET / HTTP/1.1\r\nX-Long: ");
    let mut reader = peer.again();
    thread::scope(|scope| {
        let dripping = scope.spawn(move || {
            // The pause is the fault itself. It ends when the server has hung up.
            while peer.try_send(b"x") {
                thread::sleep(Duration::from_millis(20));
            }
        });
        reader.response().expect_status(408);
        dripping.join().unwrap();
    });
}

#[test]
fn a_client_that_reads_nothing_does_not_hold_up_others() {
    let site = site();
    site.write("large", vec![b'x'; LARGE]);
    let server = site.start(&[]);
    let deaf: Vec<Peer> = (0..4)
        .map(|_| {
            let mut peer = server.connect();
            peer.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
            peer
        })
        .collect();
    server.get("/a.txt").expect_status(200);
    drop(deaf);
    server.get("/a.txt").expect_status(200);
}

/// RFC 9110 section 15.6.4.
#[test]
fn a_full_server_closes_an_idle_connection_for_a_new_one_and_turns_away_when_none_is_idle() {
    let site = site();
    site.write("large", vec![b'x'; LARGE]);
    let server = site.start(&["--max-clients", "2"]);
    let mut idle = server.connect();
    idle.send(GET);
    idle.response().expect_status(200);
    let mut busy = vec![busy_when_there_is_room(&server), busy_when_there_is_room(&server)];
    idle.expect_end_of_stream();
    let refused = server.get("/a.txt").expect_status(503).expect_field("retry-after", "1");
    refused.expect_field("connection", "close");
    server.expect_stderr(&["\"GET /a.txt HTTP/1.1\" 503 "]);
    drop(busy.pop());
    get_when_there_is_room(&server).expect_status(200);
}

#[test]
fn a_thousand_idle_connections_do_not_keep_a_client_from_being_served() {
    const MANY: u64 = 1_000;
    /// What this process has open besides.
    const SPARE: u64 = 200;
    let site = site();
    let many = allow_files(MANY + SPARE).saturating_sub(SPARE).min(MANY);
    let server = site.start(&[]);
    let idle: Vec<Peer> = (0..many)
        .map(|_| {
            let mut peer = server.connect();
            peer.send(GET);
            peer.response().expect_status(200);
            peer
        })
        .collect();
    server.get("/a.txt").expect_status(200);
    drop(idle);
}

/// More connections than descriptors: the server does not spin, does not end, and
/// recovers.
#[cfg(target_os = "linux")]
#[test]
fn a_server_that_runs_out_of_descriptors_goes_on() {
    use std::process::{Command, Stdio};

    let site = site();
    let program = ladder_tests::binaries::executable("http-server").to_str().unwrap();
    let mut shell = Command::new("sh");
    // Paths as arguments: they may hold anything.
    shell.args(["-c", "ulimit -n 80; exec \"$0\" --port 0 \"$1\"", program]).arg(site.path());
    shell.stdin(Stdio::null());
    let server = HttpServer::of(ladder_tests::Process::start("http-server", &mut shell));
    let idle: Vec<Peer> = (0..200)
        .map(|_| {
            let mut peer = server.connect();
            // Linux keeps a client from the server that has said nothing yet.
            peer.send(GET);
            peer
        })
        .collect();
    get_when_there_is_room(&server).expect_status(200).expect_body("hello\n");
    drop(idle);
    get_when_there_is_room(&server).expect_status(200);
}

/// RFC 9112 section 9.6.
#[cfg(unix)]
#[test]
fn a_stop_closes_idle_connections_and_lets_a_transfer_end() {
    let site = site();
    site.write("large", vec![b'x'; LARGE]);
    let server = site.start(&["-v"]);
    let address = server.address;
    let mut idle = server.connect();
    idle.send(GET);
    idle.response().expect_status(200);
    let mut silent = server.connect();
    // On Linux after a second: that long, a client that says nothing is kept from the
    // server.
    server.expect_stderr(&[&silent.address(), "connected"]);
    let mut busy = server.connect();
    busy.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let mut start = [0; 1000];
    busy.stream().read_exact(&mut start).unwrap();
    server.signal(rustix::process::Signal::TERM);
    idle.expect_end_of_stream();
    silent.expect_end_of_stream();
    assert_refused(address);
    let mut rest = Vec::new();
    busy.stream().read_to_end(&mut rest).unwrap();
    let head = start.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    assert_eq!(start.len() - head + rest.len(), LARGE);
    server.wait().expect_code(0);
}

#[cfg(unix)]
#[test]
fn a_transfer_that_does_not_end_is_ended_at_the_drain_limit_and_a_second_signal_ends_at_once() {
    let site = site();
    site.write("large", vec![b'x'; LARGE]);
    let stuck = |args: &[&str]| {
        let server = site.start(args);
        let mut peer = server.connect();
        peer.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\n\r\n");
        peer.stream().read_exact(&mut [0; 1000]).unwrap();
        server.signal(rustix::process::Signal::INT);
        (server, peer)
    };
    let (server, _peer) = stuck(&["--drain", "200ms"]);
    server.wait().expect_code(0);
    let (server, _peer) = stuck(&["--drain", "2m"]);
    server.expect_stderr(&["stopping"]);
    // Another Ctrl-C is impatience, however soon; other signals may come several at once.
    server.signal(rustix::process::Signal::INT);
    server.wait().expect_code(130);
}

#[test]
fn many_short_connections_are_all_served() {
    let site = site();
    let server = site.start(&["--quiet"]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    server
                        .get_with("/a.txt", "Connection: close\r\n")
                        .expect_status(200)
                        .expect_body("hello\n");
                }
            });
        }
    });
}

/// A worker that has served a client waits for the next one: a thread for each
/// connection would cost more than all the rest of a short one.
#[cfg(target_os = "linux")]
#[test]
fn workers_are_born_once() {
    let site = site();
    let server = site.start(&["--quiet"]);
    let threads = || status_of(&server, "Threads:");
    // One connection at a time: some workers may still be on their way back while the next
    // one takes over.
    let ask = || (0..200).for_each(|_| drop(server.get_with("/a.txt", "Connection: close\r\n")));
    ask();
    let before = threads();
    ask();
    // Far fewer than there were connections, however busy the machine is.
    assert!(threads() < before + 20, "{} threads, and {before} before", threads());
    assert!(before < 50, "{before} threads for one client");
    // In a list of threads they can be told from the others.
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.id())).unwrap();
    let mut names =
        tasks.map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).unwrap());
    assert!(names.any(|name| name == "http-worker\n"));
}

/// A million requests and more leave no trace: see the page on benchmarks for the long
/// run.
#[cfg(target_os = "linux")]
#[test]
fn memory_is_flat_however_many_requests_come() {
    let site = site();
    site.write("large", vec![b'x'; 300_000]);
    let server = site.start(&["--quiet"]);
    let soak = |rounds: usize| {
        let mut peer = server.connect();
        for _ in 0..rounds {
            peer.send(GET);
            peer.response().expect_status(200);
            peer.send(b"GET /missing?x HTTP/1.1\r\nHost: localhost\r\n\r\n");
            peer.response().expect_status(404);
            peer.send(b"GET /large HTTP/1.1\r\nHost: localhost\r\nRange: bytes=0-9,20-29\r\n\r\n");
            peer.response().expect_status(206);
            peer.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            peer.response().expect_status(200);
            drop(server.get_with("/large", "Connection: close\r\n"));
        }
    };
    // More workers than one client at a time can keep busy: each one's first requests take
    // memory, which stays.
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| soak(20));
        }
    });
    soak(100);
    let before = status_of(&server, "VmRSS:");
    soak(500);
    let after = status_of(&server, "VmRSS:");
    // In KiB. A hundred bytes left behind by each request would show.
    assert!(after < before + 256, "{before} KiB, then {after} KiB");
}

#[cfg(target_os = "linux")]
fn status_of(server: &HttpServer, name: &str) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
