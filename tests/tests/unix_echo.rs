//! What a server on a file promises beside what every echo does: one server for each name,
//! whatever two starts and a `kill -9` do; a file that lets in nobody else; and a client
//! who is known before a byte of it is read.
//!
//! Run over the rungs that name the suite `unix-echo`.
#![cfg(unix)]

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use ladder_tests::process::spawn;
use ladder_tests::{Address, Finished, GENEROUS, Process, Rung, rungs_in};
use rustix::process::{Signal, geteuid};
use tempfile::TempDir;

/// Starts at once of one name.
const ROUNDS: usize = 200;

/// Starts that are watched for a mode that is too wide.
const WATCHED: usize = 50;

/// Who owns nothing and may do nothing, on every Unix.
const NOBODY: u32 = 65534;

/// What a server says when its name is taken.
const IN_USE: &str = "address already in use";

/// A folder of the test's own that other users may look into, and a name in it.
struct Place {
    folder: TempDir,
    path: PathBuf,
}

impl Place {
    fn new() -> Place {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let open = Permissions::from_mode(0o755);
        fs::set_permissions(folder.path(), open).expect("it can be opened to all");
        let path = folder.path().join("s");
        Place { folder, path }
    }

    fn lock(&self) -> PathBuf {
        self.folder.path().join("s.lock")
    }

    fn name(&self) -> String {
        format!("unix:{}", self.path.display())
    }

    fn command(&self, rung: &Rung, args: &[&str]) -> Command {
        let mut command = rung.command(&["server", "--path"]);
        command.arg(&self.path).args(args).stdin(Stdio::null());
        command
    }

    fn try_start(&self, rung: &Rung, args: &[&str]) -> Process {
        Process::start(&rung.name, &mut self.command(rung, args))
    }

    #[track_caller]
    fn start(&self, rung: &Rung, args: &[&str]) -> Process {
        let server = self.try_start(rung, args);
        let ready = server.expect_stdout(&["listening on "]);
        assert_eq!(ready, format!("listening on {}", self.name()));
        server
    }

    /// As [`start`](Place::start), where every new file may have every permission but these.
    #[track_caller]
    fn start_with_umask(&self, rung: &Rung, umask: &str, args: &[&str]) -> Process {
        let server = self.try_start_after(&format!("umask {umask}"), rung, args);
        server.expect_stdout(&["listening on "]);
        server
    }

    /// As [`try_start`](Place::try_start), by a shell that has done `before`.
    fn try_start_after(&self, before: &str, rung: &Rung, args: &[&str]) -> Process {
        let server = self.command(rung, args);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]);
        shell.arg(server.get_program()).args(server.get_args()).stdin(Stdio::null());
        Process::start(&rung.name, shell.env_remove("RUST_LOG"))
    }

    fn client(&self, rung: &Rung, args: &[&str]) -> Finished {
        let mut command = rung.command(&["client", "--path"]);
        command.arg(&self.path).args(args).stdin(Stdio::null());
        Process::start(&rung.name, &mut command).wait()
    }

    /// The client as another user; `None` where that cannot be, which is told.
    fn client_of_nobody(&self, rung: &Rung, args: &[&str]) -> Option<Finished> {
        if !geteuid().is_root() {
            println!("skipped: only root can be another user");
            return None;
        }
        let mut command = rung.command(&["client", "--path"]);
        command.arg(&self.path).args(args).stdin(Stdio::null()).uid(NOBODY).gid(NOBODY);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir("/");
        match spawn(&mut command) {
            Ok(child) => Some(Process::watch(&rung.name, child).wait()),
            Err(error) => {
                println!("skipped: nobody else may run the program: {error}");
                None
            }
        }
    }

    #[track_caller]
    fn assert_served(&self, rung: &Rung) {
        self.client(rung, &["hello"]).expect_code(0).expect_stdout("hello\n");
    }

    fn mode(&self) -> u32 {
        fs::symlink_metadata(&self.path).expect("it is there").mode() & 0o777
    }

    fn is_empty(&self) -> bool {
        fs::read_dir(self.folder.path()).expect("it is there").count() == 0
    }
}

