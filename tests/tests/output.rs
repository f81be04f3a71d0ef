//! The output contract: what goes to standard output, what to standard error, and which
//! exit code says what.

use std::io;
use std::net::TcpListener;
use std::process::Stdio;
#[cfg(unix)]
use std::{env, path::PathBuf, process::Command};

use ::ladder::shell::words;
use ladder_tests::ladder::every_rung;
use ladder_tests::peer::{ClosedPort, lasting_port};
use ladder_tests::process::spawn;
use ladder_tests::{
    GENEROUS, Peer, Process, Rung, Server, ladder, rungs_in, rungs_on_ports, stream_rungs,
};

#[test]
fn the_demo_of_each_rung_prints_what_its_manifest_promises() {
    for rung in ladder() {
        println!("over {}", rung.name);
        let args: Vec<&str> = rung.server_args.iter().map(String::as_str).collect();
        let server = Server::start(rung, &args);
        for run in &rung.demo {
            server.client(&run.args()).expect_code(0).expect_stdout(&run.printed());
        }
    }
}

/// To the end of the server: what it printed too much could come late.
#[cfg(unix)]
#[test]
fn the_ready_line_is_all_that_a_server_prints_and_the_rest_is_log() {
    for rung in ladder() {
        println!("over {}", rung.name);
        let args: Vec<&str> = rung.server_args.iter().map(String::as_str).collect();
        let server = Server::start(rung, &[&args[..], &["-v"]].concat());
        if let Some(run) = rung.demo.first() {
            server.client(&run.args()).expect_code(0);
            server.expect_log(&["received"]);
        }
        let ready = format!("listening on {}\n", server.address);
        // The one that serves once has ended by itself.
        let finished = if rung.serves_once() { server.wait() } else { server.stop() };
        let finished = if rung.leaves_signals_alone() { finished } else { finished.expect_code(0) };
        // What a node prints is the board, to which a visitor has added.
        match rung.nodes.is_empty() {
            true => drop(finished.expect_stdout(&ready)),
            false => assert!(finished.stdout.starts_with(ready.as_bytes())),
        }
    }
}

/// Whoever started it waits for the line, and would wait for ever.
#[test]
fn a_server_whose_ready_line_nobody_takes_says_so_and_fails() {
    for rung in every_rung() {
        println!("over {}", rung.name);
        let (reader, writer) = io::pipe().expect("there is room for a pipe");
        drop(reader);
        let [option, value] = rung.free_address().option();
        let mut command = rung.command(&["server", &option, &value]);
        command.current_dir(&rung.folder);
        // One that has no tokens does not begin, and a node without a name neither.
        if rung.has_tokens() || !rung.nodes.is_empty() {
            command.args(&rung.server_args);
        }
        command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
        let server = Process::watch(&rung.name, spawn(&mut command).expect("it starts"));
        drop(command);
        let told = server.wait().expect_code(1).stderr;
        assert!(told.contains("error: cannot tell that the server is ready: "), "{told}");
    }
}

/// The same of a line behind it, which its clients need as well: whoever waits takes the
/// first one here, and there is no room for the second.
#[cfg(target_os = "linux")]
#[test]
fn a_server_whose_fingerprint_nobody_takes_says_so_and_fails() {
    use std::io::Write;
    use std::time::Instant;

    use rustix::io::ioctl_fionread;
    use rustix::pipe::fcntl_setpipe_size;

    /// The smallest pipe, and room for `listening on 127.0.0.1:12345` in it.
    const PIPE: usize = 4096;
    const ROOM: usize = 40;
    let (reader, mut writer) = io::pipe().expect("there is room for a pipe");
    fcntl_setpipe_size(&writer, PIPE).expect("it can be small");
    writer.write_all(&[b' '; PIPE - ROOM]).expect("there is room");
    // Without certificates, which `Rung::command` would give it.
    let mut command = Command::new(ladder_tests::binaries::executable("tls-echo"));
    command.args(["server", "--port", "0"]);
    command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
    let server = Process::watch("tls-echo", spawn(&mut command).expect("it starts"));
    drop(command);
    let started = Instant::now();
    while ioctl_fionread(&reader).expect("it is a pipe") as usize == PIPE - ROOM {
        assert!(started.elapsed() < GENEROUS, "it is not ready");
        std::thread::yield_now();
    }
    drop(reader);
    let told = server.wait().expect_code(1).stderr;
    assert!(told.contains("error: cannot tell that the server is ready: "), "{told}");
}

