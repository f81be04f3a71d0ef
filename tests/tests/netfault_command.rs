//! The command `netfault`: what a person sees of it, and what a script relies on.

use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};

use ladder_tests::ladder::every_rung;
use ladder_tests::peer::ClosedPort;
use ladder_tests::{Datagrams, Finished, Peer, Process, Server, binaries, rung};

fn start(args: &[&str]) -> Process {
    let mut command = Command::new(binaries::netfault());
    Process::start(&format!("netfault {}", args.join(" ")), command.args(args).stdin(Stdio::null()))
}

fn run(args: &[&str]) -> Finished {
    start(args).wait()
}

/// What the ready line of a proxy says.
fn address(proxy: &Process) -> SocketAddr {
    let ready = proxy.expect_stdout(&["listening on "]);
    ready.trim_start_matches("listening on ").parse().expect("the ready line ends with an address")
}

#[test]
fn the_list_has_every_fault_that_a_manifest_names_and_says_what_it_is() {
    let finished = run(&["list"]).expect_code(0);
    let list = finished.printed();
    let (peers, processes) = list.split_once("\nDone to a process").expect("there are two kinds");
    let about = |part: &str, name: &str| {
        let line = part.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map(|about| about.trim().to_string())
    };
    assert_eq!(about(peers, "silent").as_deref(), Some("a client that connects and never sends"));
    assert_eq!(
        about(processes, "port-taken").as_deref(),
        Some("a port, or a file, that another server has")
    );
    assert_eq!(about(peers, "port-taken"), None);
    for limit in every_rung().iter().flat_map(|rung| &rung.limits) {
        assert!(
            about(&list, &limit.fault).is_some_and(|about| !about.is_empty()),
            "{}",
            limit.fault
        );
    }
}

#[test]
fn a_server_that_does_what_is_due_is_told_from_one_that_does_not() {
    let server = Server::start(rung("reusable-echo"), &[]);
    let told = "half-close: a client that sends, closes its sending side, and then reads\n";
    run(&["half-close", &server.address.to_string()])
        .expect_code(0)
        .expect_stdout(&format!("{told}the faulty client got its whole answer\n"));
    server.expect_log(&["connected"]);

    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address").to_string();
    let fault = start(&["half-close", &address]);
    let mut forgetful = Peer::accept(&listener);
    forgetful.expect_bytes(b"hello");
    forgetful.expect_end_of_stream();
    forgetful.send(b"hel");
    drop(forgetful);
    let finished = fault.wait().expect_code(1).expect_stdout(told);
    assert!(
        finished.stderr.starts_with("error: cannot see what is due: the client "),
        "{}",
        finished.stderr
    );
}

#[test]
fn a_server_that_drops_a_silent_client_is_told_from_one_that_does_not() {
    let told = "silent: a client that connects and never sends\n";
    let dropping = Server::start(rung("timeout-echo"), &["--idle", "200ms"]);
    let finished = run(&["silent", &dropping.address.to_string()]).expect_code(0);
    let printed = finished.printed();
    assert!(
        printed.starts_with(told) && printed.ends_with(" s: the server has closed\n"),
        "{printed}"
    );
    dropping.expect_log(&["dropped"]);

    let patient = Server::start(rung("reusable-echo"), &[]);
    let finished = run(&["silent", &patient.address.to_string(), "--for", "200ms"]).expect_code(0);
    let printed = finished.printed();
    assert!(
        printed.starts_with(told) && printed.ends_with(" s: the server has let it go on\n"),
        "{printed}"
    );
}

#[test]
fn what_the_server_speaks_and_a_hello_can_be_said() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it has an address").to_string();
    let frames = start(&["half-close", &address, "--speaks", "frames"]);
    Peer::accept(&listener).expect_bytes(b"\0\0\0\x05hello");
    drop(frames);
    let escaped = start(&["half-close", &address, "--hello", r"\x05\r\n\0\\."]);
    Peer::accept(&listener).expect_bytes(b"\x05\r\n\0\\.");
    drop(escaped);
}

/// From a port to a file, from a file to a file, and from a file to a port.
#[cfg(unix)]
#[test]
fn the_proxy_carries_streams_between_files_and_ports() {
    use ladder_tests::Address;

    let folder = tempfile::tempdir().expect("a folder can be made");
    let on_a_file = Server::start(rung("unix-echo"), &[]);
    let on_a_port = Server::start(rung("timeout-echo"), &[]);
    let Address::Unix(file) = &on_a_file.address else { panic!("it listens on a file") };
    let (to_file, to_port) = (file.display().to_string(), on_a_port.address.to_string());
    let here = format!("unix:{}", folder.path().join("s").display());
    for args in [
        &["--unix", &to_file][..],
        &["--listen", &here, "--to", &format!("unix:{to_file}")],
        &["--listen", &here, "--to", &to_port],
    ] {
        let proxy = start(&[&["proxy", "--slice", "2"], args].concat());
        let ready = proxy.expect_stdout(&["listening on "]);
        let mut client = Peer::connect(ladder::ready::address(&ready).expect("it is one"));
        client.exchange(b"hello", b"hello");
        client.half_close();
        client.expect_end_of_stream();
        proxy.signal(rustix::process::Signal::TERM);
        proxy.wait().expect_code(0);
    }
    assert!(!folder.path().join("s").exists());
}

