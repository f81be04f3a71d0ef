//! A node that was started with `&` in a shell, and so in the background of a terminal.
#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(60);

const PROGRAM: &str = env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")));

/// A shell at a terminal of its own, and a node in the background of it.
struct Shell {
    shell: Child,
    node: String,
    lines: Receiver<String>,
}

impl Shell {
    fn start() -> Option<Shell> {
        let script = "set -m; \"$PROGRAM\" node --name ann --port 0 & echo node $!; cat";
        let mut command = Command::new("script");
        command.env("PROGRAM", PROGRAM);
        command.args(["-qec", script, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = command.env("SHELL", "/bin/sh").env_remove("RUST_LOG").spawn().ok()?;
        let (said, lines) = mpsc::channel();
        let stdout = BufReader::new(shell.stdout.take().unwrap());
        thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| said.send(line))
        });
        let mut shell = Shell { shell, node: String::new(), lines };
        shell.node = shell.line("node ");
        Some(shell)
    }

    /// What stands behind these words in the next line that has them.
    fn line(&self, words: &str) -> String {
        let mut told = String::new();
        while let Ok(line) = self.lines.recv_timeout(GENEROUS) {
            if let Some((_, rest)) = line.split_once(words) {
                return rest.trim().to_string();
            }
            told.push_str(&line);
        }
        panic!("never {words:?}: {told}");
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-KILL", &self.node]).status();
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn ask(address: &str, message: &str) -> Output {
    let port = address.rsplit_once(':').unwrap().1;
    let args = ["client", "--port", port, "--timeout", "20s", message];
    Command::new(PROGRAM).args(args).env_remove("RUST_LOG").output().unwrap()
}

#[test]
fn a_node_in_the_background_of_a_terminal_goes_on() {
    let Some(shell) = Shell::start() else {
        return eprintln!("skipped: no script(1) here, which makes a terminal");
    };
    let address = shell.line("listening on ");
    // More than once, for it may not have come as far as to read what is typed.
    for message in ["one", "two", "three"] {
        let output = ask(&address, message);
        assert!(output.status.success(), "{output:?}");
        assert!(shell.line(": ").ends_with(message));
        let state = std::fs::read_to_string(format!("/proc/{}/stat", shell.node)).unwrap();
        assert!(!state.contains(") T "), "it was stopped: {state}");
    }
}