fn over_each(test: impl Fn(&'static Rung, Place)) {
    for rung in rungs_in("unix-echo") {
        println!("over {}", rung.name);
        test(rung, Place::new());
    }
}

#[track_caller]
fn stop(server: Process) -> Finished {
    server.signal(Signal::TERM);
    server.wait().expect_code(0)
}

#[track_caller]
fn kill(server: Process) {
    server.signal(Signal::KILL);
    server.wait();
}

/// Whoever waits for the line reads no more than that, and finds the file by it.
#[test]
fn a_path_of_any_bytes_is_told_in_one_line_and_as_it_is() {
    for rung in rungs_in("unix-echo") {
        let mut place = Place::new();
        for name in [&b"two words"[..], b"a\nlistening on unix:b", b"\x1b[2J", b"100%25", b"\xff"] {
            place.path = place.folder.path().join(OsStr::from_bytes(name));
            // Not every file system has names that are no text.
            if fs::write(&place.path, "").and_then(|()| fs::remove_file(&place.path)).is_err() {
                continue;
            }
            let server = place.try_start(rung, &[]);
            let ready = server.expect_stdout(&["listening on "]);
            let address = ladder::ready::address(&ready);
            assert_eq!(address, Some(Address::Unix(place.path.clone())), "{ready:?}");
            let mut client = rung.command(&["client", "--path"]);
            let client = Process::start(&rung.name, client.arg(&place.path).arg("hello"));
            client.wait().expect_code(0).expect_stdout("hello\n");
            stop(server).expect_code(0).expect_stdout(&format!("{ready}\n"));
        }
    }
}

#[test]
fn a_server_that_ends_leaves_nothing_behind() {
    over_each(|rung, place| {
        let server = place.start(rung, &[]);
        place.assert_served(rung);
        stop(server);
        assert!(place.is_empty());
    });
}

/// Each step of a start may be the one for which no descriptor is left.
#[test]
fn a_start_that_fails_leaves_nothing_behind() {
    over_each(|rung, place| {
        let has_started = |descriptors: u32| {
            let server = place.try_start_after(&format!("ulimit -n {descriptors}"), rung, &[]);
            let started = server.prints(&["listening on "]);
            // By itself, or at once: a server without descriptors may have ended already.
            server.signal(Signal::TERM);
            server.wait();
            assert!(place.is_empty(), "with {descriptors} descriptors");
            started
        };
        assert!(!has_started(5));
        assert!((6..50).any(has_started));
    });
}

#[test]
fn after_a_kill_the_next_start_works_and_again() {
    over_each(|rung, place| {
        for _ in 0..3 {
            kill(place.start(rung, &[]));
            assert!(fs::symlink_metadata(&place.path).unwrap().file_type().is_socket());
        }
        let server = place.start(rung, &[]);
        place.assert_served(rung);
        stop(server);
        assert!(place.is_empty());
    });
}

#[test]
fn the_name_of_a_server_that_lives_is_refused_and_it_serves_on() {
    over_each(|rung, place| {
        let server = place.start(rung, &[]);
        place.try_start(rung, &[]).wait().expect_error(
            &format!("cannot listen on {}: {IN_USE}", place.name()),
            "another server lives there; choose another file",
        );
        place.assert_served(rung);
        stop(server);
    });
}

/// One that has no room for another client does not look like one that is gone.
#[test]
fn the_name_of_a_server_that_others_have_written_is_refused_too_however_busy_it_is() {
    over_each(|rung, place| {
        let listener = UnixListener::bind(&place.path).unwrap();
        let refused = || place.try_start(rung, &[]).wait().expect_code(1).stderr;
        assert!(refused().contains(IN_USE));
        fill_the_queue(&place.path);
        assert!(refused().contains(IN_USE));
        drop(listener);
        let server = place.start(rung, &[]);
        place.assert_served(rung);
        stop(server);
    });
}

/// Connects until the queue of the server has no more room, or for long enough.
fn fill_the_queue(path: &Path) {
    let mut waiting = Vec::new();
    for _ in 0..5_000 {
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
        // Where a process may have few descriptors, those are long enough.
        let Ok(socket) = socket else { return };
        socket.set_nonblocking(true).unwrap();
        match socket.connect(&socket2::SockAddr::unix(path).unwrap()) {
            Ok(()) => waiting.push(socket),
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                break;
            }
        }
    }
}