#[test]
fn port_0_takes_a_free_port_and_the_ready_line_tells_which() {
    for rung in rungs_on_ports() {
        let (first, second) = (Server::start(rung, &[]), Server::start(rung, &[]));
        assert_ne!(first.port(), 0, "{}", rung.name);
        assert_ne!(first.port(), second.port(), "{}", rung.name);
        assert!(first.inet().ip().is_loopback(), "{} listens on {}", rung.name, first.address);
    }
}

#[test]
fn help_ends_with_an_example() {
    for rung in ladder() {
        for args in [&["--help"][..], &["server", "--help"], &["client", "--help"]] {
            let help = rung.run(args).expect_code(0);
            assert_eq!(help.stderr, "", "{} {args:?}", rung.name);
            let help = help.printed();
            let (_, example) = help.split_once("\nExample:\n").expect("there is an example");
            for line in example.lines() {
                assert!(
                    line.starts_with(&format!("  {} ", rung.name)),
                    "{} {args:?}: {line:?}",
                    rung.name
                );
            }
        }
    }
}

/// Behind its server, which may not listen yet; and what is asked for is there.
#[test]
fn the_example_of_a_client_can_be_pasted() {
    for rung in rungs_on_ports() {
        println!("over {}", rung.name);
        let help = rung.run(&["--help"]);
        let help = help.printed();
        let example = words(help.lines().last().expect("help has lines"));
        let Some((_, args)) = example.split_first() else { panic!("{help}") };
        // What these read and ask for is nowhere here.
        let reads_files = rung.has_tokens() || args.iter().any(|arg| arg == "--certs");
        if reads_files || !help.contains(" server &\n") {
            continue;
        }
        assert_eq!(args[1..3], ["--wait", "5s"], "{example:?}");
        let server = Server::start(rung, &[]);
        let port = server.port().to_string();
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        // An option behind a message would be one more message.
        rung.run(&[&args[..1], &["--port", &port], &args[1..]].concat()).expect_code(0);
    }
}

#[cfg(unix)]
#[test]
fn the_example_of_a_server_can_be_pasted() {
    for rung in rungs_on_ports() {
        println!("over {}", rung.name);
        let help = rung.run(&["server", "--help"]);
        let help = help.printed();
        let example = help.lines().last().expect("help has lines").trim().to_string();
        assert!(example.contains("--port 0"), "{example:?} would meet another server");
        let program = PathBuf::from(rung.command(&[]).get_program());
        let folder = program.parent().expect("it is in a folder");
        let path = env::var_os("PATH").unwrap_or_default();
        let path =
            env::join_paths([folder.to_path_buf()].into_iter().chain(env::split_paths(&path)));
        let mut shell = Command::new("sh");
        // What the command `certs` makes, as the example has it.
        let place = tempfile::tempdir().expect("a folder can be made");
        if let Some(certs) = rung.certs_folder() {
            std::os::unix::fs::symlink(certs, place.path().join("certs")).expect("a link is made");
        }
        shell.current_dir(place.path());
        // The shell becomes the server, so that the guard ends the server and not the shell
        // only.
        shell.args(["-c", &format!("exec {example}")]).stdin(Stdio::null());
        shell.env("PATH", path.expect("it is a list of folders"));
        Process::start(&example, &mut shell).expect_stdout(&["listening on 127.0.0.1:"]);
    }
}

#[test]
fn a_client_without_an_address_speaks_to_the_default_of_its_own_server() {
    for rung in rungs_on_ports() {
        let default = |role: &str, option: &str| {
            let help = rung.run(&[role, "--help"]).expect_code(0);
            let help = help.printed();
            // Where it stands in the list, and not in the text of another option.
            let option = format!("{option} <");
            let (_, rest) =
                help.split_once(&option).unwrap_or_else(|| panic!("{role} takes no {option}"));
            let (_, rest) = rest.split_once("[default: ").expect("it has a default");
            rest.split_once(']').expect("it ends").0.to_string()
        };
        assert_eq!(default("client", "--port"), default("server", "--port"), "{}", rung.name);
        assert_eq!(default("client", "--host"), default("server", "--bind"), "{}", rung.name);
    }
}

#[test]
fn wrong_usage_is_exit_code_2_and_shows_how_it_is_used() {
    for rung in rungs_on_ports() {
        for args in [
            &["--nosuch"][..],
            &["server", "--nosuch"],
            &["server", "--port", "65536"],
            &["server", "--port", "http"],
            &["server", "--bind"],
            &["client", "--nosuch"],
            &["client", "--port", "-1"],
        ] {
            let finished = rung.run(args).expect_code(2).expect_stdout("");
            assert!(
                finished.stderr.starts_with("error: "),
                "{} {args:?}: {}",
                rung.name,
                finished.stderr
            );
            assert!(
                finished.stderr.contains("--help"),
                "{} {args:?}: {}",
                rung.name,
                finished.stderr
            );
        }
    }
}

