//! The TCP scenarios against right servers and wrong ones.

use std::io::{Read, Write};
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::time::Duration;

use crate::server::{GENEROUS, Server, echo, echo_flipped};
use clap::Parser;
use netload::report::Report;
use netload::stop::Stop;
use netload::{object, tcp_bulk, tcp_connect, tcp_echo, tcp_idle};
use socket2::SockRef;

/// Options as a person would write them.
#[derive(Parser)]
struct Command<T: clap::Args> {
    #[command(flatten)]
    options: T,
}

fn options<T: clap::Args>(server: &Server, args: &str) -> T {
    let address = server.address.to_string();
    let words = ["netload", &address].into_iter().chain(args.split_whitespace());
    Command::<T>::parse_from(words).options
}

fn run_echo(server: &Server, args: &str) -> Report {
    tcp_echo::run(&options(server, args), &Stop::default()).unwrap()
}

fn run_bulk(server: &Server, args: &str) -> Report {
    tcp_bulk::run(&options(server, args), &Stop::default()).unwrap()
}

#[test]
fn every_reply_of_a_right_server_is_counted() {
    let server = Server::tcp(echo);
    let report = run_echo(&server, "--connections 5 --count 1000 --size 100");
    assert_eq!((report.replies, report.bytes, report.opened), (1000, 100_000, 5));
    assert_eq!(report.faults.total(), 0, "{}", report.faults);
    assert_eq!(server.taken.load(Ordering::SeqCst), 5);
    let latency = report.latency.unwrap();
    let row = [latency.p50, latency.p90, latency.p99, latency.p999, latency.max];
    assert!(row[0] > 0.0 && row.is_sorted(), "{row:?}");
    assert!(
        latency.max <= report.seconds * 1e6 * 1.01,
        "{} µs in {} s",
        latency.max,
        report.seconds
    );
}

#[test]
fn several_requests_in_flight_get_their_own_replies() {
    let server = Server::tcp(echo);
    let report = run_echo(&server, "--connections 2 --count 3000 --in-flight 16");
    assert_eq!((report.replies, report.faults.total()), (3000, 0), "{}", report.faults);
}

#[test]
fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole() {
    let server = Server::tcp(echo);
    let report = run_echo(&server, "--connections 2 --count 4 --size 8m");
    assert_eq!((report.replies, report.faults.total()), (4, 0), "{}", report.faults);
}

#[test]
fn a_run_ends_when_its_time_is_over() {
    let server = Server::tcp(echo);
    let report = run_echo(&server, "--connections 2 --seconds 0.2");
    assert!(report.replies > 0 && report.seconds < 20.0);
    assert!(!report.interrupted);
}

#[test]
fn a_stop_ends_a_run_and_its_figures_are_kept() {
    let server = Server::tcp(echo);
    let stop = Stop::default();
    stop.tell();
    let report = tcp_echo::run(&options(&server, "--connections 2 --seconds 600"), &stop).unwrap();
    assert!(report.interrupted && report.replies > 0);
    assert!(report.verdict().is_ok());
}

#[test]
fn one_flipped_byte_is_found_and_the_other_connections_go_on() {
    let server = Server::tcp(|stream, number| match number {
        0 => echo_flipped(stream, 70),
        _ => echo(stream, number),
    });
    let report = run_echo(&server, "--connections 3 --count 1000");
    assert_eq!((report.faults.wrong, report.faults.total()), (1, 1), "{}", report.faults);
    // The wrong one was asked for, and does not count.
    assert_eq!(report.replies, 999);
    let error = report.verdict().unwrap_err().to_string();
    assert!(error.contains("byte 6 of a reply is 0x"), "{error}");
}