/// A look, a remove and a bind are three steps. Each round begins with what a killed
/// server has left.
#[test]
fn of_two_starts_at_once_exactly_one_lives_and_can_be_reached() {
    over_each(|rung, place| {
        for round in 0..ROUNDS {
            let both = [place.try_start(rung, &[]), place.try_start(rung, &[])];
            let ready = both.each_ref().map(|server| server.prints(&["listening on "]));
            assert_eq!(ready.iter().filter(|ready| **ready).count(), 1, "round {round}: {ready:?}");
            let [first, second] = both;
            let (lives, other) = if ready[0] { (first, second) } else { (second, first) };
            let other = other.wait().expect_code(1);
            assert!(other.stderr.contains(IN_USE), "{}", other.stderr);
            let mut client = UnixStream::connect(&place.path).unwrap();
            client.write_all(b"hello").unwrap();
            client.read_exact(&mut [0; 5]).unwrap();
            lives.expect_stderr(&[&format!("pid={}", std::process::id()), "connected"]);
            kill(lives);
        }
    });
}

#[test]
fn what_is_no_socket_is_left_alone() {
    over_each(|rung, place| {
        let refused = || {
            place.try_start(rung, &[]).wait().expect_error(
                &format!(
                    "cannot listen on {}: something else has this name, and it is no socket",
                    place.name()
                ),
                "it is left as it is; choose another file",
            )
        };
        fs::write(&place.path, "mine").unwrap();
        refused();
        assert_eq!(fs::read(&place.path).unwrap(), b"mine");
        fs::remove_file(&place.path).unwrap();

        fs::create_dir(&place.path).unwrap();
        refused();
        fs::remove_dir(&place.path).unwrap();

        // Wherever it leads: a socket that is gone, or nothing.
        let elsewhere = place.folder.path().join("elsewhere");
        drop(UnixListener::bind(&elsewhere).unwrap());
        symlink(&elsewhere, &place.path).unwrap();
        refused();
        assert!(elsewhere.exists() && place.path.is_symlink());
        fs::remove_file(&elsewhere).unwrap();
        refused();
        assert!(place.path.is_symlink());
    });
}

#[test]
fn a_lock_with_something_in_it_stays_and_one_that_is_no_file_is_told() {
    over_each(|rung, place| {
        fs::write(place.lock(), "mine").unwrap();
        let server = place.start(rung, &[]);
        place.assert_served(rung);
        stop(server);
        assert_eq!(fs::read(place.lock()).unwrap(), b"mine");
        fs::remove_file(place.lock()).unwrap();

        fs::create_dir(place.lock()).unwrap();
        let refused = place.try_start(rung, &[]).wait().expect_code(1).stderr;
        assert!(refused.contains("s.lock is no file"), "{refused}");
    });
}

#[test]
fn the_mode_is_the_one_that_was_asked_for_whatever_the_umask() {
    over_each(|rung, place| {
        for umask in ["000", "022", "077", "777"] {
            for (asked, mode) in [("600", 0o600), ("660", 0o660), ("666", 0o666), ("0", 0)] {
                let server = place.start_with_umask(rung, umask, &["--mode", asked]);
                assert_eq!(place.mode(), mode, "umask {umask}");
                stop(server);
            }
        }
        let server = place.start_with_umask(rung, "000", &[]);
        assert_eq!(place.mode(), 0o600, "by default");
        stop(server);
    });
}

