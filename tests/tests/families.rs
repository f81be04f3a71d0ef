//! IPv4, IPv6, both at once, and names that have an address of each.

use std::net::{Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use ladder_tests::peer::{assert_refused, lasting_port};
use ladder_tests::{Server, rungs_on_ports, stream_rungs};

/// A machine without IPv6 is no failure, but it is told.
fn has_ipv6() -> bool {
    match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => true,
        Err(error) => {
            println!("skipped: no IPv6 here: {error}");
            false
        }
    }
}

/// They show the calls as they are, and the choice of the families is the system's: on
/// Windows, `::` is IPv6 alone. From `stopping-echo` on, every rung asks for both.
const LEFT_TO_THE_SYSTEM: [&str; 2] = ["oneshot-echo", "reusable-echo"];

/// Starts each rung on `bind` and runs the first client of its demo against it as
/// `host`.
fn assert_serves(bind: &str, host: &str) {
    for rung in rungs_on_ports() {
        println!("over {}: {host} against {bind}", rung.name);
        let is_one_family = cfg!(windows) && LEFT_TO_THE_SYSTEM.contains(&rung.name.as_str());
        if is_one_family && (bind, host) == ("::", "127.0.0.1") {
            continue;
        }
        let Some(run) = rung.demo.first() else { continue };
        let args: Vec<&str> = rung.server_args.iter().map(String::as_str).collect();
        let server = Server::start(rung, &[&args[..], &["--bind", bind]].concat());
        server.client_at(host, &run.args(), b"").expect_code(0).expect_stdout(&run.printed());
    }
}

#[test]
fn a_server_on_every_address_serves_ipv6_and_ipv4() {
    if has_ipv6() {
        assert_serves("::", "::1");
        assert_serves("::", "127.0.0.1");
    }
}

#[test]
fn a_server_on_every_ipv4_address_serves_ipv4() {
    assert_serves("0.0.0.0", "127.0.0.1");
}

#[test]
fn an_ipv6_address_is_taken_with_and_without_brackets() {
    if has_ipv6() {
        assert_serves("::1", "[::1]");
        assert_serves("[::1]", "::1");
    }
}

#[test]
fn a_client_tries_every_address_of_a_name() {
    assert_serves("127.0.0.1", "localhost");
    assert_serves("localhost", "localhost");
    let mut addresses = ("localhost", 0).to_socket_addrs().expect("localhost has an address");
    if addresses.any(|address| address.is_ipv6()) && has_ipv6() {
        assert_serves("::1", "localhost");
    } else {
        println!("skipped: localhost has no IPv6 address here");
    }
}

#[test]
fn a_server_on_one_ipv6_address_does_not_serve_ipv4() {
    if !has_ipv6() {
        return;
    }
    for rung in stream_rungs().into_iter().filter(|rung| rung.is_on_a_port()) {
        println!("over {}", rung.name);
        // A port that is free in both families and stays so.
        let server = Server::start_on(rung, lasting_port(), &["--bind", "::1"]);
        assert_refused(SocketAddr::from(([127, 0, 0, 1], server.port())));
    }
}

/// To the end of the server: a second warning could come late.
#[cfg(unix)]
#[test]
fn listening_wider_than_this_machine_is_warned_of_once() {
    let warning = "listening on every interface";
    for rung in rungs_on_ports() {
        println!("over {}", rung.name);
        for bind in ["0.0.0.0", "::"] {
            if bind == "::" && !has_ipv6() {
                continue;
            }
            let server = Server::start(rung, &["--bind", bind]);
            assert_eq!(server.inet().ip().to_string(), bind);
            let log = server.stop().stderr;
            assert_eq!(log.matches(warning).count(), 1, "{log}");
            assert!(
                log.lines().any(|line| line.contains("warn") && line.contains(warning)),
                "{log}"
            );
        }
        let local = Server::start(rung, &[]).stop();
        assert!(!local.stderr.contains(warning), "{}", local.stderr);
    }
}
