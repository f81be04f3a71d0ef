//! Processes that a tool or a test starts. None of them outlives it: not a normal end, an
//! error, a panic or a signal, SIGKILL included on Unix: but for one that is being started
//! at that very moment, of which nobody has been told yet.
//!
//! What a process writes to a pipe is read from the start, so that it never waits for a
//! reader: [`Process::stdout`] and [`Process::stderr`] collect it, and
//! [`Process::start_heard`] tells it line by line.

use std::env;
use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::collected::Collected;
use crate::workers::lock;
use crate::{Address, Failure, failure};

#[cfg(unix)]
use crate::heir;
use crate::{ready, scratch};

/// Ends a wait for something that always comes: no correct program comes near it.
pub const GENEROUS: Duration = Duration::from_secs(60);

/// How long a program may take that is run for its output. They take seconds at most.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How long a process may take to end when it is asked to. Then it is killed.
const COURTESY: Duration = Duration::from_secs(2);

/// The first and the longest pause between two looks at a process.
const PAUSES: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(20));

/// As shells have it for a program that Ctrl-C has ended: 128 and SIGINT.
const INTERRUPTED: i32 = 130;

/// Every process that runs now, for the signal handler. The lock is held while one is
/// started, so that none slips through between the handler's look and the end.
static STARTED: Mutex<Vec<Arc<Mutex<Child>>>> = Mutex::new(Vec::new());

/// A process that is ended when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Arc<Mutex<Child>>,
    stdout: Collected,
    stderr: Collected,
}

#[derive(Debug)]
pub enum Heard {
    /// A line on standard output, without its end. What is not UTF-8 is replaced.
    Printed(String),
    Wrote(String),
    Closed,
}

impl Process {
    /// Starts `command` in a group of its own. What it has piped is collected.
    pub fn start(command: &mut Command) -> Result<Process, Failure> {
        Process::start_in_front(in_a_group_of_its_own(command))
    }

    /// Starts `command` as the one that has the terminal: it may read from it, and
    /// Ctrl-C reaches it as well as us.
    pub fn start_in_front(command: &mut Command) -> Result<Process, Failure> {
        Process::spawn(command, |_| {})
    }

    /// As [`start`](Process::start): what it has piped is told to `hear`, line by line.
    pub fn start_heard(
        command: &mut Command,
        hear: impl Fn(Heard) + Clone + Send + 'static,
    ) -> Result<Process, Failure> {
        Process::spawn(in_a_group_of_its_own(command), |child| {
            if let Some(stdout) = child.stdout.take() {
                tell(stdout, Heard::Printed, hear.clone());
            }
            if let Some(stderr) = child.stderr.take() {
                tell(stderr, Heard::Wrote, hear);
            }
        })
    }

    /// Takes over a process that was started otherwise.
    pub fn adopt(name: &str, child: Child) -> Process {
        Process::of(name.into(), child, &mut lock(&STARTED))
    }

    fn spawn(command: &mut Command, listen: impl FnOnce(&mut Child)) -> Result<Process, Failure> {
        let name = Path::new(command.get_program()).file_stem().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let mut started = lock(&STARTED);
        let mut child = command.spawn().map_err(|error| failure!("cannot run {name}: {error}"))?;
        listen(&mut child);
        Ok(Process::of(name, child, &mut started))
    }

    /// What it has piped, and nobody has taken, is collected.
    fn of(name: String, mut child: Child, started: &mut Vec<Arc<Mutex<Child>>>) -> Process {
        let stdout = child.stdout.take().map_or_else(Collected::nothing, Collected::from);
        let stderr = child.stderr.take().map_or_else(Collected::nothing, Collected::from);
        #[cfg(unix)]
        heir::tell('+', child.id());
        let child = Arc::new(Mutex::new(child));
        started.push(child.clone());
        Process { name, child, stdout, stderr }
    }

    pub fn id(&self) -> u32 {
        lock(&self.child).id()
    }

    /// Its standard input, where that is piped and has not been taken yet.
    pub fn stdin(&self) -> Option<ChildStdin> {
        lock(&self.child).stdin.take()
    }

    /// Its standard output; nothing where that is not piped.
    pub fn stdout(&self) -> &Collected {
        &self.stdout
    }

    /// Its standard error; nothing where that is not piped.
    pub fn stderr(&self) -> &Collected {
        &self.stderr
    }

    /// Waits until the process has ended, for `limit` at most; `None` when it runs on.
    pub fn wait(&self, limit: Duration) -> Result<Option<ExitStatus>, Failure> {
        wait(&self.child, limit).map_err(|error| failure!("cannot wait for {}: {error}", self.name))
    }

    /// Waits for the end of the process.
    pub fn wait_for_end(&self, limit: Duration) -> Result<ExitStatus, Failure> {
        let too_long = || failure!("{} does not end within {limit:?}", self.name);
        self.wait(limit)?.ok_or_else(too_long)
    }

    /// Waits until the process has ended, however long a person takes.
    pub fn wait_for_person(&self) -> Result<ExitStatus, Failure> {
        self.wait_for_end(Duration::MAX)
    }

