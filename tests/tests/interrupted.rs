//! What is left when somebody interrupts `cargo xtask`: nothing that runs, and nothing half made.
#![cfg(unix)]

use std::net::SocketAddr;
use std::process::{ChildStdin, Command, Stdio};

use ladder_tests::peer::assert_refused;
use ladder_tests::process::spawn;
use ladder_tests::{Process, binaries};
use rustix::process::Signal;

/// xtask with a keyboard at which nobody types: dropped, the child has nothing to read any more.
fn start(args: &[&str]) -> (Process, ChildStdin) {
    let (xtask, target) = binaries::xtask();
    let mut command = Command::new(xtask);
    command.args(args).env("CARGO_TARGET_DIR", target);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(&mut command).expect("xtask starts");
    let keyboard = child.stdin.take().expect("standard input is piped");
    (Process::watch(&format!("xtask {}", args.join(" ")), child), keyboard)
}

#[test]
fn a_signal_ends_the_server_as_well() {
    // Ctrl-C, Ctrl-\, kill, and a terminal that is closed.
    for signal in [Signal::INT, Signal::QUIT, Signal::TERM, Signal::HUP] {
        println!("{signal:?}");
        let (xtask, _keyboard) = start(&["try", "threaded-echo"]);
        let line = xtask.expect_stdout(&[" is listening on "]);
        let (_, address) = line.rsplit_once(' ').expect("it has words");
        let address: SocketAddr = address.parse().expect("the last one is an address");
        xtask.signal(signal);
        xtask.wait().expect_code(130);
        assert_refused(address);
    }
}
