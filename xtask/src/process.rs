//! Processes that xtask starts, and folders that it works in. None of them outlives it:
//! not a normal end, an error, a panic or a signal.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;

/// How long a process may take to end when it is asked to. Then it is killed.
const COURTESY: Duration = Duration::from_secs(2);

/// The first and the longest pause between two looks at a process.
const PAUSES: (Duration, Duration) = (Duration::from_micros(200), Duration::from_millis(20));

/// Attempts to remove a folder. Hardly ever is there a second one.
const REMOVALS: usize = 50;

/// As shells have it for a program that Ctrl-C has ended: 128 and SIGINT.
const INTERRUPTED: i32 = 130;

/// Every process that runs now, for the signal handler. The lock is held while one is
/// started, so that none slips through between the handler's look and the end.
static STARTED: Mutex<Vec<Arc<Mutex<Child>>>> = Mutex::new(Vec::new());

/// Every [`Scratch`] that there is now, for the signal handler.
static SCRATCH: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A process that is ended when this is dropped.
#[derive(Debug)]
pub struct Process(Arc<Mutex<Child>>);

impl Process {
    /// Starts `command`.
    pub fn start(command: &mut Command) -> Result<Process, Failure> {
        in_a_group_of_its_own(command);
        Process::start_in_front(command)
    }

    /// Starts `command` as the one that has the terminal: it may read from it, and
    /// Ctrl-C reaches it as well as us.
    pub fn start_in_front(command: &mut Command) -> Result<Process, Failure> {
        let mut started = lock(&STARTED);
        let child = command.spawn().map_err(|error| {
            Failure::new(format!("cannot run {}: {error}", command.get_program().to_string_lossy()))
        })?;
        let child = Arc::new(Mutex::new(child));
        started.push(child.clone());
        Ok(Process(child))
    }

    /// The process itself, to take its pipes.
    pub fn child(&self) -> MutexGuard<'_, Child> {
        lock(&self.0)
    }

    /// Waits until the process has ended, for `limit` at most; `None` when it runs on.
    pub fn wait(&self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        wait(&self.0, limit)
    }

    /// Waits until the process has ended, however long a person takes.
    pub fn wait_for_person(&self) -> io::Result<ExitStatus> {
        loop {
            if let Some(status) = self.wait(Duration::MAX)? {
                return Ok(status);
            }
        }
    }

    /// SIGTERM; on Windows, which has no such thing, the end.
    pub fn ask_to_stop(&self) {
        ask_to_stop(&mut lock(&self.0));
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        end(&self.0);
        lock(&STARTED).retain(|child| !Arc::ptr_eq(child, &self.0));
    }
}

/// A folder that is ours alone, and is removed when this is dropped, or by a signal.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it. What an earlier run has left there is removed.
    pub fn new(folder: PathBuf) -> io::Result<Scratch> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut scratch = lock(&SCRATCH);
        fs::create_dir_all(&folder)?;
        scratch.push(folder.clone());
        Ok(Scratch(folder))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
        lock(&SCRATCH).retain(|folder| *folder != self.0);
    }
}

/// Set while a pager shows what we have written. Ctrl-C is a key of its own there, and
/// must not end us under it.
static PAGED: AtomicBool = AtomicBool::new(false);

/// Lets the pager have Ctrl-C from here on.
pub fn leave_ctrl_c_to_pager() {
    PAGED.store(true, Ordering::Relaxed);
}

/// From here on, Ctrl-C, Ctrl-\, SIGTERM and SIGHUP end every process that was started,
/// and then xtask with code 130.
#[cfg(unix)]
pub fn end_all_on_signals() -> Result<(), Failure> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};
    use signal_hook::iterator::Signals;

    let mut signals = Signals::new([SIGINT, SIGQUIT, SIGTERM, SIGHUP])
        .map_err(|error| Failure::new(format!("cannot prepare for signals: {error}")))?;
    thread::spawn(move || {
        for signal in signals.forever() {
            if signal != SIGINT || !PAGED.load(Ordering::Relaxed) {
                end_all();
            }
        }
    });
    Ok(())
}

/// From here on, Ctrl-C and Ctrl-Break end every process that was started, and then
/// xtask with code 130.
#[cfg(windows)]
pub fn end_all_on_signals() -> Result<(), Failure> {
    ctrlc::set_handler(|| {
        if !PAGED.load(Ordering::Relaxed) {
            end_all();
        }
    })
    .map_err(|error| Failure::new(format!("cannot prepare for signals: {error}")))
}