/// A chmod after the bind would leave a moment in which everybody can connect.
#[test]
fn the_mode_is_never_wider_than_asked_not_for_a_moment() {
    over_each(|rung, place| {
        let done = AtomicBool::new(false);
        let (seen, wide) = thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let (mut seen, mut wide) = (0_u64, None);
                while !done.load(Ordering::SeqCst) {
                    if let Ok(found) = fs::symlink_metadata(&place.path) {
                        seen += 1;
                        wide = wide.or(Some(found.mode()).filter(|mode| mode & 0o177 != 0));
                    }
                }
                (seen, wide)
            });
            for _ in 0..WATCHED {
                stop(place.start_with_umask(rung, "000", &["--mode", "600"]));
            }
            done.store(true, Ordering::SeqCst);
            watcher.join().unwrap()
        });
        assert!(seen > 0, "nobody has looked in time");
        assert_eq!(wide.map(|mode| format!("{mode:o}")), None);
    });
}

#[test]
fn at_the_end_a_file_that_is_not_ours_any_more_stays() {
    over_each(|rung, place| {
        let server = place.start(rung, &[]);
        fs::remove_file(&place.path).unwrap();
        let other = UnixListener::bind(&place.path).unwrap();
        stop(server);
        UnixStream::connect(&place.path).expect("the other one still listens there");
        drop(other);

        let server = place.start(rung, &[]);
        fs::remove_file(&place.path).unwrap();
        fs::write(&place.path, "mine").unwrap();
        stop(server);
        assert_eq!(fs::read(&place.path).unwrap(), b"mine");
    });
}

#[test]
fn a_path_that_is_too_long_is_told_with_a_hint_and_the_longest_is_not() {
    const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
    over_each(|rung, mut place| {
        let room = LONGEST - place.folder.path().as_os_str().len() - 1;
        place.path = place.folder.path().join("x".repeat(room + 1));
        let hint = "give a shorter path; one from the folder that you are in may do";
        let why =
            format!("its path has {} bytes, and a socket's has {LONGEST} at most", LONGEST + 1);
        let error = format!("cannot listen on {}: {why}", place.name());
        place.try_start(rung, &[]).wait().expect_error(&error, hint);
        let error = format!("cannot connect to {}: {why}", place.name());
        place.client(rung, &["hello"]).expect_error(&error, hint);
        assert!(place.is_empty());

        place.path = place.folder.path().join("x".repeat(room));
        let server = place.start(rung, &[]);
        place.assert_served(rung);
        stop(server);
        assert!(place.is_empty());
    });
}

#[test]
fn a_path_need_not_be_text() {
    over_each(|rung, mut place| {
        place.path = place.folder.path().join(OsStr::from_bytes(b"s\xff"));
        let server = place.try_start(rung, &[]);
        server.expect_stdout(&["listening on unix:"]);
        place.assert_served(rung);
        stop(server);
        assert!(place.is_empty());
    });
}

#[test]
fn an_empty_path_and_a_folder_that_is_not_there_are_told() {
    over_each(|rung, mut place| {
        place.path = PathBuf::new();
        place.try_start(rung, &[]).wait().expect_code(2).expect_stdout("");
        place.path = place.folder.path().join("no/such/folder");
        let told = place.try_start(rung, &[]).wait().expect_code(1).stderr;
        assert!(told.starts_with(&format!("error: cannot listen on {}: ", place.name())), "{told}");
        assert!(
            told.ends_with("hint: the folder has to be there before; make it, or check the path\n")
        );
    });
}

