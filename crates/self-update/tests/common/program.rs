//! A program in a folder of its own, and that program when it runs.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use minisign::KeyPair;

use super::{GENEROUS, public, v1};

/// A folder with the first release under a name of its own, and a key.
pub struct Home {
    folder: tempfile::TempDir,
    pub program: PathBuf,
}

impl Home {
    pub fn new(key: &KeyPair) -> Home {
        // Where the releases were built: a second name needs the same file system, and
        // nobody has to write a program that another thread's child may still have open.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let program = folder.path().join(format!("server{}", std::env::consts::EXE_SUFFIX));
        fs::hard_link(v1(), &program).unwrap();
        fs::write(folder.path().join("key.pub"), public(key)).unwrap();
        Home { folder, program }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same with a copy of its own, whose mode and owner can be changed.
    #[cfg(unix)]
    pub fn with_a_copy(key: &KeyPair) -> Home {
        let home = Home::new(key);
        fs::remove_file(&home.program).unwrap();
        // By another process: one of ours could be busy with it when it is to be started.
        let copied = Command::new("cp").args([&v1(), &home.program]).status().unwrap();
        assert!(copied.success());
        home
    }

    /// A file beside the program, such as `old`.
    pub fn beside(&self, ending: &str) -> PathBuf {
        let name = self.program.file_name().unwrap().to_str().unwrap();
        self.path(&format!("{name}.{ending}"))
    }

    pub fn command(&self, releases: SocketAddr, args: &[&str]) -> Command {
        self.command_from(&format!("http://{releases}"), args)
    }

    pub fn command_from(&self, releases: &str, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(["server", "--port", "0", "--from", releases, "--key"]);
        command.arg(self.path("key.pub")).args(args).env_remove("RUST_LOG");
        command
    }

    /// Starts it, and waits until it is ready.
    #[track_caller]
    pub fn start(&self, releases: SocketAddr, args: &[&str]) -> Running {
        Running::start(&mut self.command(releases, args))
    }

    #[track_caller]
    pub fn assert_is(&self, release: &Path) {
        assert!(
            fs::read(&self.program).unwrap() == fs::read(release).unwrap(),
            "the program is not {}",
            release.display()
        );
    }

    /// The version that the program says it has.
    pub fn version(&self) -> String {
        let told = Command::new(&self.program).arg("--version").output().unwrap();
        assert!(told.status.success(), "{told:?}");
        String::from_utf8(told.stdout).unwrap().split_whitespace().last().unwrap().into()
    }
}

/// A program that runs, and ends with the test.
pub struct Running {
    child: Child,
    pub address: SocketAddr,
    log: Arc<(Mutex<String>, Condvar)>,
}

impl Running {
    #[track_caller]
    pub fn start(command: &mut Command) -> Running {
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let log: Arc<(Mutex<String>, Condvar)> = Arc::default();
        let (stderr, into) = (child.stderr.take().unwrap(), log.clone());
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                into.0.lock().unwrap().push_str(&format!("{line}\n"));
                into.1.notify_all();
            }
        });
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let address = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut running = Running { child, address, log };
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").and_then(|it| it.parse().ok());
        let Some(address) = address else { panic!("not ready: {line:?}\n{}", running.told()) };
        running.address = address;
        running
    }

    /// Its log so far.
    pub fn told(&self) -> String {
        // Also of a test that has failed while it looked.
        self.log.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until its log has `words` so many times.
    #[track_caller]
    pub fn wait_for(&self, words: &str, times: usize) {
        let deadline = Instant::now() + GENEROUS;
        let mut log = self.log.0.lock().unwrap();
        while log.matches(words).count() < times {
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never said {words:?}:\n{log}");
            log = self.log.1.wait_timeout(log, left).unwrap().0;
        }
    }

    pub fn echo(&self, text: &str) -> String {
        echo(self.address, text)
    }

    /// For a moment both the old one and the new one serve.
    #[track_caller]
    pub fn wait_until_it_answers(&self, text: &str, reply: &str) {
        let deadline = Instant::now() + GENEROUS;
        while self.echo(text) != reply {
            assert!(Instant::now() < deadline, "never {reply:?}");
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// kill(2), and on Windows TerminateProcess, for the keeper alone.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, and waits for its end.
    #[cfg(unix)]
    pub fn stop(self) -> std::process::ExitStatus {
        let id = self.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        self.ends()
    }

    /// Waits for its end.
    #[cfg(unix)]
    pub fn ends(mut self) -> std::process::ExitStatus {
        let deadline = Instant::now() + GENEROUS;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.told());
            thread::sleep(std::time::Duration::from_millis(5));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("--- the log\n{}---", self.told());
        }
    }
}

/// Sends `text` on a connection of its own, and returns what comes back.
#[track_caller]
pub fn echo(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}
