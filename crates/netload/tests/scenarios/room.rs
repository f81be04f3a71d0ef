//! What one says and many hear, against a right room and wrong ones.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use netload::fan_out;
use netload::report::Report;
use netload::stop::Stop;

use crate::server::{GENEROUS, Server};

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    options: fan_out::Options,
}

fn run(server: &Server, args: &str) -> Report {
    let address = server.address.to_string();
    let words = ["netload", &address].into_iter().chain(args.split_whitespace());
    fan_out::run(&Command::parse_from(words).options, &Stop::default()).unwrap()
}

/// A room that tells each line to all, as `change` makes it from its number; `None` tells
/// nothing.
fn room(change: fn(u64, String) -> Option<String>) -> Server {
    let members: Arc<Mutex<(u64, Vec<TcpStream>)>> = Arc::default();
    Server::tcp(move |stream, _| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let Some(Ok(name)) = lines.next() else { return };
        members.lock().unwrap().1.push(stream);
        for line in lines.map_while(Result::ok) {
            let mut members = members.lock().unwrap();
            members.0 += 1;
            let Some(line) = change(members.0, format!("{name}: {line}\n")) else { continue };
            // Fails where one has gone.
            members.1.iter_mut().for_each(|member| drop(member.write_all(line.as_bytes())));
        }
    })
}

#[test]
fn a_line_counts_once_for_each_who_hears_it() {
    let server = room(|_, line| Some(line));
    let report = run(&server, "--connections 7 --talkers 2 --in-flight 3 --count 100 --size 100");
    assert_eq!(report.faults.total(), 0, "{:?}", report.faults);
    assert_eq!((report.replies, report.bytes), (700, 70_000));
    assert_eq!((report.connections, report.in_flight, report.size), (7, 3, 100));
    assert!(report.latency.is_some());
}

/// Says `words` for ever, faster than anybody reads.
fn chatter(words: &'static [u8]) -> Server {
    Server::tcp(move |mut stream, _| {
        let much = words.repeat(1 << 16);
        while stream.write_all(&much).is_ok() {}
    })
}

#[test]
fn a_line_that_does_not_end_is_a_fault_and_does_not_fill_the_memory() {
    let report = run(&chatter(b"x"), "--connections 2 --count 1");
    assert_eq!(report.faults.wrong, 1, "{:?}", report.faults);
}

#[test]
fn a_server_that_never_stops_talking_is_given_up_in_time() {
    let started = Instant::now();
    let report = run(&chatter(b"* somebody joined\n"), "--connections 2 --count 1 --timeout 1s");
    assert_eq!(report.faults.timed_out, 1, "{:?}", report.faults);
    assert!(started.elapsed() < GENEROUS, "{:?}", started.elapsed());
}

#[test]
fn one_more_that_does_not_read_is_not_waited_for() {
    let server = room(|_, line| Some(line));
    let report = run(&server, "--connections 3 --count 100 --deaf");
    assert_eq!((report.faults.total(), report.replies), (0, 300), "{:?}", report.faults);
    assert_eq!(report.deaf.map(|deaf| deaf.slices), Some(1));
}

#[test]
fn what_one_that_does_not_read_costs_the_others_is_told() {
    /// Far more than a line takes, on a machine however busy.
    const HELD_UP: Duration = Duration::from_millis(20);
    static DEAF: AtomicUsize = AtomicUsize::new(0);
    let others: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let server = Server::tcp(move |stream, _| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let Some(Ok(name)) = lines.next() else { return };
        let deaf = usize::from(name == "deaf");
        DEAF.fetch_add(deaf, Ordering::SeqCst);
        match deaf {
            0 => others.lock().unwrap().push(stream),
            _ => (&stream).write_all(b"* you are there\n").unwrap(),
        }
        for line in lines.map_while(Result::ok) {
            // What goes before is not measured.
            if DEAF.load(Ordering::SeqCst) > 0 && line.starts_with('~') {
                thread::sleep(HELD_UP);
            }
            let line = format!("{name}: {line}\n");
            others.lock().unwrap().iter_mut().for_each(|it| drop(it.write_all(line.as_bytes())));
        }
        DEAF.fetch_sub(deaf, Ordering::SeqCst);
    });
    let report = run(&server, "--connections 3 --count 1 --deaf");
    let deaf = report.deaf.unwrap();
    assert!(deaf.p99_with >= HELD_UP.as_micros() as f64 && deaf.ratio > 1.0, "{deaf:?}");
}

#[test]
fn a_line_that_nobody_hears_is_told() {
    let server = room(|number, line| (number != 50).then_some(line));
    let report = run(&server, "--connections 3 --in-flight 4 --count 100");
    let first = report.faults.first.unwrap();
    assert!(first.contains(" came where ") && first.contains(" was due"), "{first}");
}

#[test]
fn a_line_that_is_changed_on_the_way_is_told() {
    // Every line but for its last letter.
    let server = room(|number, line| match number {
        50 => Some(format!("{}!\n", &line[..line.len() - 2])),
        _ => Some(line),
    });
    let report = run(&server, "--connections 3 --count 100");
    let first = report.faults.first.unwrap();
    assert!(first.contains("with other letters than it was said with"), "{first}");
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let server = room(|number, line| (number < 50).then_some(line));
    let report = run(&server, "--connections 3 --count 100 --timeout 300ms");
    assert_eq!(report.faults.timed_out, 1, "{:?}", report.faults);
}

#[test]
fn one_that_does_not_read_and_is_never_let_in_is_told() {
    let others: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
    let server = Server::tcp(move |stream, _| {
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
        let Some(Ok(name)) = lines.next() else { return };
        if name != "deaf" {
            others.lock().unwrap().push(stream);
        }
        for line in lines.map_while(Result::ok) {
            let line = format!("{name}: {line}\n");
            others.lock().unwrap().iter_mut().for_each(|it| drop(it.write_all(line.as_bytes())));
        }
    });
    let report = run(&server, "--connections 2 --count 1 --deaf --timeout 1s");
    assert_eq!(report.faults.timed_out, 1, "{:?}", report.faults);
}
