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
    let folder = text(site.path());
    let port = server.address.port();
    assert_ne!(port, 0);
    assert_eq!(server.stdout_so_far(), format!("Serving {folder} at http://127.0.0.1:{port}/\n"));
    server.get("/a.txt").expect_status(200).expect_body("hello\n");
}

/// Whoever waits for it reads one line, and a person's terminal does nothing.
#[cfg(unix)]
#[test]
fn the_first_line_is_one_whatever_the_folder_is_called() {
    let site = site();
    let odd = site.path().join("a\nServing b\x1b[2J");
    fs::create_dir(&odd).unwrap();
    let server = HttpServer::start(&[text(&odd)]);
    let said = server.stdout_so_far();
    assert_eq!(said.lines().count(), 1, "{said:?}");
    assert!(said.contains(r"a\nServing b\u{1b}[2J at http://"), "{said:?}");
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
        &["--allow-host", "http://my.test/"],
        &["--allow-host", "my.test:8000"],
        &["--header", "etag: \"1\""],
        &["--header", "transfer-encoding: chunked"],
        &["--nosuch"],
        &["--idle", "0s"],
        // Of a folder that is not served.
        &["--hello", "--hidden"],
        &["--hello", "--follow-symlinks"],
        &["--hello", "--precompressed"],
        &["--hello", "--cache", "60"],
        &["--hello", "--spa"],
    ] {
        rung("http-server").run(args).expect_code(2).expect_stdout("");
    }
}

/// Served by accident, it would be everything around it.
#[test]
fn a_number_that_is_also_a_name_is_not_guessed_at() {
    let around = site();
    fs::create_dir(around.path().join("2024")).unwrap();
    fs::write(around.path().join("2024/b.txt"), "inside").unwrap();
    fs::create_dir(around.path().join("20240101")).unwrap();
    fs::write(around.path().join("20240101/b.txt"), "inside").unwrap();
    let program = rung("http-server");
    let run = |args: &[&str]| {
        let mut command = program.command(args);
        command.current_dir(around.path()).stdin(Stdio::null());
        Process::start("http-server", &mut command)
    };
    let refused = run(&["2024"]).wait().expect_code(2).expect_stdout("");
    for part in ["error: 2024 may be a port", "./2024 ", "--port 2024 "] {
        assert!(refused.stderr.contains(part), "{}", refused.stderr);
    }
    let port = lasting_port().to_string();
    for args in [
        &["./2024", "-p", &port][..],
        &["2024", "-p", &port],
        &["2024", &port],
        &[&port, "2024"],
        &["20240101", "-p", &port],
        &["-d", "2024", &port],
    ] {
        let server = HttpServer::of(run(args));
        assert_eq!(server.address.port().to_string(), port, "{args:?}");
        server.get("/b.txt").expect_status(200).expect_body("inside");
    }
    // Something else is served, so that this is a port.
    fs::create_dir(around.path().join(&port)).unwrap();
    for args in [&[".", &port][..], &["-d", ".", &port], &["--hello", &port]] {
        assert_eq!(HttpServer::of(run(args)).address.port().to_string(), port, "{args:?}");
    }
}

