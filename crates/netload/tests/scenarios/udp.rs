//! The UDP scenario against right servers and wrong ones.

use crate::server::Server;
use std::sync::atomic::Ordering;

use clap::Parser;
use netload::report::Report;
use netload::stop::Stop;
use netload::udp_echo;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    options: udp_echo::Options,
}

fn options(server: &Server, args: &str) -> udp_echo::Options {
    let address = server.address.to_string();
    Command::parse_from(["netload", &address].into_iter().chain(args.split_whitespace())).options
}

fn run(server: &Server, args: &str) -> Report {
    udp_echo::run(&options(server, args), &Stop::default()).unwrap()
}

#[test]
fn every_datagram_of_a_right_server_is_counted() {
    let server = Server::udp(|datagram, _| vec![datagram]);
    let report = run(&server, "--count 1000 --window 16 --size 200 --lost-after 30s");
    assert_eq!((report.replies, report.bytes), (1000, 200_000));
    assert_eq!(
        (report.lost, report.stray, report.faults.total()),
        (Some(0), Some(0), 0),
        "{}",
        report.faults
    );
}

#[test]
fn many_with_each_call_are_the_same_datagrams_to_the_server() {
    let server = Server::udp(|datagram, _| vec![datagram]);
    let report = run(&server, "--count 1000 --window 64 --batch --lost-after 30s");
    assert_eq!(
        (report.replies, report.lost, report.faults.total()),
        (1000, Some(0), 0),
        "{}",
        report.faults
    );
    assert_eq!(server.taken.load(Ordering::SeqCst), 1000);
}

#[test]
fn what_is_lost_is_counted_and_replaced() {
    let server =
        Server::udp(|datagram, number| if number % 10 == 3 { vec![] } else { vec![datagram] });
    let report = run(&server, "--count 100 --window 8 --lost-after 300ms");
    // More where the machine is slow, and then they are late as well.
    assert!(report.lost >= Some(10) && report.replies >= 50, "{report}");
    assert_eq!(report.replies + report.lost.unwrap(), 100);
}

#[test]
fn what_comes_twice_is_counted_once() {
    let server = Server::udp(|datagram, _| vec![datagram.clone(), datagram]);
    let report = run(&server, "--count 100 --window 4 --lost-after 30s");
    assert_eq!(
        (report.replies, report.lost, report.faults.total()),
        (100, Some(0), 0),
        "{}",
        report.faults
    );
    // The copy of the last may come when the run is over.
    assert!(report.stray >= Some(90), "{report}");
}

#[test]
fn one_flipped_byte_is_found() {
    let server = Server::udp(|mut datagram, number| {
        if number == 50 {
            datagram[20] ^= 1;
        }
        vec![datagram]
    });
    let report = run(&server, "--count 100 --window 1");
    assert_eq!((report.faults.wrong, report.replies), (1, 50), "{}", report.faults);
    assert!(report.verdict().unwrap_err().to_string().contains("byte 20 of a datagram is 0x"));
}

#[test]
fn a_datagram_that_is_cut_is_wrong() {
    let server = Server::udp(|datagram, _| vec![datagram[..63].to_vec()]);
    assert_eq!(run(&server, "--count 1").faults.wrong, 1);
    let server = Server::udp(|_, _| vec![vec![1, 2, 3]]);
    assert_eq!(run(&server, "--count 1").faults.wrong, 1);
}

#[cfg(unix)]
#[test]
fn nobody_listening_is_told_at_once() {
    let server = Server::udp(|datagram, _| vec![datagram]);
    let options = options(&server, "--count 10");
    drop(server);
    let report = udp_echo::run(&options, &Stop::default()).unwrap();
    assert_eq!((report.faults.refused, report.replies), (1, 0), "{}", report.faults);
}

#[test]
fn a_server_that_never_answers_is_a_fault_and_no_loss() {
    let silent = Server::udp(|_, _| Vec::new());
    let report = run(&silent, "--count 100 --window 4 --lost-after 100ms");
    assert_eq!((report.replies, report.lost, report.faults.timed_out), (0, Some(100), 1));
    assert!(report.verdict().is_err());
}