#[test]
fn the_help_says_of_a_limit_what_is_true_in_the_rung() {
    let of_a_request = "one request or one response";
    for rung in rungs_in("tcp-echo").into_iter().filter(|rung| rung.server_takes("--total")) {
        let help = rung.run(&["server", "--help"]).expect_code(0);
        let help = help.printed();
        assert!(!help.contains("HTTP") && !help.contains(of_a_request), "{}: {help}", rung.name);
    }
    for rung in rungs_in("http-rungs") {
        let help = rung.run(&["server", "--help"]).expect_code(0);
        let help = help.printed();
        assert!(help.contains(of_a_request), "{}: {help}", rung.name);
    }
}

#[test]
fn a_limit_of_no_time_or_without_a_unit_is_wrong_usage() {
    for rung in rungs_on_ports().into_iter().filter(|rung| rung.server_takes("--idle")) {
        for wrong in ["0s", "5", "-1s", "1h"] {
            let args = ["server", "--port", "0", &format!("--idle={wrong}")];
            rung.run(&args).expect_code(2).expect_stdout("");
        }
    }
}

/// It would be one, and nobody would learn of it, or refuse everybody.
#[test]
fn a_limit_of_none_at_all_is_wrong_usage() {
    let limits = [
        "max-clients",
        "max-addresses",
        "max-message",
        "queue",
        "room-limit",
        "workers",
        "largest",
    ];
    for rung in every_rung() {
        for limit in limits.map(|limit| format!("--{limit}")) {
            if rung.server_takes(&limit) {
                let finished = rung.run(&["server", "--port", "0", &limit, "0"]);
                let told = finished.expect_code(2).expect_stdout("").stderr;
                let says_why = |why| told.contains(why);
                let why = ["a limit of none at all", "a size of no bytes at all"];
                assert!(why.into_iter().any(says_why), "{}: {told}", rung.name);
            }
        }
    }
}

/// Not refused, as what is mounted into a container often has such a mode.
#[cfg(unix)]
#[test]
fn a_secret_that_others_can_read_is_used_with_a_warning() {
    use std::fs::{Permissions, set_permissions, write};
    use std::os::unix::fs::PermissionsExt;

    use ladder_tests::binaries::executable;

    const WARNING: &str = "others can read the secret in it";
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let certs = Command::new(executable("tls-echo")).args(["certs", &path("certs")]).output();
    assert!(certs.expect("it runs").status.success());
    write(path("secret"), "ann:0123456789abcdef").expect("it can be written");
    let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
    let port = listener.local_addr().expect("it has one").port().to_string();
    let cases = [
        ("gossip", "secret", vec!["node", "--name", "ann", "--port", "0", "--secret-file"]),
        ("http-server", "secret", vec!["--port", "0", "--auth"]),
        ("tls-echo", "certs/server.key", vec!["server", "--port", "0", "--certs"]),
        ("api-client", "secret", vec!["client", "--port", &port, "--token-file"]),
    ];
    for (name, secret, args) in cases {
        for (mode, warns) in [(0o644, true), (0o600, false)] {
            println!("{name} with {mode:o}");
            let mode = Permissions::from_mode(mode);
            set_permissions(path(secret), mode).expect("it is ours");
            let last = match name {
                "http-server" => format!("@{}", path(secret)),
                "tls-echo" => path("certs"),
                _ => path(secret),
            };
            let mut command = Command::new(executable(name));
            command.args(&args).arg(last).stdin(Stdio::piped()).env_remove("RUST_LOG");
            let program = Process::start(name, command.current_dir(folder.path()));
            match name {
                // It is told before anything is sent.
                "api-client" => drop(listener.accept()),
                _ => drop(program.expect_stdout(&[" "])),
            }
            match warns {
                true => drop(program.expect_stderr(&[&path(secret), WARNING])),
                false => assert!(!program.stderr_so_far().contains(WARNING)),
            }
        }
    }
}

#[test]
fn a_port_that_another_server_has_is_told_with_a_hint() {
    for rung in rungs_on_ports() {
        println!("over {}", rung.name);
        let first = Server::start(rung, &[]);
        let port = first.port().to_string();
        rung.run(&["server", "--port", &port]).expect_error(
            &format!("cannot listen on 127.0.0.1:{port}: address already in use"),
            "another server has this port, or had it a minute ago; pass --port 0 for a free one",
        );
    }
}

