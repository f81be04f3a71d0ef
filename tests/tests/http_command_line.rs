//! The command line of `http-server`: what it serves, where, and what it says.

use std::fs;
use std::net::{Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::Stdio;
use std::thread;

use ladder_tests::http::HttpServer;
use ladder_tests::peer::lasting_port;
use ladder_tests::{Peer, Process, rung};

fn site() -> tempfile::TempDir {
    let site = tempfile::tempdir().unwrap();
    fs::write(site.path().join("a.txt"), "hello\n").unwrap();
    site
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn the_first_line_says_what_is_served_and_where() {
    let site = site();
    let server = HttpServer::start(&[text(site.path())]);
    // Windows begins a path that it has resolved with what nobody writes.
    let folder = fs::canonicalize(site.path()).unwrap();
    let folder = text(&folder).trim_start_matches(r"\\?\");
    let port = server.address.port();
    assert_ne!(port, 0);
    assert_eq!(server.stdout_so_far(), format!("Serving {folder} at http://127.0.0.1:{port}/\n"));
    server.get("/a.txt").expect_status(200).expect_body("hello\n");
}

#[test]
fn the_folder_and_the_port_come_in_any_order_and_the_current_folder_is_the_default() {
    let site = site();
    let program = rung("http-server");
    let port = lasting_port().to_string();
    for args in [
        &[text(site.path()), &port][..],
        &[&port, text(site.path())],
        &["-d", text(site.path()), "-p", &port],
        &["-d", text(site.path()), &port],
        &[&port, "-d", text(site.path())],
        &["server", "--port", &port, text(site.path())],
    ] {
        let server = HttpServer::of(program.start(args));
        assert_eq!(server.address.port().to_string(), port, "{args:?}");
        server.get("/a.txt").expect_status(200);
    }
    for args in [&["--hello", &port][..], &[&port, "--hello"]] {
        let server = HttpServer::of(program.start(args));
        assert_eq!(server.address.port().to_string(), port, "{args:?}");
    }
    let mut command = program.command(&["--port", "0"]);
    command.current_dir(site.path()).stdin(Stdio::null());
    HttpServer::of(Process::start("http-server", &mut command)).get("/a.txt").expect_status(200);
}

#[test]
fn what_makes_no_sense_is_one_line_and_exit_code_2() {
    let site = site();
    let missing = site.path().join("missing");
    for args in [
        &[text(&missing)][..],
        &[text(site.path()), text(site.path())],
        &["-d", text(site.path()), text(site.path())],
        &["--hello", text(site.path())],
        &["8000", "8001"],
        &["-p", "8000", "8001"],
        &["99999"],
    ] {
        let finished = rung("http-server").run(args).expect_code(2).expect_stdout("");
        assert!(finished.stderr.starts_with("error: "), "{}", finished.stderr);
        assert_eq!(finished.stderr.lines().count(), 1, "{}", finished.stderr);
    }
    for args in [
        &["--header", "no colon"][..],
        &["--header", "A: b\r\nC: d"],
        &["--header", "A: b\nC: d"],
        &["--header", "A b: c"],
        // Where a response ends is not to be said twice.
        &["--header", "Content-Length: 5"],
        &["--header", "Cache-Control: public"],
        &["--header", "etag: \"1\""],
        &["--header", "transfer-encoding: chunked"],
        &["--nosuch"],
        &["--idle", "0s"],
    ] {
        rung("http-server").run(args).expect_code(2).expect_stdout("");
    }
}

#[test]
fn a_busy_port_that_was_asked_for_is_an_error_and_another_one_is_passed_over() {
    let site = site();
    let first = HttpServer::start(&[text(site.path())]);
    let port = first.address.port().to_string();
    rung("http-server").run(&[text(site.path()), &port]).expect_error(
        &format!("cannot listen on 127.0.0.1:{port}: address already in use"),
        "another server has this port; pass --port 0 for a free one",
    );
    // Held by us from here on, or by somebody else, who may let it go at any time.
    let taken = TcpListener::bind(("127.0.0.1", 8000));
    let server = rung("http-server").start(&[text(site.path())]);
    if !server.prints(&["Serving ", " at http://127.0.0.1:80"]) {
        // All of them are taken, which is no fault of ours.
        server.wait().expect_code(1);
    } else if server.stdout_so_far().contains(":8000/") {
        assert!(taken.is_err());
    } else {
        server.expect_stderr(&["port 8000 is busy; this is the next free one"]);
    }
}

#[test]
fn both_loopback_addresses_are_listened_on() {
    let site = site();
    let server = HttpServer::start(&[text(site.path())]);
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("skipped: no IPv6 here");
        return;
    }
    let mut peer = Peer::connect(SocketAddr::from((Ipv6Addr::LOCALHOST, server.address.port())));
    peer.send(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
    peer.response().expect_status(200);
}

/// Elsewhere 127.0.0.2 is no address until somebody makes it one.
#[cfg(target_os = "linux")]
#[test]
fn several_addresses_may_be_given() {
    let site = site();
    let server = HttpServer::start(&[text(site.path()), "-b", "127.0.0.1", "-b", "127.0.0.2"]);
    let mut peer = Peer::connect(SocketAddr::from(([127, 0, 0, 2], server.address.port())));
    peer.send(b"GET /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
    peer.response().expect_status(200);
}

#[test]
fn listening_on_every_interface_is_said_and_takes_every_host() {
    let site = site();
    let server = HttpServer::start(&[text(site.path()), "--lan"]);
    server.expect_stderr(&["listening on every interface"]);
    server.ask("GET /a.txt HTTP/1.1\r\nHost: my-machine.lan\r\n\r\n").expect_status(200);
}

/// What is told to people is no reason not to serve. Only Linux has a file that is
/// always full.
#[cfg(target_os = "linux")]
#[test]
fn notes_that_cannot_be_written_are_lost_and_no_more() {
    use std::process::Command;

    let site = site();
    let program = ladder_tests::binaries::executable("http-server").to_str().unwrap();
    let mut shell = Command::new("sh");
    // Paths as arguments: they may hold anything.
    let script = "exec \"$0\" --port 0 --lan \"$1\" 2>/dev/full";
    shell.args(["-c", script, program]).arg(site.path()).stdin(Stdio::null());
    let server = HttpServer::of(Process::start("http-server", &mut shell));
    server.get("/a.txt").expect_status(200);
}

#[test]
fn the_access_log_has_a_line_for_each_response_and_nothing_of_it_is_a_command() {
    let site = site();
    let server = HttpServer::start(&[text(site.path())]);
    server.get("/a.txt").expect_status(200);
    let line = server.expect_stderr(&["GET /a.txt"]);
    assert!(line.starts_with("127.0.0.1 - - ["), "{line}");
    assert!(
        line.contains(" +0000] \"GET /a.txt HTTP/1.1\" 200 6 ") && line.ends_with("ms"),
        "{line}"
    );
    server.ask("HEAD /a.txt HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.expect_stderr(&["\"HEAD /a.txt HTTP/1.1\" 200 0 "]);
    server.ask(b"GET /\xd0\x9f\" HTTP/1.1\r\nHost: localhost\r\n\r\n").expect_status(404);
    server.expect_stderr(&["\"GET /\\xD0\\x9F\\x22 HTTP/1.1\" 404 "]);
    server.ask(b"GET /\x1b[31m HTTP/1.1\r\nHost: localhost\r\n\r\n").expect_status(400);
    server.expect_stderr(&["\"GET /\\x1B[31m HTTP/1.1\" 400 "]);
    let quiet = HttpServer::start(&[text(site.path()), "--quiet"]);
    quiet.get("/a.txt").expect_status(200);
    #[cfg(unix)]
    assert!(!quiet.stop().expect_code(0).stderr.contains("GET"));
}

/// Row T1.6 of the tutorials.
#[test]
fn the_greeting_of_the_tutorial() {
    let server = HttpServer::start(&["--hello"]);
    for path in ["/", "/any/path?x"] {
        let response = server.get(path).expect_status(200).expect_body("Привет, мир!");
        response
            .expect_field("content-type", "text/plain; charset=utf-8")
            .expect_field("content-length", "21");
    }
    let ask = |method: &str| server.ask(format!("{method} / HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    ask("HEAD").expect_status(200).expect_field("content-length", "21");
    ask("POST").expect_status(501);
    ask("DELETE").expect_status(501);
}

/// RFC 9112 section 9.3.1. A server may close a connection that stays while the next
/// request is on its way.
#[test]
fn the_client_asks_again_where_a_kept_connection_was_closed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let server = thread::spawn(move || {
        let take = |peer: &mut Peer, path: &str| {
            let port = listener.local_addr().unwrap().port();
            peer.expect_bytes(
                format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n").as_bytes(),
            );
        };
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n";
        let mut first = Peer::accept(&listener);
        take(&mut first, "/one");
        first.send(&[answer, b"one".as_slice()].concat());
        take(&mut first, "/two");
        drop(first);
        let mut second = Peer::accept(&listener);
        take(&mut second, "/two");
        second.send(&[answer, b"two".as_slice()].concat());
    });
    let program = rung("http-server");
    program
        .run(&["client", "-p", &port, "/one", "/two"])
        .expect_code(0)
        .expect_stdout("one\ntwo\n");
    server.join().unwrap();
}

#[test]
fn the_client_prints_what_it_gets() {
    let site = site();
    fs::write(site.path().join("я #1%.txt"), "odd\n").unwrap();
    let server = HttpServer::start(&[text(site.path())]);
    let port = server.address.port().to_string();
    let program = rung("http-server");
    program.run(&["client", "-p", &port, "/я #1%25.txt"]).expect_code(0).expect_stdout("odd\n");
    program
        .run(&["client", "-p", &port, "/a.txt", "a.txt"])
        .expect_code(0)
        .expect_stdout("hello\nhello\n");
    // The paths behind one that is not there are asked for too.
    let missing = program.run(&["client", "-p", &port, "/missing", "/a.txt"]).expect_code(1);
    assert!(missing.stderr.contains("the server answered 404"), "{}", missing.stderr);
    assert!(missing.stdout.ends_with(b"hello\n"), "{:?}", missing.stdout);
}

/// The suites run over the program as it is built by default.
#[test]
fn a_build_without_tls_says_how_to_get_it() {
    let finished =
        rung("http-server").run(&["--hello", "-p", "0", "--tls"]).expect_code(1).expect_stdout("");
    assert_eq!(
        finished.stderr,
        "error: cannot encrypt: this build has no TLS; its feature tls is off (cargo build --features tls)\n"
    );
}
