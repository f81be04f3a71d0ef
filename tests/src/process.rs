//! A process that ends with the test: when the guard goes out of scope, panic or not,
//! the process is killed.

use std::borrow::Cow;
use std::io::Write;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

pub use ladder::process::spawn;

use crate::GENEROUS;
use crate::ladder::Rung;
use crate::workspace::workspace;

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
    process: ladder::Process,
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
        // Or what is started would outlive us where a signal ends us.
        workspace();
        match ladder::Process::start(command.stdout(Stdio::piped()).stderr(Stdio::piped())) {
            Ok(process) => Process { name: name.into(), process },
            Err(failure) => panic!("{name}: {failure}"),
        }
    }

    /// Takes over a process that was started otherwise, as with [`spawn`]. What it has
    /// piped is collected unless the caller has taken it.
    pub fn watch(name: &str, child: Child) -> Process {
        Process { name: name.into(), process: ladder::Process::adopt(name, child) }
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it has written to standard output so far; nothing where the caller has
    /// taken that.
    pub fn stdout_so_far(&self) -> String {
        self.process.stdout().text()
    }

    /// What it has written to standard error so far.
    pub fn stderr_so_far(&self) -> String {
        self.process.stderr().text()
    }

    /// Waits for a whole line of standard output that holds all of `parts`, and returns
    /// it.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn expect_stdout(&self, parts: &[&str]) -> String {
        match self.process.stdout().wait_for_line(GENEROUS, with(parts)) {
            Ok(line) => line,
            Err(why) => panic!("{}: no output {parts:?}: {why}", self.name),
        }
    }

    /// Whether a whole line of standard output that holds all of `parts` comes before
    /// the process ends.
    pub fn prints(&self, parts: &[&str]) -> bool {
        self.process.stdout().wait_for_line(GENEROUS, with(parts)).is_ok()
    }

    /// Waits for a whole line of standard error that holds all of `parts`, and returns
    /// it.
    ///
    /// # Panics
    /// When it does not come.
    #[track_caller]
    pub fn expect_stderr(&self, parts: &[&str]) -> String {
        match self.process.stderr().wait_for_line(GENEROUS, with(parts)) {
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
        if let Err(why) = self.process.stderr().wait_for(GENEROUS, find) {
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
    pub fn wait_within(self, limit: Duration) -> Finished {
        let ended = |what: Result<Vec<u8>, String>| match what {
            Ok(bytes) => bytes,
            Err(why) => panic!("{} does not end: {why}", self.name),
        };
        // The end of its output comes first.
        let stderr = ended(self.process.stderr().wait_for_end(limit));
        let stdout = ended(self.process.stdout().wait_for_end(limit));
        let status = match self.process.wait_for_end(limit) {
            Ok(status) => status,
            Err(failure) => panic!("{failure}"),
        };
        Finished {
            name: self.name.clone(),
            status,
            stdout,
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
        rustix::process::kill_process(self.pid(), signal).expect("a child can be sent a signal");
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
        use rustix::process::{Signal, WaitOptions, waitpid};
        self.signal(Signal::STOP);
        let halted = waitpid(Some(self.pid()), WaitOptions::UNTRACED);
        let (_, status) =
            halted.expect("a child can be waited for").expect("its state has changed");
        assert!(status.stopped(), "{}: {status:?}", self.name);
        self.signal(Signal::CONT);
    }

    #[cfg(unix)]
    fn pid(&self) -> rustix::process::Pid {
        let id = i32::try_from(self.id()).ok().and_then(rustix::process::Pid::from_raw);
        id.expect("a child has a number")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.process.kill();
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

/// The line, if it holds all of `parts`.
fn with<'a>(parts: &'a [&'a str]) -> impl Fn(&str) -> Option<String> + 'a {
    |line| parts.iter().all(|part| line.contains(part)).then(|| line.to_string())
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
        let process = Process::start(&self.name, self.command(args).stdin(Stdio::piped()));
        let mut stdin = process.process.stdin().expect("standard input is piped");
        let input = input.to_vec();
        // In a thread: more input than a pipe holds must not keep us from the deadline.
        thread::spawn(move || {
            // Fails where the program ends without reading all, which is for the caller to judge.
            let _ = stdin.write_all(&input);
        });
        process.wait()
    }
}
