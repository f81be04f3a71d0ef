//! The HTTP scenario against right servers and wrong ones.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::server::Server;
use clap::Parser;
use netload::http;
use netload::report::Report;
use netload::stop::Stop;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    options: http::Options,
}

fn run(server: &Server, args: &str) -> Result<Report, netcore::Error> {
    let url = format!("http://{}/page", server.address);
    let words = ["netload", &url].into_iter().chain(args.split_whitespace());
    http::run(&Command::parse_from(words).options, &Stop::default())
}

/// A server that gives request `n`, counted over all connections, the reply `reply(n)`.
fn replies(reply: impl Fn(u64) -> String + Send + Sync + 'static) -> Server {
    let requests = AtomicU64::new(0);
    Server::tcp(move |stream, _| visit(&stream, || reply(requests.fetch_add(1, Ordering::SeqCst))))
}

fn visit(mut stream: &TcpStream, reply: impl Fn() -> String) {
    let mut lines = BufReader::new(stream).lines();
    loop {
        let mut close = false;
        let mut head =
            lines.by_ref().map_while(Result::ok).take_while(|line| !line.is_empty()).peekable();
        if head.peek().is_none_or(|first| first != "GET /page HTTP/1.1") {
            return;
        }
        for line in head {
            close |= line == "Connection: close";
        }
        if stream.write_all(reply().as_bytes()).is_err() || close {
            return;
        }
    }
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

#[test]
fn replies_come_on_connections_that_stay() {
    let server = replies(|_| ok(&"hello ".repeat(100_000)));
    let report = run(&server, "--connections 3 --count 50").unwrap();
    assert_eq!(
        (report.replies, report.size, report.faults.total()),
        (50, 600_000, 0),
        "{}",
        report.faults
    );
    // One more asked for the first body.
    assert_eq!(server.taken.load(Ordering::SeqCst), 4);
}

#[test]
fn a_new_connection_for_each_request_where_that_is_wanted() {
    let server = replies(|_| ok("hello"));
    let report = run(&server, "--connections 3 --count 50 --close").unwrap();
    assert_eq!(
        (report.replies, report.opened, report.faults.total()),
        (50, 50, 0),
        "{}",
        report.faults
    );
    assert_eq!(server.taken.load(Ordering::SeqCst), 51);
}

#[test]
fn a_server_that_says_it_closes_is_connected_to_again() {
    let server = replies(|_| ok("hello").replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    let report = run(&server, "--connections 2 --count 20").unwrap();
    assert_eq!((report.replies, report.faults.total()), (20, 0), "{}", report.faults);
}

#[test]
fn another_body_is_wrong() {
    let server = replies(|number| ok(if number == 7 { "hallo" } else { "hello" }));
    let report = run(&server, "--connections 1 --count 20").unwrap();
    assert_eq!((report.replies, report.faults.wrong), (6, 1), "{}", report.faults);
}

#[test]
fn a_body_that_is_shorter_than_announced_is_told() {
    let server = replies(|_| "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello".into());
    let error = run(&server, "--count 1").unwrap_err().to_string();
    assert_eq!(error, "cannot get /page: Content-Length is 9 and 5 bytes came");
}

#[test]
fn a_page_that_is_not_there_is_told_before_the_run() {
    let server = replies(|_| "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".into());
    assert_eq!(
        run(&server, "").unwrap_err().to_string(),
        "cannot get /page: the status is 404 Not Found"
    );
}