#[test]
fn nobody_listening_is_told_with_a_hint_whether_there_is_a_file_or_not() {
    over_each(|rung, place| {
        let told = place.client(rung, &["hello"]).expect_code(1).expect_stdout("").stderr;
        assert!(told.starts_with(&format!("error: cannot connect to {}: ", place.name())));
        assert!(
            told.ends_with("hint: no server has made it; start one first, or check the path\n")
        );
        kill(place.start(rung, &[]));
        place.client(rung, &["hello"]).expect_error(
            &format!("cannot connect to {}: connection refused", place.name()),
            "its server is gone; the next one that is started there takes its place",
        );
    });
}

#[test]
fn a_client_that_is_told_to_wait_finds_a_server_that_comes_up_later() {
    over_each(|rung, place| {
        let mut command = rung.command(&["client", "--path"]);
        command.arg(&place.path).args(["--wait", &format!("{}s", GENEROUS.as_secs()), "hello"]);
        let client = Process::start(&rung.name, command.stdin(Stdio::null()));
        let server = place.start(rung, &[]);
        client.wait().expect_code(0).expect_stdout("hello\n");
        stop(server);
    });
}

/// Whoever connects and says nothing has been read nothing of.
#[test]
fn who_comes_is_known_before_a_byte_is_read_and_the_log_says_user_and_process() {
    over_each(|rung, place| {
        let server = place.start(rung, &[]);
        let silent = UnixStream::connect(&place.path).unwrap();
        let us = format!("uid={},pid={}", geteuid().as_raw(), std::process::id());
        let us = if cfg!(target_os = "linux") { us } else { us.replace(",pid=", "") };
        let line = server.expect_stderr(&[&us, "connected"]);
        assert!(line.ends_with(&format!(" {us} connected")), "{line}");
        drop(silent);
        server.expect_stderr(&[&us, "closed"]);
        stop(server);
    });
}

#[test]
fn the_name_of_a_clients_own_end_is_one_word_of_the_log_whatever_it_is() {
    over_each(|rung, place| {
        let server = place.start(rung, &[]);
        let own = place.folder.path().join("a b\n\u{1b}[31m connected");
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        socket.bind(&socket2::SockAddr::unix(&own).unwrap()).unwrap();
        socket.connect(&socket2::SockAddr::unix(&place.path).unwrap()).unwrap();
        let line = server.expect_stderr(&[r"a\x20b\n\x1b[31m\x20connected connected"]);
        assert_eq!(line.split_whitespace().count(), 4, "{line}");
        drop(socket);
        stop(server);
    });
}

#[test]
fn a_user_who_is_not_allowed_is_refused_and_nothing_of_it_is_read() {
    over_each(|rung, place| {
        let us = geteuid().as_raw();
        let server = place.start(rung, &["-v", "--allow-uid", &(us + 1).to_string()]);
        let told = place.client(rung, &["a secret"]).expect_code(1).expect_stdout("").stderr;
        assert!(told.starts_with("error: cannot get a reply"), "{told}");
        server.expect_stderr(&[&format!("uid={us},"), "refused: not a user of --allow-uid"]);
        let log = stop(server).stderr;
        assert!(!log.contains("received") && !log.contains("secret"), "{log}");

        let both = [(us + 1).to_string(), us.to_string()];
        let server = place.start(rung, &["--allow-uid", &both[0], "--allow-uid", &both[1]]);
        place.assert_served(rung);
        stop(server);
    });
}

#[test]
fn another_user_is_kept_out_by_the_mode_and_let_in_by_it_and_refused_by_number() {
    over_each(|rung, place| {
        let server = place.start(rung, &[]);
        let Some(out) = place.client_of_nobody(rung, &["hello"]) else { return };
        out.expect_error(
            &format!("cannot connect to {}: permission denied", place.name()),
            "its server lets only some users in: ls -l shows whom the file lets write",
        );
        let log = stop(server).stderr;
        assert!(!log.contains("connected"), "the system has not even told the server: {log}");

        let server = place.start(rung, &["--mode", "666"]);
        let Some(within) = place.client_of_nobody(rung, &["hello"]) else { return };
        within.expect_code(0).expect_stdout("hello\n");
        server.expect_stderr(&[&format!("uid={NOBODY},"), "connected"]);
        stop(server);

        let us = geteuid().as_raw().to_string();
        let server = place.start(rung, &["--mode", "666", "--allow-uid", &us]);
        let Some(refused) = place.client_of_nobody(rung, &["hello"]) else { return };
        refused.expect_code(1).expect_stdout("");
        server.expect_stderr(&[&format!("uid={NOBODY},"), "refused"]);
        place.assert_served(rung);
        stop(server);
    });
}

