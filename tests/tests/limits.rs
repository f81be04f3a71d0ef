//! What a rung cannot do yet, in both directions: a limit that its manifest names is
//! still there, and a fault that it does not name is survived. Run over every rung that
//! speaks TCP, whatever it says: its log tells who is served.

#[cfg(target_os = "linux")]
use std::{
    thread,
    time::{Duration, Instant},
};

#[cfg(target_os = "linux")]
use ladder_tests::Peer;
use ladder_tests::ladder::{at_once, every_rung};
use ladder_tests::{Rung, Server, rungs_in, stream_rungs};

/// Short beside every deadline of a test, so that a limit which did not work could not
/// be mistaken for a slow machine.
const SHORT: &str = "3s";

/// Longer than a server leaves its listener alone in a shortage.
#[cfg(target_os = "linux")]
const PATIENCE: Duration = Duration::from_secs(1);

/// Ends a test that would otherwise hang; no correct run comes near it.
#[cfg(target_os = "linux")]
const GENEROUS: Duration = Duration::from_secs(30);

/// Silent clients that an unlimited server serves at once.
const CROWD: usize = 10;

#[test]
fn a_limit_is_lifted_by_a_rung_that_does_not_have_it() {
    for rung in every_rung() {
        for limit in &rung.limits {
            let lifted = ladder_tests::rung(&limit.lifted_by);
            let (name, fault) = (&rung.name, &limit.fault);
            assert!(!lifted.has_limit(fault), "{name}: {} does not lift {fault}", lifted.name);
            // What a rung below had solved would have been lost on the way.
            assert!(
                !rung.stands_on(&lifted.name),
                "{name} stands on {}, which survives {fault}",
                lifted.name
            );
        }
    }
}

#[test]
fn a_second_client_is_served_while_the_first_idles_or_the_limit_stands() {
    for rung in stream_rungs() {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let mut first = server.connect();
        server.expect_log(&[&first.address(), "connected"]);
        let second = server.connect();
        if rung.serves_once() {
            drop(first);
            let finished = server.wait().expect_code(0);
            assert!(!finished.stderr.contains(&second.address()), "served: {}", finished.stderr);
        } else if rung.has_limit("second-client") {
            let first_address = first.address();
            drop(first);
            server.expect_log(&[&second.address(), "connected"]);
            let log = server.stderr_so_far();
            let mut lines = log.lines();
            let gone = |line: &str| line.contains("closed") || line.contains("dropped");
            // `any` leaves the lines that follow: the first had gone before the second was served.
            assert!(lines.any(|line| line.contains(&first_address) && gone(line)), "{log}");
            assert!(lines.any(|line| line.contains(&second.address())), "two at once:\n{log}");
        } else {
            server.expect_log(&[&second.address(), "connected"]);
            first.assert_open();
        }
    }
}

#[test]
fn a_crowd_of_silent_clients_keeps_nobody_waiting_where_there_is_no_such_limit() {
    for rung in stream_rungs() {
        if rung.serves_once() || rung.has_limit("second-client") {
            continue;
        }
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let mut crowd: Vec<_> = std::iter::repeat_with(|| server.connect()).take(CROWD).collect();
        let active = server.connect();
        server.expect_log(&[&active.address(), "connected"]);
        for silent in &mut crowd {
            silent.assert_open();
        }
    }
}

/// Where a client needs no thread, ten thousand that say nothing are promised; each end
/// has a descriptor for each.
#[cfg(target_os = "linux")]
#[test]
fn ten_thousand_idle_clients_keep_nobody_waiting_where_there_is_no_such_limit() {
    use ladder_tests::process::allow_files;

    const MANY: u64 = 10_000;
    /// What the two processes have open besides.
    const SPARE: u64 = 1_000;
    let files = allow_files(MANY + SPARE);
    for rung in stream_rungs() {
        // By default it takes so many at once.
        if !rung.run(&["server", "--help"]).printed().contains("[default: 20000]") {
            continue;
        }
        let many = files.saturating_sub(SPARE).min(MANY);
        println!("over {}, {many} clients", rung.name);
        let server = Server::start(rung, &["--idle", "10m", "--total", "10m"]);
        let mut crowd: Vec<_> = (0..many).map(|_| server.connect()).collect();
        server.connect().exchange(b"busy", b"busy");
        for idle in &mut crowd {
            idle.exchange(b"still there", b"still there");
        }
        server.stop().expect_code(0);
        for idle in &mut crowd {
            idle.expect_end_of_stream();
        }
    }
}