#[test]
fn a_host_that_is_none_is_told_with_a_hint() {
    for rung in rungs_on_ports() {
        for host in ["no such host", ""] {
            println!("over {} on {host:?}", rung.name);
            let finished = rung
                .run(&["server", "--port", "0", "--bind", host])
                .expect_code(1)
                .expect_stdout("");
            // What the resolver says next is the system's own wording.
            let start = format!("error: cannot find the host {host:?}: ");
            let end = "\nhint: check the spelling, or give an address such as 127.0.0.1\n";
            assert!(finished.stderr.starts_with(&start), "{}", finished.stderr);
            assert!(finished.stderr.ends_with(end), "{}", finished.stderr);
        }
    }
}

#[test]
fn an_address_of_another_machine_is_told_with_a_hint() {
    for rung in rungs_on_ports() {
        println!("over {}", rung.name);
        // From the block that is for documentation only: RFC 5737.
        rung.run(&["server", "--port", "0", "--bind", "192.0.2.1"]).expect_error(
            "cannot listen on 192.0.2.1:0: not an address of this machine",
            "--bind takes an address of this machine, such as 127.0.0.1",
        );
    }
}

/// Who owns nothing and may do nothing, on every Unix.
#[cfg(unix)]
const NOBODY: u32 = 65534;

#[cfg(unix)]
#[test]
fn a_port_that_needs_privileges_is_told_with_a_hint() {
    use std::os::unix::process::CommandExt;

    // Who is nobody may not read keys; `cargo xtask faults` gives it some of its own.
    for rung in rungs_on_ports().into_iter().filter(|rung| rung.certs.is_empty()) {
        println!("over {}", rung.name);
        let mut command = rung.command(&["server", "--port", "1"]);
        if rustix::process::getuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = match spawn(&mut command) {
            Ok(child) => child,
            Err(error) => {
                println!("skipped: root, and nobody else may run the program: {error}");
                return;
            }
        };
        let server = Process::watch(&rung.name, child);
        if server.prints(&["listening on "]) {
            println!("skipped: low ports need no privileges here");
            return;
        }
        server.wait().expect_error(
            "cannot listen on 127.0.0.1:1: permission denied",
            "ports below 1024 need privileges; choose a higher --port",
        );
    }
}

#[test]
fn nobody_listening_is_told_with_a_hint() {
    for rung in stream_rungs().into_iter().filter(|rung| rung.is_on_a_port()) {
        println!("over {}", rung.name);
        let closed = ClosedPort::take();
        let port = closed.port();
        rung.run(&["client", "--port", &port.to_string(), "hello"]).expect_error(
            &format!("cannot connect to 127.0.0.1:{port}: connection refused"),
            "no server is listening there; start one first, or check --host and --port",
        );
    }
}

#[test]
fn a_client_that_is_told_to_wait_finds_a_server_that_comes_up_later() {
    for rung in rungs_on_ports() {
        println!("over {}", rung.name);
        let Some(run) = rung.demo.first() else { continue };
        let port = lasting_port();
        let args =
            ["client", "--port", &port.to_string(), "--wait", &format!("{}s", GENEROUS.as_secs())];
        let client = rung.start(&[&args[..], &run.args()].concat());
        let server_args: Vec<&str> = rung.server_args.iter().map(String::as_str).collect();
        let _server = Server::start_on(rung, port, &server_args);
        client.wait().expect_code(0).expect_stdout(&run.printed());
    }
}

#[test]
fn a_server_that_hangs_up_before_the_reply_is_told() {
    // The client of the rung that serves once reads to the end, whatever has come by then.
    for rung in echoes_on_ports().filter(|rung| !rung.serves_once()) {
        println!("over {}", rung.name);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port().to_string();
        let client = rung.start(&["client", "--port", &port, "hello"]);
        let mut server = Peer::accept(&listener);
        server.expect_bytes(b"hello");
        server.send(b"hel");
        drop(server);
        let finished = client.wait().expect_code(1).expect_stdout("");
        assert!(finished.stderr.starts_with("error: cannot get a reply"), "{}", finished.stderr);
    }
}

/// The test is the server here, on a port, and has no certificates.
fn echoes_on_ports() -> impl Iterator<Item = &'static Rung> {
    let is_plain = |rung: &&Rung| rung.is_on_a_port() && rung.certs.is_empty();
    rungs_in("tcp-echo").into_iter().filter(is_plain)
}