fn end_all() -> ! {
    // Not given back: no further process is started, and whoever has waited for one gets no
    // further than its end.
    let started = lock(&STARTED);
    for child in started.iter() {
        ask_to_stop(&mut lock(child));
    }
    started.iter().for_each(end);
    // Not given back either: nobody makes a further one.
    let scratch = lock(&SCRATCH);
    scratch.iter().for_each(|folder| remove(folder));
    // eprintln! would panic where nobody reads it any more, and we would stay.
    let _ = writeln!(io::stderr(), "\ninterrupted: everything that was started has been ended");
    std::process::exit(INTERRUPTED)
}

/// Memory of its own that a process has in use, in KiB, without what the kernel holds
/// for it: proc(5) on Linux.
pub fn resident_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Removes a folder. Somebody may still write into it, and what comes too late keeps it
/// from being removed.
fn remove(folder: &Path) {
    for _ in 0..REMOVALS {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => thread::sleep(PAUSES.1),
            // Gone, or called otherwise by now.
            _ => return,
        }
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

fn end(child: &Arc<Mutex<Child>>) {
    ask_to_stop(&mut lock(child));
    if let Ok(Some(_)) = wait(child, COURTESY) {
        return;
    }
    kill(&mut lock(child));
    // Nothing survives that, so this wait is short.
    let _ = lock(child).wait();
}

fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// A group of its own, so that what the process has started ends with it, as the
/// compilers of a cargo do. Ctrl-C on the terminal then reaches xtask alone, which ends
/// the others in order.
#[cfg(unix)]
fn in_a_group_of_its_own(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(unix)]
fn ask_to_stop(child: &mut Child) {
    signal(child, nix::sys::signal::Signal::SIGTERM);
}

#[cfg(unix)]
fn kill(child: &mut Child) {
    signal(child, nix::sys::signal::Signal::SIGKILL);
}

#[cfg(unix)]
fn signal(child: &mut Child, signal: nix::sys::signal::Signal) {
    // Once it has been waited for, its number may be another process's.
    if let (false, Ok(id)) = (has_ended(child), i32::try_from(child.id())) {
        let id = nix::unistd::Pid::from_raw(id);
        // No group has its number where it was started in front. Then fails only where it has
        // ended meanwhile.
        let _ =
            nix::sys::signal::killpg(id, signal).or_else(|_| nix::sys::signal::kill(id, signal));
    }
}

#[cfg(windows)]
fn in_a_group_of_its_own(_: &mut Command) {}

#[cfg(windows)]
fn ask_to_stop(child: &mut Child) {
    kill(child);
}

#[cfg(windows)]
fn kill(child: &mut Child) {
    if !has_ended(child) {
        // Fails only where it has ended meanwhile.
        let _ = child.kill();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere is no reason to leave processes behind.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(all(test, unix))]
mod tests {
    use std::process::Stdio;

    use super::*;

    fn sleeping() -> Process {
        Process::start(Command::new("sleep").arg("600").stdin(Stdio::null())).unwrap()
    }

    fn exists(id: u32) -> bool {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(id as i32), None).is_ok()
    }

    #[test]
    fn a_process_is_ended_with_its_guard() {
        let process = sleeping();
        let id = process.child().id();
        assert!(exists(id));
        drop(process);
        assert!(!exists(id));
    }

    #[test]
    fn a_process_is_ended_by_a_panic() {
        let process = sleeping();
        let id = process.child().id();
        let panicked = thread::spawn(move || {
            let _process = process;
            panic!("on purpose");
        });
        assert!(panicked.join().is_err());
        assert!(!exists(id));
    }

    #[test]
    fn a_process_in_front_is_ended_with_its_guard_as_well() {
        let process =
            Process::start_in_front(Command::new("sleep").arg("600").stdin(Stdio::null())).unwrap();
        let id = process.child().id();
        assert!(exists(id));
        drop(process);
        assert!(!exists(id));
    }

    #[test]
    fn a_scratch_folder_is_empty_at_first_and_gone_with_its_guard() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("scratch");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("old"), "of an earlier run").unwrap();
        let scratch = Scratch::new(folder.clone()).unwrap();
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        drop(scratch);
        assert!(!folder.exists());
    }

    #[test]
    fn a_wait_ends_at_its_limit() {
        assert_eq!(sleeping().wait(Duration::ZERO).unwrap(), None);
    }
}
