//! The program itself, as a person starts it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;

use netcore::testing::GENEROUS;

/// The program with these arguments, and with nothing to read.
pub fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))));
    command.args(args).env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// Runs it to its end.
pub fn run(args: &[&str]) -> Output {
    command(args).output().expect("the program can be started")
}

/// A server that is killed at the end of the test.
pub struct Server {
    child: Child,
    /// What it printed, line by line.
    pub printed: Receiver<String>,
    log: Receiver<String>,
    /// Where it listens.
    pub port: String,
}

impl Server {
    /// With these arguments beside its port.
    pub fn start(args: &[&str]) -> Server {
        let mut command = command(&[&["server", "-v", "--port", "0"], args].concat());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program can be started");
        let printed = lines(child.stdout.take().expect("it is piped"));
        let stderr: ChildStderr = child.stderr.take().expect("it is piped");
        let log = lines(stderr);
        let ready = printed.recv_timeout(GENEROUS).expect("it becomes ready");
        let port = ready.rsplit(':').next().expect("a port").to_string();
        Server { child, printed, log, port }
    }

    /// With the certificates of this folder.
    pub fn with(folder: &Path, args: &[&str]) -> Server {
        Server::start(&[&["--certs", folder.to_str().expect("UTF-8")], args].concat())
    }

    /// Runs the client with these arguments beside the port.
    pub fn client(&self, args: &[&str]) -> Output {
        run(&[&["client", "--port", &self.port], args].concat())
    }

    /// The lines of its log up to one that has `part` in it.
    pub fn log_up_to(&self, part: &str) -> Vec<String> {
        let mut seen = Vec::new();
        while seen.last().is_none_or(|line: &String| !line.contains(part)) {
            let next = self.log.recv_timeout(GENEROUS);
            seen.push(next.unwrap_or_else(|_| panic!("no {part:?} after {seen:#?}")));
        }
        seen
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(from: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let lines = BufReader::new(from).lines();
        lines.map_while(Result::ok).try_for_each(|line| sender.send(line))
    });
    lines
}

/// What it printed.
pub fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// It printed nothing, said `why` in one line and a hint in another, and ended with 1.
#[track_caller]
pub fn assert_refused(output: &Output, why: &str) {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), printed(output).as_str()), (Some(1), ""), "{stderr}");
    let [error, hint] = stderr.lines().collect::<Vec<_>>()[..] else { panic!("{stderr}") };
    assert!(error.starts_with("error: ") && error.contains(why), "{stderr}");
    assert!(hint.starts_with("hint: "), "{stderr}");
}