#[test]
fn the_lines_of_standard_input_are_messages() {
    for rung in rungs_in("tcp-echo") {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        // The end of a line is no part of it, be it of Unix or of Windows. An empty line is a
        // message too.
        let finished =
            server.client_with_input(&[], "first\nвторая\r\n\nlast, without an end".as_bytes());
        finished.expect_code(0).expect_stdout("first\nвторая\n\nlast, without an end\n");
    }
}

/// In the middle of a line the first Ctrl-D hands over what was typed, and the second is the
/// end of it all: nobody has to type a third one.
#[cfg(unix)]
#[test]
fn the_half_of_a_line_is_the_last_message_of_a_person() {
    use ladder_tests::terminal::client_at_prompt;

    for rung in echoes_on_ports() {
        println!("over {}", rung.name);
        let server = Server::start(rung, &[]);
        let (mut keyboard, client) = client_at_prompt(rung, server.port());
        keyboard.type_part("hello");
        keyboard.type_end();
        keyboard.type_end();
        client.wait().expect_code(0).expect_stdout("hello\n");
    }
}

#[test]
fn an_empty_message_has_an_empty_reply() {
    for rung in rungs_in("tcp-echo") {
        println!("over {}", rung.name);
        Server::start(rung, &[]).client(&[""]).expect_code(0).expect_stdout("\n");
    }
}

#[test]
fn a_message_that_begins_with_a_dash_follows_two_of_them() {
    for rung in rungs_in("tcp-echo") {
        println!("over {}", rung.name);
        Server::start(rung, &[]).client(&["--", "-v"]).expect_code(0).expect_stdout("-v\n");
    }
}

/// `client | head -0`: whoever read our output has seen enough. Nothing is wrong, and
/// nothing is said.
#[test]
fn a_client_whose_output_nobody_reads_any_more_ends_in_peace() {
    for rung in echoes_on_ports() {
        println!("over {}", rung.name);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port().to_string();
        let mut command = rung.command(&["client", "--port", &port, "hello"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(&mut command).expect("the client starts");
        let reader = child.stdout.take();
        let client = Process::watch(&rung.name, child);
        let mut server = Peer::accept(&listener);
        server.expect_bytes(b"hello");
        // Gone before there is anything to print.
        drop(reader);
        server.send(b"hello");
        server.half_close();
        let finished = client.wait().expect_code(0);
        assert_eq!(finished.stderr, "", "{}", rung.name);
    }
}

#[test]
fn what_a_peer_sends_reaches_the_log_escaped_and_only_where_it_was_asked_for() {
    for rung in rungs_in("tcp-echo") {
        println!("over {}", rung.name);
        let evil = "\u{1b}[31m\nred \u{202e}";
        let talkative = Server::start(rung, &["-v"]);
        talkative.connect().exchange(evil.as_bytes(), evil.as_bytes());
        let line = talkative.expect_log(&["received"]);
        assert!(line.ends_with(r#""\u{1b}[31m\nred \u{202e}""#), "{line:?}");
        assert!(!talkative.stderr_so_far().contains('\u{1b}'));

        let quiet = Server::start(rung, &[]);
        let mut client = quiet.connect();
        client.exchange(b"a secret", b"a secret");
        client.half_close();
        client.expect_end_of_stream();
        quiet.expect_log(&[&client.address(), "closed"]);
        assert!(!quiet.stderr_so_far().contains("secret"));
    }
}

/// Where it is not told so by a signal: in the background, or behind `nohup`.
#[cfg(unix)]
#[test]
fn a_load_whose_terminal_is_closed_goes_on_to_its_report() {
    use ladder_tests::binaries;
    use ladder_tests::terminal::terminal;

    let rung = stream_rungs().into_iter().find(|rung| rung.name == "threaded-echo");
    let server = Server::start(rung.expect("there is one"), &[]);
    let (mut screen, stderr) = terminal();
    let mut load = Command::new(binaries::netload());
    load.args(["tcp-echo", &server.address.to_string(), "--seconds", "3"]);
    load.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(stderr);
    let mut child = spawn(&mut load).expect("it starts");
    // Or the test would hold the terminal open itself.
    drop(load);
    let report = child.stdout.take().expect("it is piped");
    screen.wait_for_a_sign();
    drop(screen);
    let printed = io::read_to_string(report).expect("it is text");
    let ended = child.wait().expect("it ends");
    assert!(ended.success() && printed.ends_with("faults: none\n"), "{ended}: {printed}");
}