#[test]
fn a_folder_that_others_own_is_told_with_a_hint() {
    over_each(|rung, place| {
        let mut command = place.command(rung, &[]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).current_dir("/");
        match geteuid().is_root() {
            true => {
                command.uid(NOBODY).gid(NOBODY);
            }
            false => {
                let closed = Permissions::from_mode(0o555);
                fs::set_permissions(place.folder.path(), closed).unwrap();
            }
        }
        let child = match spawn(&mut command) {
            Ok(child) => child,
            Err(error) => {
                println!("skipped: nobody else may run the program: {error}");
                return;
            }
        };
        let refused = Process::watch(&rung.name, child).wait();
        refused.expect_error(
            &format!("cannot listen on {}: permission denied", place.name()),
            "a socket needs a folder in which you may make files, as for any file",
        );
    });
}

#[test]
fn wrong_usage_is_exit_code_2_and_shows_how_it_is_used() {
    over_each(|rung, _| {
        for args in [
            &["server", "--mode", "888"][..],
            &["server", "--mode", "1777"],
            &["server", "--mode", "rw"],
            &["server", "--allow-uid", "root"],
            &["server", "--port", "0"],
            &["server", "--idle", "0s"],
            &["client", "--path"],
        ] {
            let finished = rung.run(args).expect_code(2).expect_stdout("");
            let told = &finished.stderr;
            assert!(told.starts_with("error: ") && told.contains("--help"), "{args:?}: {told}");
        }
    });
}

#[test]
fn the_example_of_a_server_can_be_pasted_and_its_client_finds_the_default() {
    over_each(|rung, place| {
        let help = rung.run(&["server", "--help"]);
        let help = help.printed();
        let (_, args) = help.trim().rsplit_once(" server ").expect("it ends with an example");
        let mut example = rung.command(&["server"]);
        example.args(args.split(' ')).current_dir(place.folder.path()).stdin(Stdio::null());
        let example = Process::start(&rung.name, &mut example);
        example.expect_stdout(&["listening on unix:./"]);
        stop(example);

        let mut server = rung.command(&["server"]);
        server.current_dir(place.folder.path()).stdin(Stdio::null());
        let server = Process::start(&rung.name, &mut server);
        server.expect_stdout(&["listening on unix:"]);
        let mut client = rung.command(&["client", "hello"]);
        client.current_dir(place.folder.path()).stdin(Stdio::null());
        Process::start(&rung.name, &mut client).wait().expect_code(0).expect_stdout("hello\n");
        stop(server);
        assert!(place.is_empty());
    });
}

#[test]
fn a_server_that_hangs_up_before_the_reply_is_told() {
    over_each(|rung, place| {
        let listener = UnixListener::bind(&place.path).unwrap();
        let mut command = rung.command(&["client", "--path"]);
        command.arg(&place.path).arg("hello").stdin(Stdio::null());
        let client = Process::start(&rung.name, &mut command);
        let (mut server, _) = listener.accept().unwrap();
        server.read_exact(&mut [0; 5]).unwrap();
        server.write_all(b"hel").unwrap();
        drop(server);
        let finished = client.wait().expect_code(1).expect_stdout("");
        assert!(finished.stderr.starts_with("error: cannot get a reply"), "{}", finished.stderr);
    });
}