/// Descriptors run out: who came too late waits until others leave, and the server
/// pauses instead of trying on and on.
#[cfg(target_os = "linux")]
#[test]
fn clients_beyond_the_open_files_are_served_when_others_leave() {
    use ladder_tests::process::allow_files;
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    const FILES: u64 = 40;
    const CLIENTS: u64 = 500;
    /// What the test has open besides.
    const SPARE: u64 = 100;
    // Two for each client in TLS: one that reads, and one that writes.
    let clients = ((allow_files(2 * CLIENTS + SPARE) - SPARE) / 2) as usize;
    for rung in stream_rungs() {
        if rung.serves_once() || rung.has_limit("second-client") {
            continue;
        }
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let limit = Rlimit { current: Some(FILES), maximum: Some(FILES) };
        prlimit(Pid::from_raw(server.id() as i32), Resource::Nofile, limit).unwrap();
        let crowd: Vec<_> = std::iter::repeat_with(|| server.connect()).take(clients).collect();
        let late = server.connect();
        server.expect_log(&["cannot accept for now"]);
        drop(crowd);
        server.expect_log(&[&late.address(), "connected"]);
        // One at each pause, and not one for each client.
        let attempts = server.stderr_so_far().matches("cannot accept for now").count();
        assert!(attempts < clients / 5, "{attempts} attempts");
    }
}

/// Memory runs out: whoever comes is refused for itself alone. Rust ends the whole process
/// where a thread or a buffer does not get what it needs, so a server that did not ask
/// beforehand would be gone.
#[cfg(target_os = "linux")]
#[test]
fn clients_beyond_the_memory_are_refused_and_others_are_served_when_there_is_some() {
    /// Too little for one client.
    const NOTHING: u64 = 512 << 10;
    /// Enough for a few, each with a thread, and not for all.
    const LITTLE: u64 = 10 << 20;
    const CLIENTS: usize = 60;
    for rung in stream_rungs() {
        if rung.serves_once() || rung.has_limit("second-client") {
            continue;
        }
        println!("over {}", rung.name);
        let server = Server::start(rung, &["--max-clients", &(CLIENTS + 1).to_string()]);
        // Whatever threads it starts beforehand have started when so many have come.
        let first: Vec<_> = std::iter::repeat_with(|| server.connect()).take(CLIENTS).collect();
        for client in &first {
            server.expect_log(&[&client.address(), "connected"]);
        }
        leave_memory(&server, Some(NOTHING));
        let refused = server.connect();
        // The threads of a runtime have memory in reserve, and may be able to serve it.
        if rung.name != "async-echo" {
            server.expect_log(&["cannot accept for now", "out of memory"]);
        }
        drop(first);
        leave_memory(&server, Some(LITTLE));
        let mut crowd: Vec<_> = std::iter::repeat_with(|| server.connect()).take(CLIENTS).collect();
        for client in &mut crowd {
            let _ = client.try_send(b"?");
        }
        drop(crowd);
        leave_memory(&server, None);
        expect_service(&server);
        drop(refused);
        server.stop().expect_code(0);
    }
}

/// The system bounds the areas of memory of a process as well, of which a thread has four: a
/// process that goes beyond is ended, with all its clients.
#[cfg(target_os = "linux")]
#[test]
fn more_threads_than_a_process_can_have_are_not_started() {
    // Not all of them are there, where something else bounds them more.
    const WANTED: &str = "40000";
    for rung in stream_rungs().into_iter().filter(|rung| rung.name == "pooled-echo") {
        let server = Server::start(rung, &["--max-clients", WANTED]);
        server.expect_log(&["serving with", "workers"]);
        server.connect().exchange(b"hello", b"hello");
        server.stop().expect_code(0);
    }
}