    /// Waits for the line that says where a server listens. Where it does not come, the
    /// server's own error is told.
    pub fn wait_for_address(&self, limit: Duration) -> Result<Address, Failure> {
        self.stdout.wait_for_line(limit, ready::address).map_err(|why| {
            let wrote = self.stderr.text_at_end(COURTESY).unwrap_or_default();
            let wrote: Vec<String> = wrote.lines().map(String::from).collect();
            Failure::new(ready::missing(&self.name, &wrote, &why))
        })
    }

    /// Looks again and again whether it is ready, where no event tells.
    pub fn wait_until(&self, limit: Duration, is_ready: impl Fn() -> bool) -> Result<(), Failure> {
        let started = Instant::now();
        while !is_ready() {
            if self.wait(PAUSES.1)?.is_some() {
                let said = self.stderr.text_at_end(COURTESY).unwrap_or_default();
                return Err(failure!("{} does not start: {}", self.name, said.trim_end()));
            }
            if started.elapsed() > limit {
                return Err(failure!("{} is not ready within {limit:?}", self.name));
            }
        }
        Ok(())
    }

    /// SIGTERM to it and all that it has started; on Windows, the end.
    pub fn ask_to_stop(&self) {
        tell_child(&mut lock(&self.child), Word::Stop);
    }

    /// Ends it at once, without asking: SIGKILL.
    pub fn kill(&self) {
        tell_child(&mut lock(&self.child), Word::Die);
    }

    /// Lets it stand still, or go on: SIGSTOP and SIGCONT. Windows has neither.
    pub fn let_run(&self, runs: bool) {
        tell_child(&mut lock(&self.child), if runs { Word::GoOn } else { Word::Halt });
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&self.child);
        #[cfg(unix)]
        heir::tell('-', self.id());
        lock(&STARTED).retain(|child| !Arc::ptr_eq(child, &self.child));
    }
}

/// Starts `command` while no other process is started here. For whoever needs the child
/// itself; [`Process::adopt`] makes it end with us.
pub fn spawn(command: &mut Command) -> io::Result<Child> {
    while_none_starts(|| command.spawn())
}

/// Runs `command` to its end, with nothing to read: what it prints.
pub fn output(command: &mut Command) -> Result<String, Failure> {
    output_or(command, &[])
}

/// The same where these exit codes, too, are no failure.
pub fn output_or(command: &mut Command, codes: &[i32]) -> Result<String, Failure> {
    let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = Process::start(piped)?;
    let status = process.wait_for_end(PATIENCE)?;
    let well = status.success() || status.code().is_some_and(|code| codes.contains(&code));
    let said = if well { process.stdout() } else { process.stderr() };
    let said = said.text_at_end(PATIENCE)?;
    match well {
        true => Ok(said),
        false => Err(failure!("{} failed: {}", process.name, said.trim_end())),
    }
}

/// Runs `command` to its end, within `limit` and with nothing to read. What it says is
/// seen by whoever looks; where it fails, it is `what` that has failed.
pub fn run(command: &mut Command, limit: Duration, what: &str) -> Result<(), Failure> {
    let process = Process::start(command.stdin(Stdio::null()))?;
    match process.wait_for_end(limit)?.success() {
        true => Ok(()),
        false => Err(failure!("{what} failed: see above")),
    }
}

/// The program that runs now.
pub fn this_program() -> Result<PathBuf, Failure> {
    env::current_exe().map_err(|error| failure!("cannot find this program: {error}"))
}

/// Starts a server with nothing to read, and waits for the line that says where it listens.
pub fn listening(command: &mut Command, limit: Duration) -> Result<(Process, Address), Failure> {
    let process = Process::start(command.stdin(Stdio::null()).stdout(Stdio::piped()))?;
    let address = process.wait_for_address(limit)?;
    Ok((process, address))
}

/// Until a process that is started is the new program, it has a copy of every socket
/// that is open here. Whoever needs a socket to be gone when it is closed does it here.
pub fn while_none_starts<T>(act: impl FnOnce() -> T) -> T {
    let _started = lock(&STARTED);
    act()
}

fn tell(
    from: impl Read + Send + 'static,
    what: fn(String) -> Heard,
    hear: impl Fn(Heard) + Send + 'static,
) {
    thread::spawn(move || {
        // A program may print bytes that are not UTF-8; an echo server prints what it was sent.
        for line in BufReader::new(from).split(b'\n').map_while(Result::ok) {
            let text = String::from_utf8_lossy(&line);
            hear(what(text.trim_end_matches('\r').to_string()));
        }
        hear(Heard::Closed);
    });
}

/// Set while a program in front has Ctrl-C to itself: a key of its own in a pager.
static PAGED: AtomicBool = AtomicBool::new(false);

/// Lets the program in front have Ctrl-C from here on.
pub fn leave_ctrl_c_to_pager() {
    PAGED.store(true, Ordering::Relaxed);
}