/// As a user that may not read everything. Where the tests are root's, that is another one,
/// who has to get at the program and at the site.
#[cfg(unix)]
fn as_a_user(site: &Path, args: &[&str]) -> Option<Process> {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    const NOBODY: u32 = 65_534;
    let mut command = rung("http-server").command(&[&["--port", "0"], args].concat());
    command.current_dir("/").stdin(Stdio::null());
    if rustix::process::geteuid().is_root() {
        fs::set_permissions(site, fs::Permissions::from_mode(0o755)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
        let program = command.get_program().to_owned();
        let mut version = std::process::Command::new(program);
        version.arg("--version").current_dir("/").uid(NOBODY).gid(NOBODY).stdout(Stdio::null());
        if !version.status().is_ok_and(|status| status.success()) {
            eprintln!("skipped: another user may not start the program");
            return None;
        }
    }
    Some(Process::start("http-server", &mut command))
}

/// What every request would be told is told at the start.
#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_no_site_and_what_can_be_passed_through_is_one() {
    use std::os::unix::fs::PermissionsExt;
    let around = site();
    let mode = |path: &Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    let (file, folder) = (around.path().join("secret.txt"), around.path().join("folder"));
    fs::write(&file, "secret").unwrap();
    mode(&file, 0o000);
    let Some(refused) = as_a_user(around.path(), &[text(&file)]) else { return };
    let refused = refused.wait().expect_code(2).expect_stdout("");
    assert!(refused.stderr.starts_with("error: cannot serve "), "{}", refused.stderr);
    assert!(refused.stderr.contains("permission denied"), "{}", refused.stderr);
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("b.txt"), "inside").unwrap();
    let owner = rustix::process::geteuid().is_root();
    // Passed through by its owner, or by all others.
    mode(&folder, if owner { 0o711 } else { 0o311 });
    let refused = as_a_user(around.path(), &[text(&folder)]).unwrap();
    refused.wait().expect_code(2).expect_stdout("");
    fs::write(folder.join("index.html"), "index").unwrap();
    let server = HttpServer::of(as_a_user(around.path(), &[text(&folder)]).unwrap());
    server.get("/").expect_status(200).expect_body("index");
    server.get("/b.txt").expect_status(200).expect_body("inside");
    fs::remove_file(folder.join("index.html")).unwrap();
    server.get("/").expect_status(403);
    mode(&folder, 0o755);
}

/// Linux has names of any bytes.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_may_have_any_name() {
    use std::os::unix::ffi::OsStrExt;
    let around = site();
    let folder = around.path().join(std::ffi::OsStr::from_bytes(b"d\xff"));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("b.txt"), "inside").unwrap();
    let mut command = rung("http-server").command(&["--port", "0"]);
    command.arg(&folder).stdin(Stdio::null());
    let server = HttpServer::of(Process::start("http-server", &mut command));
    server.get("/b.txt").expect_status(200).expect_body("inside");
}

#[test]
fn wrong_usage_says_what_to_write_instead() {
    for (args, hint) in [
        (&["--header", "Cache-Control: public"][..], "--cache SECONDS"),
        (&["--allow-host", "http://my.test:8000/"], "only the name in it: my.test"),
        (&["--allow-host", "my.test:8000"], "the port is not looked at: my.test"),
        (&["--allow-host", "*.my.test"], "* is every name"),
        (&["--allow-host", "пример.рф"], "xn--"),
        // No other server is in the way.
        (&["-b", "127.0.0.1", "-b", "127.0.0.1"], "address that --bind 127.0.0.1 has already"),
        (
            &["-p", "0", "-b", "0.0.0.0", "-b", "127.0.0.1"],
            "address that --bind 0.0.0.0 has already",
        ),
        // They would have no say.
        (&["-p", "0", "--mode", "660"], "--mode is for the file of a --bind unix:PATH"),
        (&["-p", "0", "-b", "127.0.0.1", "--mode", "660"], "and there is none"),
        (&["-p", "8000", "-b", "unix:s"], "a port has no say"),
        (&["8000", "-b", "unix:s"], "a port has no say"),
    ] {
        let refused = rung("http-server").run(args).expect_code(2).expect_stdout("");
        assert!(refused.stderr.contains(hint), "{args:?}: {}", refused.stderr);
    }
}