/// What a client does not take is kept for it, and takes memory long after it was accepted.
#[cfg(target_os = "linux")]
#[test]
fn replies_that_nobody_reads_take_memory_from_nobody_else() {
    /// Enough for a few clients that do not read.
    const LITTLE: u64 = 2 << 20;
    const CLIENTS: usize = 60;
    for rung in ["poll-echo", "event-echo"].map(ladder_tests::rung) {
        println!("over {}", rung.name);
        let server = Server::start(rung, &["--idle", "1m"]);
        let mut deaf: Vec<_> = std::iter::repeat_with(|| Peer::connect_deaf(server.reachable()))
            .take(CLIENTS)
            .collect();
        let last = deaf.last().map(Peer::address).unwrap();
        server.expect_log(&[&last, "connected"]);
        leave_memory(&server, Some(LITTLE));
        thread::scope(|scope| {
            for client in &mut deaf {
                // Or until it is dropped, as there is no memory for its replies.
                scope.spawn(|| drop(client.try_send_until_stuck(&[b'x'; 64 << 10])));
            }
        });
        server.expect_log(&["dropped: out of memory"]);
        drop(deaf);
        leave_memory(&server, None);
        expect_service(&server);
        server.stop().expect_code(0);
    }
}

/// Has a server take so many bytes of address space at most, beyond those that it has.
#[cfg(target_os = "linux")]
fn leave_memory(server: &Server, bytes: Option<u64>) {
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let sizes = std::fs::read_to_string(format!("/proc/{}/statm", server.id())).unwrap();
    let pages: u64 = sizes.split(' ').next().unwrap().parse().unwrap();
    let taken = pages * rustix::param::page_size() as u64;
    let limit = Rlimit { current: bytes.map(|bytes| taken + bytes), maximum: None };
    prlimit(Pid::from_raw(server.id() as i32), Resource::As, limit).unwrap();
}

/// Somebody who comes is served, in the end: one or the other may still be refused.
#[cfg(target_os = "linux")]
fn expect_service(server: &Server) {
    let asked = Instant::now();
    loop {
        let client = server.connect();
        let welcome = format!("{} connected", client.address());
        let came = Instant::now();
        while came.elapsed() < PATIENCE {
            if server.stderr_so_far().contains(&welcome) {
                return;
            }
        }
        assert!(asked.elapsed() < GENEROUS, "nobody is served:\n{}", server.stderr_so_far());
    }
}

#[test]
fn a_silent_client_is_dropped_at_the_idle_limit_or_the_rung_has_none() {
    at_once(stream_rungs(), |rung| {
        assert_eq!(
            rung.server_takes("--idle"),
            !rung.has_limit("silent"),
            "manifest or --idle is wrong"
        );
        if rung.has_limit("silent") {
            return;
        }
        let server = Server::start(rung, &["--idle", SHORT]);
        server.connect().expect_hang_up();
        let next = server.connect();
        server.expect_log(&[&next.address(), "connected"]);
    });
}

#[test]
fn a_busy_client_is_dropped_at_the_total_limit() {
    at_once(echoes_that_take("--total"), |rung| {
        let server = Server::start(rung, &["--total", SHORT]);
        let mut busy = server.connect();
        // Each exchange renews the idle limit. Ends when the server has hung up.
        while busy.try_exchange(b"still here") {}
        server.expect_log(&[&busy.address(), "dropped", "timed out"]);
        server.connect().exchange(b"next", b"next");
    });
}

#[test]
fn a_client_that_never_reads_is_dropped() {
    at_once(echoes_that_take("--idle"), |rung| {
        let server = Server::start(rung, &["--idle", SHORT]);
        let mut deaf = server.connect();
        // Fills every buffer on the way. Ends when the server has hung up.
        while deaf.try_send(&[b'x'; 64 << 10]) {}
        server.expect_log(&[&deaf.address(), "dropped", "timed out"]);
        server.connect().exchange(b"next", b"next");
    });
}

fn echoes_that_take(option: &str) -> Vec<&'static Rung> {
    rungs_in("tcp-echo").into_iter().filter(|rung| rung.server_takes(option)).collect()
}
