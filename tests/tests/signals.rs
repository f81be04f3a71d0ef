//! What a server makes of the signals that it finds ignored or blocked, of two that come
//! at once, and of a log that nobody reads. On Windows there are none to send.
#![cfg(unix)]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use ladder::ready::address;
use ladder_tests::place::SocketFile;
use ladder_tests::process::spawn;
use ladder_tests::{GENEROUS, Peer, Process, Rung, Server, rungs_in};
use rustix::process::{Pid, Signal, kill_process};

/// Signals nearer than half a second are one wish.
const LATER: Duration = Duration::from_millis(700);

/// What the server says when the stop has begun.
const STOPPING: &str = "stopping; a second signal ends at once";

/// A rung whose limits can be kept out of the way.
fn rung() -> &'static Rung {
    let rungs = rungs_in("tcp-echo");
    rungs.into_iter().find(|rung| rung.server_takes("--drain")).expect("a rung has a drain limit")
}

/// The rung's server, started by `starter`, which is `sh -c` or `env` and so on and gets the
/// program and its arguments behind its own.
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "who needs it is for Linux"))]
fn start_by(starter: &[&str]) -> (Process, Peer) {
    let server = rung().command(&["server", "--port", "0"]);
    let mut command = Command::new(starter[0]);
    command.args(&starter[1..]).arg(server.get_program()).args(server.get_args());
    command.env_remove("RUST_LOG").stdin(Stdio::null());
    let process = Process::start(&starter.join(" "), &mut command);
    let ready = process.expect_stdout(&["listening on "]);
    let client = Peer::connect(address(&ready).expect("it is a ready line"));
    (process, client)
}

/// A server with work in hand that nothing but its client ends.
fn start_busy() -> (Server, Peer) {
    let server = Server::start(rung(), &["--idle", "5m", "--total", "5m", "--drain", "5m"]);
    let mut deaf = server.connect_deaf();
    deaf.send_until_stuck(&[b'x'; 64 << 10]);
    (server, deaf)
}

/// As `nohup` and a shell's `&` start it. Only Linux tells a program what is ignored.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_ignored_at_the_start_stays_ignored() {
    let (server, mut client) = start_by(&["sh", "-c", "trap '' HUP INT; exec \"$0\" \"$@\""]);
    for signal in [Signal::HUP, Signal::INT] {
        server.signal(signal);
        client.exchange(b"still here", b"still here");
    }
    server.signal(Signal::TERM);
    client.expect_end_of_stream();
    server.wait().expect_code(0);
}

/// As some process managers and some Python programs start it.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_that_was_blocked_at_the_start_is_let_through() {
    let blocking = ["env", "--block-signal=TERM"];
    let mut probe = Command::new(blocking[0]);
    if !Process::start("env", probe.args([blocking[1], "true"])).wait().status.success() {
        eprintln!("skipped: this env blocks no signals");
        return;
    }
    let (server, mut client) = start_by(&blocking);
    client.exchange(b"hello", b"hello");
    server.signal(Signal::TERM);
    client.expect_end_of_stream();
    server.wait().expect_code(0);
}

/// systemd, `timeout` and a terminal that is closed send several at once.
#[test]
fn two_signals_of_one_moment_are_one_wish() {
    let (server, mut busy) = start_busy();
    // Halted, it finds both when it goes on.
    for signal in [Signal::STOP, Signal::TERM, Signal::HUP, Signal::CONT] {
        server.signal(signal);
    }
    server.expect_log(&[STOPPING]);
    // It drains: everything that it has taken is answered.
    busy.expect_hang_up();
    server.wait().expect_code(0);
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let (server, _busy) = start_busy();
    server.signal(Signal::INT);
    server.expect_log(&[STOPPING]);
    server.signal(Signal::INT);
    server.wait().expect_code(130);
}

#[test]
fn any_signal_that_comes_clearly_later_ends_it_at_once() {
    let (server, _busy) = start_busy();
    server.signal(Signal::TERM);
    server.expect_log(&[STOPPING]);
    // The time between the two is the matter.
    thread::sleep(LATER);
    server.signal(Signal::HUP);
    server.wait().expect_code(130);
}

/// A laptop that was closed, a virtual machine that was moved: the time was not the
/// client's.
#[test]
fn what_came_in_time_is_answered_by_a_server_that_was_halted_beyond_the_limit() {
    for rung in rungs_in("tcp-echo").into_iter().filter(|rung| rung.server_takes("--idle")) {
        let server = Server::start(rung, &["--idle", "500ms"]);
        // Who is told first, the bytes or the clock, is chance: so several, where it can.
        let count = if rung.server_takes("--max-clients") { 16 } else { 1 };
        let mut clients: Vec<Peer> = (0..count).map(|_| server.connect()).collect();
        clients.iter_mut().for_each(|client| client.exchange(b"hello", b"hello"));
        server.signal(Signal::STOP);
        clients.iter_mut().for_each(|client| client.send(b"again"));
        // The time itself is the matter.
        thread::sleep(LATER);
        server.signal(Signal::CONT);
        clients.iter_mut().for_each(|client| client.expect_bytes(b"again"));
    }
}

/// Killed on every way out of a test.
struct Started(Child);

impl Drop for Started {
    fn drop(&mut self) {
        // Both fail only where it has ended and been waited for.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_log_that_nobody_reads_holds_up_neither_the_service_nor_a_stop() {
    for rung in rungs_in("tcp-echo").into_iter().filter(|rung| !rung.leaves_signals_alone()) {
        println!("over {}", rung.name);
        let free = rung.free_address();
        let _file = SocketFile::of(&free);
        let [option, value] = free.option();
        let mut command = rung.command(&["server", &option, &value, "-vv"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut server = Started(spawn(&mut command).expect("the server starts"));
        let _unread = server.0.stderr.take();
        let mut stdout = BufReader::new(server.0.stdout.take().expect("it is piped"));
        let mut ready = String::new();
        stdout.read_line(&mut ready).expect("a ready line");
        let ready = address(ready.trim_end()).expect("it is one");
        let mut client = Server::connect_to(rung, ready);
        // A pipe holds 64 KiB; each of these is two lines of a hundred bytes and more.
        for _ in 0..2_000 {
            client.exchange(&[b'x'; 100], &[b'x'; 100]);
        }
        kill_process(Pid::from_child(&server.0), Signal::TERM).expect("a child can be signalled");
        client.expect_end_of_stream();
        let (ends, ended) = mpsc::channel();
        thread::spawn(move || ends.send(stdout.read_to_end(&mut Vec::new())));
        ended.recv_timeout(GENEROUS).expect("it ends").expect("its output is read");
        assert_eq!(server.0.wait().expect("a child can be waited for").code(), Some(0));
    }
}