/// From here on, Ctrl-C, Ctrl-\, SIGTERM and SIGHUP end every process that was started,
/// and then us with code 130.
#[cfg(unix)]
pub fn end_all_on_signals() -> Result<(), Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP])
        .map_err(|error| failure!("cannot prepare for signals: {error}"))?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if signal != SIGINT || !PAGED.load(Ordering::Relaxed) {
                end_all();
            }
        }
    });
    Ok(())
}

/// From here on, Ctrl-C and Ctrl-Break end every process that was started, and then us
/// with code 130.
#[cfg(windows)]
pub fn end_all_on_signals() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if !PAGED.load(Ordering::Relaxed) {
            end_all();
        }
    })
    .map_err(|error| failure!("cannot prepare for signals: {error}"))
}

fn end_all() -> ! {
    // Not given back: no further process is started, and whoever has waited for one gets no
    // further than its end.
    let started = lock(&STARTED);
    for child in started.iter() {
        tell_child(&mut lock(child), Word::Stop);
    }
    for child in started.iter() {
        end(child);
        #[cfg(unix)]
        heir::tell('-', lock(child).id());
    }
    scratch::remove_all();
    // eprintln! would panic where nobody reads it any more, and we would stay.
    let _ = writeln!(io::stderr(), "\ninterrupted: everything that was started has been ended");
    std::process::exit(INTERRUPTED)
}

/// What a process holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Held {
    pub threads: u64,
    pub descriptors: u64,
    /// Memory of its own, in KiB.
    pub kib: u64,
}

impl Held {
    /// Known on Linux.
    pub fn by(process: u32) -> Option<Held> {
        let descriptors = fs::read_dir(format!("/proc/{process}/fd")).ok()?.count() as u64;
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let number = |key: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some(Held { threads: number("Threads:")?, descriptors, kib: number("VmRSS:")? })
    }
}

fn wait(child: &Mutex<Child>, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    let (mut pause, longest) = PAUSES;
    loop {
        // `Child::wait` would hold the lock until the end, and the signal handler would wait
        // for it.
        if let Some(status) = lock(child).try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= limit {
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(longest);
    }
}

fn end(child: &Mutex<Child>) {
    tell_child(&mut lock(child), Word::Stop);
    if let Ok(Some(_)) = wait(child, COURTESY) {
        return;
    }
    tell_child(&mut lock(child), Word::Die);
    // Nothing survives that, so this wait is short.
    let _ = lock(child).wait();
}

/// What a process is told; on Windows, the first two are the end, and the others nothing.
#[derive(Clone, Copy)]
enum Word {
    Stop,
    Die,
    Halt,
    GoOn,
}

fn tell_child(child: &mut Child, word: Word) {
    // Once it has been waited for, its number may be another process's.
    if !matches!(child.try_wait(), Ok(None)) {
        return;
    }
    // What fails, fails only where it has ended meanwhile.
    #[cfg(unix)]
    if let Ok(id) = i32::try_from(child.id()) {
        use nix::sys::signal::{Signal, kill, killpg};
        let signal = match word {
            Word::Stop => Signal::SIGTERM,
            Word::Die => Signal::SIGKILL,
            Word::Halt => Signal::SIGSTOP,
            Word::GoOn => Signal::SIGCONT,
        };
        let id = nix::unistd::Pid::from_raw(id);
        // No group has its number where it was started in front.
        let _ = killpg(id, signal).or_else(|_| kill(id, signal));
    }
    #[cfg(windows)]
    if matches!(word, Word::Stop | Word::Die) {
        let _ = child.kill();
    }
}

/// A group of its own, so that what the process has started ends with it, as the
/// compilers of a cargo do. Ctrl-C on the terminal then reaches us alone, who end the
/// others in order.
fn in_a_group_of_its_own(command: &mut Command) -> &mut Command {
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    command
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn sleeping() -> Process {
        Process::start(Command::new("sleep").arg("600").stdin(Stdio::null())).unwrap()
    }

    fn exists(id: u32) -> bool {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id as i32), None).is_ok()
    }

    #[test]
    fn a_process_is_ended_with_its_guard() {
        let in_front =
            Process::start_in_front(Command::new("sleep").arg("600").stdin(Stdio::null()));
        for process in [sleeping(), in_front.unwrap()] {
            let id = process.id();
            assert!(exists(id));
            drop(process);
            assert!(!exists(id));
        }
    }

    #[test]
    fn a_wait_ends_at_its_limit() {
        assert_eq!(sleeping().wait(Duration::ZERO).unwrap(), None);
        assert!(sleeping().wait_for_end(Duration::ZERO).is_err());
    }

    #[test]
    fn what_is_piped_is_collected_and_what_is_not_has_ended() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo one; echo two >&2"]).stdin(Stdio::null()).stdout(Stdio::piped());
        let process = Process::start(command.stderr(Stdio::null())).unwrap();
        let line = process.stdout().wait_for_line(COURTESY, |line| Some(line.to_string()));
        assert_eq!(line.unwrap(), "one");
        assert_eq!(process.stderr().wait_for_end(Duration::ZERO).unwrap(), b"");
    }
}