#[test]
fn a_reply_that_stays_short_or_away_is_late() {
    let short = Server::tcp(|mut stream, _| {
        let mut buf = [0; 64];
        stream.read_exact(&mut buf).unwrap();
        stream.write_all(&buf[..10]).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let report = run_echo(&short, "--connections 1 --count 1 --timeout 200ms");
    assert_eq!((report.faults.timed_out, report.replies), (1, 0), "{}", report.faults);

    let silent = Server::tcp(|mut stream, _| drop(stream.read_to_end(&mut Vec::new())));
    let report = run_echo(&silent, "--connections 2 --count 2 --timeout 200ms");
    assert_eq!((report.faults.timed_out, report.replies), (2, 0), "{}", report.faults);
}

#[test]
fn a_server_that_closes_early_is_told() {
    let server = Server::tcp(|mut stream, _| {
        let mut buf = [0; 64];
        stream.read_exact(&mut buf).unwrap();
        stream.write_all(&buf[..63]).unwrap();
    });
    let report = run_echo(&server, "--connections 3 --count 100");
    assert_eq!((report.faults.closed, report.replies), (3, 0), "{}", report.faults);
}

#[test]
fn a_reset_is_told() {
    let server = Server::tcp(|mut stream, _| {
        stream.read_exact(&mut [0; 64]).unwrap();
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    let report = run_echo(&server, "--connections 1 --count 100");
    assert_eq!((report.faults.reset, report.replies), (1, 0), "{}", report.faults);
}

#[test]
fn bytes_that_nobody_asked_for_are_told() {
    let server = Server::tcp(|mut stream, _| {
        let mut buf = [0; 65];
        stream.read_exact(&mut buf[..64]).unwrap();
        stream.write_all(&buf).unwrap();
        // Until the client has seen it: a close at once could be a reset that overtakes the
        // bytes.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let report = run_echo(&server, "--connections 1 --count 1");
    assert_eq!((report.faults.wrong, report.replies), (1, 1), "{}", report.faults);
    assert!(
        report
            .verdict()
            .unwrap_err()
            .to_string()
            .ends_with("1 bytes came that nobody had asked for")
    );
}

#[test]
fn nobody_listening_is_an_error_with_a_hint() {
    let server = Server::tcp(echo);
    let options = options(&server, "--connections 3");
    drop(server);
    let error = tcp_echo::run(&options, &Stop::default()).unwrap_err();
    assert!(error.to_string().ends_with("connection refused"), "{error}");
    assert!(error.hint().is_some());
}

#[test]
fn each_message_has_a_connection_of_its_own() {
    let server = Server::tcp(echo);
    let report = tcp_connect::run(&options(&server, "--count 50"), &Stop::default()).unwrap();
    assert_eq!(
        (report.replies, report.opened, report.faults.total()),
        (50, 50, 0),
        "{}",
        report.faults
    );
    assert_eq!(server.taken.load(Ordering::SeqCst), 50);
}

#[test]
fn connections_that_are_refused_are_counted() {
    let server = Server::tcp(echo);
    let options = options(&server, "--count 50 --connections 3");
    drop(server);
    let report = tcp_connect::run(&options, &Stop::default()).unwrap();
    assert_eq!((report.replies, report.faults.refused), (0, 3), "{}", report.faults);
}

#[test]
fn a_long_stream_comes_back_whole_and_ends() {
    let server = Server::tcp(echo);
    let report = run_bulk(&server, "--bytes 10m --buffer 30000");
    assert_eq!((report.bytes, report.faults.total()), (10 << 20, 0), "{}", report.faults);
}

#[test]
fn one_flipped_byte_of_a_long_stream_is_found() {
    let server = Server::tcp(|stream, _| echo_flipped(stream, 3_000_000));
    let report = run_bulk(&server, "--bytes 10m");
    assert_eq!(report.faults.wrong, 1, "{}", report.faults);
    assert!(report.verdict().unwrap_err().to_string().contains("byte 3000000 of the stream is 0x"));
}

#[test]
fn a_long_stream_that_is_cut_is_told() {
    let server = Server::tcp(|mut stream, _| {
        let mut buf = [0; 1000];
        stream.read_exact(&mut buf).unwrap();
        stream.write_all(&buf).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let report = run_bulk(&server, "--bytes 10m");
    assert_eq!((report.bytes, report.faults.closed), (1000, 1), "{}", report.faults);
}

#[test]
fn a_crowd_is_told_of_when_each_has_been_answered_and_stands_while_others_are_busy() {
    let server = Server::tcp(echo);
    let mut told = None;
    let options = options(&server, "--connections 40 --active 2 --seconds 0.2");
    let report = tcp_idle::run(&options, &Stop::default(), |crowd| {
        told = Some((crowd.connections, server.taken.load(Ordering::SeqCst)));
        Ok(())
    });
    let report = report.unwrap();
    assert_eq!(told, Some((40, 40)));
    assert_eq!((report.faults.total(), report.opened), (0, 42), "{}", report.faults);
    assert!(report.replies > 0);
}

#[test]
fn a_server_that_drops_its_crowd_is_told() {
    let (told, closed) = mpsc::channel();
    let server = Server::tcp(move |mut stream, number| {
        if number > 0 {
            return echo(stream, number);
        }
        let mut buf = [0; 64];
        stream.read_exact(&mut buf).unwrap();
        stream.write_all(&buf).unwrap();
        drop(stream);
        told.send(()).unwrap();
    });
    let options = options(&server, "--connections 5 --active 1 --seconds 0.01");
    let report = tcp_idle::run(&options, &Stop::default(), |_| {
        closed.recv_timeout(GENEROUS).unwrap();
        Ok(())
    });
    let report = report.unwrap();
    assert_eq!((report.faults.closed, report.faults.total()), (1, 1), "{}", report.faults);
}

#[test]
fn raw_values_come_back_from_any_server_that_echoes_and_typed_ones_do_not() {
    let server = Server::tcp(echo);
    let report =
        object::run(&options(&server, "--count 200 --connections 2 --raw"), &Stop::default())
            .unwrap();
    assert_eq!((report.replies, report.faults.total()), (200, 0), "{}", report.faults);
    let report = object::run(&options(&server, "--count 200"), &Stop::default()).unwrap();
    assert_eq!((report.replies, report.faults.wrong), (0, 1), "{}", report.faults);
}