#[cfg(unix)]
#[test]
fn a_fault_is_let_loose_on_a_file() {
    use ladder_tests::Address;

    let server = Server::start(rung("unix-echo"), &[]);
    let Address::Unix(file) = &server.address else { panic!("it listens on a file") };
    let (file, address) = (file.display().to_string(), server.address.to_string());
    for place in [&["--unix", &file][..], &[&address]] {
        let finished = run(&[&["half-close"], place].concat()).expect_code(0);
        assert!(finished.printed().ends_with("the faulty client got its whole answer\n"));
    }
    server.expect_log(&["uid=", "closed"]);
}

/// Whoever reads the record takes it for whole.
#[cfg(target_os = "linux")]
#[test]
fn a_record_that_cannot_be_written_is_told_and_nobody_is_kept_from_talking() {
    let server = Server::start(rung("reusable-echo"), &[]);
    let to = server.address.to_string();
    let proxy = start(&["proxy", "--to", &to, "--record", "/dev/full"]);
    Peer::connect(address(&proxy)).exchange(b"hello", b"hello");
    proxy.expect_stderr(&["cannot write down what passes"]);
    Peer::connect(address(&proxy)).exchange(b"hello", b"hello");
    proxy.signal(rustix::process::Signal::TERM);
    let told = proxy.wait().expect_code(1).stderr;
    assert!(told.contains("error: cannot write down what has passed: "), "{told}");
}

#[cfg(unix)]
#[test]
fn the_proxy_carries_streams_and_writes_down_what_passes() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let file = folder.path().join("record");
    let server = Server::start(rung("reusable-echo"), &["-v"]);
    let to = server.address.to_string();
    let proxy =
        start(&["proxy", "--to", &to, "--slice", "4", "-v", "--record", &file.to_string_lossy()]);
    let mut client = Peer::connect(address(&proxy));
    client.exchange(b"hello", b"hello");
    client.half_close();
    client.expect_end_of_stream();
    // The server has met the proxy and not the client.
    let line = server.expect_log(&["connected"]);
    assert!(!line.contains(&client.address()), "{line}");
    proxy.expect_stderr(&[&client.address(), "closed"]);
    proxy.signal(rustix::process::Signal::TERM);
    proxy.wait().expect_code(0);
    let record = std::fs::read_to_string(&file).expect("it is text");
    let (there, back): (Vec<&str>, Vec<&str>) =
        record.lines().filter(|line| line.contains(" #0 ")).partition(|line| line.contains("-->"));
    assert!(there[0].ends_with("--> 4 bytes") && there[1].ends_with("--> 1 bytes"), "{record}");
    for way in [there, back] {
        assert!(way.last().is_some_and(|line| line.ends_with("end of stream")), "{record}");
    }
    assert!(record.contains("68 65 6c 6c") && record.contains("  hell\n"), "{record}");
}

#[test]
fn the_proxy_carries_datagrams_both_ways_and_twice_where_it_is_told_to() {
    let server = Datagrams::bind();
    let client = Datagrams::bind();
    let proxy = start(&["proxy", "--to", &server.address().to_string(), "--duplicate", "1"]);
    client.send(b"ping", address(&proxy));
    let from = server.expect(b"ping");
    assert_ne!(from, client.address());
    assert_eq!(server.expect(b"ping"), from);
    server.send(b"pong", from);
    for _ in 0..2 {
        assert_eq!(client.expect(b"pong"), address(&proxy));
    }
}

#[test]
fn nobody_listening_is_told() {
    let closed = ClosedPort::take();
    let address = format!("127.0.0.1:{}", closed.port());
    let finished = run(&["silent", &address]).expect_code(1).expect_stdout("");
    let error = format!("error: cannot begin silent with {address}: connection refused\n");
    assert!(finished.stderr.starts_with(&error), "{}", finished.stderr);
}

#[test]
fn wrong_usage_is_exit_code_2_and_says_what_is_wrong() {
    for (args, why) in [
        (&[][..], "<FAULT>"),
        (&["silent"], "<HOST:PORT>"),
        (&["silence", "127.0.0.1:1"], "there is no such fault"),
        (&["silent", "127.0.0.1"], "127.0.0.1"),
        (&["silent", "127.0.0.1:1", "--speaks", "morse"], "frames"),
        (&["silent", "127.0.0.1:1", "--speaks", "datagrams"], "there is no silent for"),
        (&["silent", "127.0.0.1:1", "--hello", r"\q"], "an escape is one of"),
        (&["silent", "127.0.0.1:1", "--for", "5"], "--for"),
        (&["port-taken", "127.0.0.1:1"], "cargo xtask faults RUNG port-taken"),
        (&["proxy"], "--to"),
        (&["proxy", "--to", "127.0.0.1:1", "--loss", "2"], "--loss"),
    ] {
        let finished = run(args).expect_code(2).expect_stdout("");
        let told = &finished.stderr;
        assert!(told.starts_with("error: ") && told.contains(why), "{args:?}: {told}");
        assert!(told.contains("--help"), "{args:?}: {told}");
    }
}
