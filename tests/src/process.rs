//! A process that ends with the test: when the guard goes out of scope, panic or not,
//! the process is killed.

use std::borrow::Cow;
use std::io::{self, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::GENEROUS;
use crate::collected::Collected;
use crate::ladder::Rung;

/// Held while a process is started: until it is the new program, it has a copy of every
/// socket that is open here. Whoever needs a socket to be gone when it is closed holds
/// this as well.
pub(crate) static STARTING: Mutex<()> = Mutex::new(());

/// Starts `command`, as every test has to: see
/// [`lasting_port`](crate::peer::lasting_port).
///
/// # Errors
/// As [`Command::spawn`].
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    let _starting = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn()
}

/// Lets this process, and each that it starts from now on, have `wanted` files and
/// sockets open, or as many as they may. Returns how many. macOS allows 256 unless
/// somebody asks for more.
///
/// # Panics
/// When the system refuses what it has offered.
#[cfg(unix)]
pub fn allow_files(wanted: u64) -> u64 {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let files = maximum.unwrap_or(u64::MAX).min(wanted);
    if current.is_some_and(|current| current < files) {
        setrlimit(Resource::Nofile, Rlimit { current: Some(files), maximum }).unwrap();
    }
    files
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub fn allow_files(wanted: u64) -> u64 {
    wanted
}

/// A running process whose output is collected.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    stdout: Option<Collected>,
    stderr: Collected,
}

/// What a process has left behind.
#[derive(Debug)]
pub struct Finished {
    name: String,
    /// How it ended.
    pub status: ExitStatus,
    /// All that it wrote to standard output.
    pub stdout: Vec<u8>,
    /// All that it wrote to standard error.
    pub stderr: String,
}

impl Process {
    /// Starts `command` under `name`. Unless the caller has said otherwise before, it
    /// has nothing to read.
    ///
    /// # Panics
    /// When it cannot be started.
    #[track_caller]
    pub fn start(name: &str, command: &mut Command) -> Process {
        match spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped())) {
            Ok(child) => Process::watch(name, child),
            Err(error) => panic!("{name} cannot be started: {error}"),
        }
    }

    /// Takes over a process that was started with its standard error piped. Standard
    /// output is collected unless the caller has taken it.
    ///
    /// # Panics
    /// When its standard error is not piped.
    pub fn watch(name: &str, mut child: Child) -> Process {
        let stdout = child.stdout.take().map(Collected::from);
        let stderr = Collected::from(child.stderr.take().expect("standard error is piped"));
        Process { name: name.into(), child, stdout, stderr }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// What it has written to standard output so far; nothing where the caller has
    /// taken that.
    pub fn stdout_so_far(&self) -> String {
        let bytes = self.stdout.as_ref().map(Collected::so_far).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// What it has written to standard error so far.
    pub fn stderr_so_far(&self) -> String {
        String::from_utf8_lossy(&self.stderr.so_far()).into_owned()
    }

    /// Waits for a whole line of standard output that holds all of `parts`, and returns
    /// it.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn expect_stdout(&self, parts: &[&str]) -> String {
        let stdout = self.stdout.as_ref().expect("standard output is collected");
        match stdout.wait_for_line(parts) {
            Ok(line) => line,
            Err(why) => panic!("{}: no output {parts:?}: {why}", self.name),
        }
    }

    /// Whether a whole line of standard output that holds all of `parts` comes before
    /// the process ends.
    pub fn prints(&self, parts: &[&str]) -> bool {
        self.stdout.as_ref().is_some_and(|stdout| stdout.wait_for_line(parts).is_ok())
    }

    /// Waits for a whole line of standard error that holds all of `parts`, and returns
    /// it.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn expect_stderr(&self, parts: &[&str]) -> String {
        match self.stderr.wait_for_line(parts) {
            Ok(line) => line,
            Err(why) => panic!("{}: no log line {parts:?}: {why}", self.name),
        }
    }

    /// Waits until standard error holds `text`, be the line whole or not: a prompt has
    /// no end of line.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn expect_prompt(&self, text: &str) {
        let find = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains(text).then_some(());
        if let Err(why) = self.stderr.wait_for(find) {
            panic!("{}: no prompt {text:?}: {why}", self.name);
        }
    }

    /// Waits for the end of the process.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn wait(self) -> Finished {
        self.wait_within(GENEROUS)
    }

    /// As [`wait`](Process::wait), for a process that has more to do than the generous
    /// deadline allows.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn wait_within(mut self, limit: Duration) -> Finished {
        // std cannot wait for a child until a deadline. The end of its output can be waited
        // for, and comes first.
        let stderr = match self.stderr.wait_for_end(limit) {
            Ok(stderr) => stderr,
            Err(why) => panic!("{} does not end: {why}", self.name),
        };
        let status = self.child.wait().expect("a child can be waited for");
        let stdout =
            self.stdout.as_ref().map(|stdout| stdout.wait_for_end(limit).expect("it has ended"));
        Finished {
            name: self.name.clone(),
            status,
            stdout: stdout.unwrap_or_default(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
        }
    }

    /// Sends `signal`: kill(2).
    ///
    /// # Panics
    /// When it cannot be sent.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        // Until it is waited for, the child keeps its id, so this reaches no other process.
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("a child can be sent a signal");
    }
}

