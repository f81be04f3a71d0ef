//! What is left when somebody interrupts `cargo xtask`: nothing that runs, and nothing
//! half made.
#![cfg(unix)]

use std::env;
use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ladder_tests::peer::assert_refused;
use ladder_tests::process::spawn;
use ladder_tests::{GENEROUS, Process, binaries};
use rustix::process::Signal;

/// xtask with a keyboard at which nobody types: dropped, the child has nothing to read
/// any more.
fn start(args: &[&str], cargo: impl AsRef<OsStr>) -> (Process, ChildStdin) {
    let (xtask, target) = binaries::xtask();
    let mut command = Command::new(xtask);
    command.args(args).env("CARGO_TARGET_DIR", target).env("CARGO", cargo);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(&mut command).expect("xtask starts");
    let keyboard = child.stdin.take().expect("standard input is piped");
    (Process::watch(&format!("xtask {}", args.join(" ")), child), keyboard)
}

/// A cargo in `folder` that does as the real one, but for what is `otherwise`: arms of a
/// shell's `case`.
fn cargo(folder: &Path, otherwise: &str) -> PathBuf {
    let real = env::var_os("CARGO").unwrap_or("cargo".into());
    let script = folder.join("cargo");
    let real = real.to_string_lossy();
    let text = format!("#!/bin/sh\ncase $1 in {otherwise} esac\nexec \"{real}\" \"$@\"\n");
    fs::write(&script, text).expect("a file can be written");
    fs::set_permissions(&script, Permissions::from_mode(0o700)).expect("it can be made a program");
    script
}

/// `cargo xtask try threaded-echo`, and where its server listens. Its cargo has built that rung
/// already: otherwise the build would be a part of the wait for the server, and a real cargo
/// waits there for as long as another one builds anything.
fn try_a_rung() -> (Process, ChildStdin, SocketAddr) {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let program = binaries::executable("threaded-echo").display();
    let built = format!(r#"{{"target":{{"name":"threaded-echo"}},"executable":"{program}"}}"#);
    let cargo = cargo(folder.path(), &format!("build) echo '{built}'; exit;;"));
    let (xtask, keyboard) = start(&["try", "threaded-echo"], cargo);
    let line = xtask.expect_stdout(&[" is listening on "]);
    let address = line.rsplit(' ').next().and_then(|word| word.parse().ok());
    (xtask, keyboard, address.expect("the last word is an address"))
}

#[test]
fn a_signal_ends_the_server_as_well() {
    // Ctrl-C, Ctrl-\, kill, and a terminal that is closed.
    for signal in [Signal::INT, Signal::QUIT, Signal::TERM, Signal::HUP] {
        println!("{signal:?}");
        let (xtask, _keyboard, address) = try_a_rung();
        xtask.signal(signal);
        xtask.wait().expect_code(130);
        assert_refused(address);
    }
}

#[test]
fn not_even_a_kill_leaves_a_server_behind() {
    let (xtask, keyboard, address) = try_a_rung();
    xtask.signal(Signal::KILL);
    // The client is just being started. One that nobody has been told of yet holds what xtask
    // prints to, and ends with its input.
    drop(keyboard);
    let _killed = xtask.wait();
    let started = Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(started.elapsed() < GENEROUS, "the server is still there");
        // Nobody is left who could tell.
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_project_that_is_interrupted_is_not_there() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let news = folder.path().join("news");
    Process::start("mkfifo", Command::new("mkfifo").arg(&news)).wait().expect_code(0);
    // It tells when it is asked for the lock file, and never has it.
    let waits = format!("update) echo here > '{}'; exec sleep 600;;", news.display());
    let script = cargo(folder.path(), &waits);
    let place = folder.path().join("place");
    fs::create_dir(&place).expect("a folder can be made");
    let dest = place.join("mine");

    let reader = Process::start("cat", Command::new("cat").arg(&news));
    let (xtask, _keyboard) = start(&["new", "udp", &dest.to_string_lossy()], &script);
    reader.expect_stdout(&["here"]);
    xtask.signal(Signal::INT);
    xtask.wait().expect_code(130);
    assert_eq!(fs::read_dir(&place).expect("it is there").count(), 0);
}