/// An IPv4 address that is written as IPv6 is no way for a page of the web to a server of this
/// machine.
#[test]
fn a_loopback_address_in_another_spelling_is_one() {
    let site = site();
    if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err() {
        eprintln!("skipped: no IPv6 here");
        return;
    }
    let server = HttpServer::start(&[text(site.path()), "-b", "::ffff:127.0.0.1"]);
    let port = server.address.port();
    assert!(server.stdout_so_far().contains(&format!("http://127.0.0.1:{port}/")));
    let ask = |host: &str| server.ask(format!("GET /a.txt HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    ask("evil.example").expect_status(421);
    ask("localhost").expect_status(200);
    assert!(!server.stderr_so_far().contains("whoever can reach"), "{}", server.stderr_so_far());
}

/// What nobody listens on is not told, and what another program has is not taken for ours.
#[test]
fn only_addresses_that_are_listened_on_are_told() {
    let site = site();
    let server = HttpServer::start(&[text(site.path()), "-b", "0.0.0.0"]);
    server.expect_stderr(&["listening on every interface"]);
    server.get("/a.txt").expect_status(200);
    // The log of the request comes behind all notes.
    server.expect_stderr(&["GET /a.txt"]);
    assert!(!server.stderr_so_far().contains("http://["), "{}", server.stderr_so_far());
}

/// Where one family is another program's, a server of both would announce that program.
#[cfg(unix)]
#[test]
fn a_port_that_another_program_has_for_ipv6_is_busy() {
    use socket2::{Domain, Socket, Type};
    let site = site();
    let other = Socket::new(Domain::IPV6, Type::STREAM, None).unwrap();
    if other.set_only_v6(true).is_err()
        || other.bind(&SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)).into()).is_err()
        || TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_err()
    {
        eprintln!("skipped: no IPv6 here");
        return;
    }
    other.listen(1).unwrap();
    let port = other.local_addr().unwrap().as_socket().unwrap().port().to_string();
    let refused = rung("http-server").run(&[text(site.path()), "--lan", "-p", &port]);
    let refused = refused.expect_code(1).expect_stdout("");
    assert!(refused.stderr.contains("address already in use"), "{}", refused.stderr);
}

/// RFC 6874 section 4: a zone is a number of this machine alone.
#[cfg(target_os = "linux")]
#[test]
fn the_zone_of_an_address_is_in_no_url_and_in_no_host() {
    let list = fs::read_to_string("/proc/net/if_inet6").unwrap_or_default();
    // Address, index, length of the prefix, scope, flags, name: 20 is link-local.
    let local = list.lines().find_map(|line| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let [address, index, _, "20", _, _] = fields.as_slice() else { return None };
        let bits = u128::from_str_radix(address, 16).ok()?;
        Some((Ipv6Addr::from_bits(bits), u32::from_str_radix(index, 16).ok()?))
    });
    let Some((ip, zone)) = local else {
        eprintln!("skipped: no link-local address here");
        return;
    };
    let site = site();
    let server = HttpServer::start(&[text(site.path()), "-b", &format!("{ip}%{zone}")]);
    let port = server.address.port().to_string();
    assert!(server.stdout_so_far().contains(&format!("http://[{ip}]:{port}/")));
    let host = format!("{ip}%{zone}");
    rung("http-server")
        .run(&["client", "--host", &host, "-p", &port, "/a.txt"])
        .expect_code(0)
        .expect_stdout("hello\n");
}

/// RFC 9110 section 15.2; RFC 9112 sections 6.3 and 9.6.
#[test]
fn the_client_reads_as_strictly_as_the_server() {
    let ask = |answer: &'static str| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let server = thread::spawn(move || {
            let mut peer = Peer::accept(&listener);
            peer.expect_bytes(
                format!(
                    "GET / HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n",
                    listener.local_addr().unwrap().port()
                )
                .as_bytes(),
            );
            peer.send(answer.as_bytes());
        });
        let finished = rung("http-server").run(&["client", "-p", &port, "/"]);
        server.join().unwrap();
        finished
    };
    ask("HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes")
        .expect_code(0)
        .expect_stdout("yes\n");
    for (answer, why) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nyes!", "differ"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nyes", "both"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3 \r\nyes\r\n0\r\n\r\n",
            "extension",
        ),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "protocol"),
    ] {
        let refused = ask(answer).expect_code(1).expect_stdout("");
        assert!(refused.stderr.contains(why), "{answer:?}: {}", refused.stderr);
    }
}

#[test]
fn a_busy_port_that_was_asked_for_is_an_error_and_another_one_is_passed_over() {
    let site = site();
    let first = HttpServer::start(&[text(site.path())]);
    let port = first.address.port().to_string();
    rung("http-server").run(&[text(site.path()), &port]).expect_error(
        &format!("cannot listen on 127.0.0.1:{port}: address already in use"),
        "another server has this port, or had it a minute ago; pass --port 0 for a free one",
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