impl Process {
    /// Halts the process with SIGSTOP, waits until it has halted, and lets it go on:
    /// every call that it was blocked in begins anew.
    ///
    /// # Panics
    /// When it cannot be halted.
    #[cfg(unix)]
    pub fn halt_and_go_on(&self) {
        use rustix::process::{Pid, Signal, WaitOptions, waitpid};
        self.signal(Signal::STOP);
        let halted = waitpid(Some(Pid::from_child(&self.child)), WaitOptions::UNTRACED);
        let (_, status) =
            halted.expect("a child can be waited for").expect("its state has changed");
        assert!(status.stopped(), "{}: {status:?}", self.name);
        self.signal(Signal::CONT);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Both fail only where the process has ended and been waited for.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!(
                "--- {} wrote\n{}{}---",
                self.name,
                self.stdout_so_far(),
                self.stderr_so_far()
            );
        }
    }
}

impl Finished {
    /// The exit code; `None` where a signal ended the process.
    pub fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// All that it wrote to standard output, as text.
    pub fn printed(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    /// # Panics
    /// When the exit code is another.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Finished {
        assert!(self.code() == Some(code), "not exit code {code}: {self:#?}");
        assert!(!self.stderr.contains("panicked"), "{self:#?}");
        self
    }

    /// # Panics
    /// When standard output is not exactly `text`.
    #[track_caller]
    pub fn expect_stdout(self, text: &str) -> Finished {
        assert_eq!(self.printed(), text, "{}", self.name);
        self
    }

    /// # Panics
    /// When standard error is not exactly an error and its hint, in this wording, or
    /// standard output is not empty.
    #[track_caller]
    pub fn expect_error(self, error: &str, hint: &str) -> Finished {
        assert_eq!(self.stderr, format!("error: {error}\nhint: {hint}\n"), "{}", self.name);
        self.expect_stdout("").expect_code(1)
    }
}

impl Rung {
    /// Whether `rung server` has the option `name`: not every rung has every limit.
    #[track_caller]
    pub fn server_takes(&self, name: &str) -> bool {
        let help = self.run(&["server", "--help"]).expect_code(0);
        help.printed().split_whitespace().any(|word| word == name)
    }

    /// Starts the program with nothing to read.
    #[track_caller]
    pub fn start(&self, args: &[&str]) -> Process {
        Process::start(&self.name, self.command(args).stdin(Stdio::null()))
    }

    /// Runs the program to its end with nothing to read.
    #[track_caller]
    pub fn run(&self, args: &[&str]) -> Finished {
        self.start(args).wait()
    }

    /// Runs the program to its end with `input` to read.
    ///
    /// # Panics
    /// When it does not end.
    #[track_caller]
    pub fn run_with_input(&self, args: &[&str], input: &[u8]) -> Finished {
        let mut process = Process::start(&self.name, self.command(args).stdin(Stdio::piped()));
        let mut stdin = process.child.stdin.take().expect("standard input is piped");
        let input = input.to_vec();
        // In a thread: more input than a pipe holds must not keep us from the deadline.
        thread::spawn(move || {
            // Fails where the program ends without reading all, which is for the caller to judge.
            let _ = stdin.write_all(&input);
        });
        process.wait()
    }
}
