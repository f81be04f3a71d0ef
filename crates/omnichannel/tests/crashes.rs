//! What was acknowledged is there, whatever becomes of the process, the disk and the file.

mod world;

use std::fs;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

#[cfg(unix)]
use omnichannel::message::Why;
use omnichannel::message::{Ask, Draft, Reply, Secret};
use world::*;

/// Rounds of the loop below; `KILL_ROUNDS` says otherwise, and `KILL_SEED` where it begins.
const ROUNDS: u64 = 5;

/// A change that was asked for, and the revision that was acknowledged for it.
struct Asked {
    key: String,
    revision: u64,
    text: String,
    done: Option<u64>,
}

/// Writers on all channels, each with a draft of its own, and `kill -9` at a random moment
/// under them, again and again on one store. Each acknowledged change is there afterwards; one
/// that was not acknowledged has one effect when it is asked for again.
#[test]
fn kill_9_under_writes_loses_nothing_that_was_acknowledged() {
    let number = |name, or| std::env::var(name).map_or(or, |it| it.parse().unwrap());
    let (rounds, mut seed) = (number("KILL_ROUNDS", ROUNDS), number("KILL_SEED", 1));
    let world = World::new();
    let accounts = ["a", "b", "c", "d", "e", "f"];
    let args: Vec<&str> = accounts.iter().flat_map(|name| ["--account", name]).collect();
    // So many that nothing which is looked for is forgotten on purpose.
    let args = [&args[..], &["--history", "100000", "--keys", "100000"]].concat();
    let mut acknowledged = 0;
    for round in 0..rounds {
        let server = world.server(&args);
        let address = server.address;
        let done = AtomicU64::new(0);
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let (enough, delay) = ((seed >> 33) % 60, (seed >> 50) % 8);
        let server = Mutex::new(Some(server));
        let asked: Vec<(Secret, Vec<Asked>)> = thread::scope(|scope| {
            let writers: Vec<_> = accounts
                .iter()
                .enumerate()
                .map(|(at, account)| {
                    let (token, over, done) = (world.token(account), ALL[at % 3], &done);
                    scope.spawn(move || write(address, token, over, round, done))
                })
                .collect();
            eventually("there are changes", || done.load(Ordering::SeqCst) >= enough);
            thread::sleep(Duration::from_millis(delay));
            server.lock().unwrap().take().unwrap().kill();
            writers.into_iter().map(|it| it.join().unwrap()).collect()
        });
        let server = world.server(&args);
        for (token, asked) in &asked {
            acknowledged += check(&server, token, asked, round);
        }
        server.kill();
    }
    assert!(acknowledged > 0, "nothing was acknowledged in {rounds} rounds");
    println!("{acknowledged} acknowledged changes in {rounds} rounds, none lost");
}

/// Changes a draft until the server is gone.
fn write(
    address: std::net::SocketAddr,
    token: Secret,
    over: Over,
    round: u64,
    done: &AtomicU64,
) -> (Secret, Vec<Asked>) {
    let mut all = Vec::new();
    let Some(Reply::Draft(draft)) = over.try_ask(address, &token, None, &Ask::Get) else {
        return (token, all);
    };
    let mut revision = draft.revision;
    for turn in 0.. {
        let (key, text) = (format!("{round}-{turn}"), format!("round {round}, turn {turn}"));
        let reply = over.try_ask(address, &token, Some(&key), &put(revision, &text));
        let made = match reply {
            Some(Reply::Done(made)) => Some(made),
            None => None,
            other => panic!("{over:?}: {other:?}"),
        };
        all.push(Asked { key, revision, text, done: made });
        let Some(made) = made else { break };
        assert_eq!(made, revision + 1);
        revision = made;
        done.fetch_add(1, Ordering::SeqCst);
    }
    (token, all)
}

/// Returns how many were acknowledged.
fn check(server: &Server, token: &Secret, asked: &[Asked], round: u64) -> u64 {
    let mut acknowledged = 0;
    for Asked { key, revision, text, done } in asked {
        if let Some(made) = done {
            let since = Ask::Follow { since: made - 1 };
            let reply = Over::Udp.ask(server.address, token, &since);
            let Reply::Changes(changes) = reply else {
                panic!("round {round}: {key} is lost: {reply:?}");
            };
            assert_eq!(changes[0].draft, draft(*made, text), "round {round}");
            acknowledged += 1;
        }
        // Once more, on whatever channel: the answer that it had, or that it would have had.
        for over in ALL {
            let again = over.try_ask(server.address, token, Some(key), &put(*revision, text));
            assert_eq!(again, Some(Reply::Done(revision + 1)), "round {round}: {key}");
        }
    }
    acknowledged
}

#[test]
fn a_second_server_on_the_file_is_told_so_and_ends_with_1() {
    let world = World::new();
    let server = world.server(&[]);
    // It would end by itself if it began.
    let args = ["server", "--port", "0", "--accept-timeout", "3s"];
    let output = ended(world.program().args(args));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("another server has it open"), "{told}");
    assert!(output.stdout.is_empty(), "it said that it listens");
    let ann = world.token("ann");
    assert_eq!(Over::Tcp.ask(server.address, &ann, &put(0, "x")), Reply::Done(1));
    // A server that was killed keeps nobody away.
    server.kill();
    let server = world.server(&[]);
    assert_eq!(Over::Tcp.ask(server.address, &ann, &Ask::Get), Reply::Draft(draft(1, "x")));
}

#[test]
fn a_file_that_is_none_of_ours_or_is_cut_is_told_and_left_as_it_is() {
    let world = World::new();
    let server = world.server(&[]);
    let ann = world.token("ann");
    let text = "x".repeat(900);
    for revision in 0..50 {
        Over::Tcp.ask(server.address, &ann, &put(revision, &text));
    }
    server.kill();
    let whole = fs::read(world.path("omnichannel.redb")).unwrap();
    let mut files: Vec<Vec<u8>> =
        vec![b"hello".to_vec(), vec![0; 5000], vec![b'x'; 1 << 20], b"SQLite format 3\0".to_vec()];
    for part in [1, 100, 512, 4096, whole.len() / 4, whole.len() / 2, whole.len() - 1] {
        files.push(whole[..part].to_vec());
    }
    for (number, file) in files.iter().enumerate() {
        fs::write(world.path("other"), file).unwrap();
        let mut command = world.program();
        command.args(["server", "--port", "0", "--data", "other", "--account", "ann"]);
        let output = ended(command.args(["--accept-timeout", "3s"]));
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{number}: {told}");
        assert!(told.contains("error: cannot open the store other: "), "{number}: {told}");
        assert!(!told.contains("panicked"), "{number}: {told}");
        let left = fs::read(world.path("other")).unwrap();
        assert!(left == *file, "{number}: {} bytes of {}", left.len(), file.len());
    }
}

#[test]
fn the_file_of_another_program_with_the_same_library_is_told_and_stays_its_own() {
    let world = World::new();
    let path = world.path("cakes.redb");
    let table: redb::TableDefinition<u64, u64> = redb::TableDefinition::new("cakes");
    let database = redb::Database::create(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(table).unwrap().insert(1, 2).unwrap();
    write.commit().unwrap();
    drop(database);
    let mut command = world.program();
    command.args(["server", "--port", "0", "--data", "cakes.redb", "--account", "ann"]);
    let output = ended(command.args(["--accept-timeout", "3s"]));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("it is no store, or damaged: its form is 0"), "{told}");
    let database = redb::Database::open(&path).unwrap();
    let read = redb::ReadableDatabase::begin_read(&database).unwrap();
    assert_eq!(read.list_tables().unwrap().count(), 1);
    assert_eq!(read.open_table(table).unwrap().get(1).unwrap().unwrap().value(), 2);
}

#[cfg(unix)]
#[test]
fn a_file_that_is_damaged_is_told_or_the_damage_is_where_nothing_lies() {
    const PAGE: usize = 4096;
    let world = World::new();
    let server = world.server(&[]);
    let ann = world.token("ann");
    for revision in 0..50 {
        let text = format!("{revision} {}", "x".repeat(900));
        Over::Tcp.ask(server.address, &ann, &put(revision, &text));
    }
    let last = Over::Tcp.ask(server.address, &ann, &Ask::Get);
    assert_eq!(server.stop().0, Some(0));
    let whole = fs::read(world.path("omnichannel.redb")).unwrap();
    let mut told = 0;
    let pages = whole.len() / PAGE;
    for page in (0..pages).step_by(pages.div_ceil(24)) {
        let mut damaged = whole.clone();
        damaged[page * PAGE + 100..(page + 1) * PAGE].fill(0xa5);
        fs::write(world.path("omnichannel.redb"), damaged).unwrap();
        let args = ["server", "--port", "0", "--accept-timeout", "300ms"];
        let output = ended(world.program().args(args));
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!log.contains("panicked"), "page {page}: {log}");
        if output.status.code() == Some(1) {
            assert!(log.contains("error: cannot open the store "), "page {page}: {log}");
            told += 1;
            continue;
        }
        let server = world.server(&[]);
        assert_eq!(Over::Tcp.ask(server.address, &ann, &Ask::Get), last, "page {page}");
        let output = world.client(&server, &["--until", "50", "follow"]);
        assert_eq!(printed(&output).lines().count(), 50, "page {page}");
    }
    assert!(told > 0, "no damage was told");
}

/// A limit on the length of files stands for a disk: past it, the system refuses to write.
#[cfg(unix)]
#[test]
fn a_full_disk_is_told_and_stops_no_reader_and_loses_nothing() {
    let world = World::new();
    // Tokens first.
    world.server(&[]).kill();
    let program = env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")));
    let mut command = std::process::Command::new("sh");
    // In blocks of 512 bytes, or of 1,024. A signal says the same, which is not wanted.
    let script = "trap '' XFSZ; ulimit -S -f 3000; exec \"$0\" server --port 0";
    command.args(["-c", script, program]).current_dir(world.folder.path()).env_remove("RUST_LOG");
    let server = Server::start(&mut command);
    let (ann, address) = (world.token("ann"), server.address);
    let (mut revision, text) = (0, "x".repeat(16 << 10));
    let text_of = |revision: u64| format!("{revision} {}", &text[..16_000]);
    let full = loop {
        let over = if revision % 2 == 0 { Over::Tcp } else { Over::Http };
        match over.ask(address, &ann, &put(revision, &text_of(revision))) {
            Reply::Done(made) => revision = made,
            other => break other,
        }
        assert!(revision < 1000, "the disk is never full");
    };
    assert_eq!(full, Reply::Refused(Why::Unavailable));
    let last = draft(revision, &text_of(revision - 1));
    // Again and again, in between others who read.
    for over in [Over::Tcp, Over::Http, Over::Tcp] {
        assert_eq!(over.ask(address, &ann, &Ask::Get), Reply::Draft(last.clone()));
        let again = over.ask(address, &ann, &put(revision, &text_of(revision)));
        assert_eq!(again, Reply::Refused(Why::Unavailable));
    }
    // Room again, for the server that runs: it goes on by itself.
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{Pid, Resource, Rlimit, prlimit};
        let pid = Pid::from_child(&server.child);
        let plenty = Rlimit { current: None, maximum: None };
        prlimit(Some(pid), Resource::Fsize, plenty).unwrap();
        let reply = Over::Http.ask(address, &ann, &put(revision, &text_of(revision)));
        assert_eq!(reply, Reply::Done(revision + 1));
        revision += 1;
    }
    let log = server.kill();
    assert!(log.contains("the store failed: "), "{log}");
    assert!(!log.contains("panicked"), "{log}");
    let server = world.server(&[]);
    let last = draft(revision, &text_of(revision - 1));
    assert_eq!(Over::Tcp.ask(server.address, &ann, &Ask::Get), Reply::Draft(last));
    let reply = Over::Tcp.ask(server.address, &ann, &put(revision, "short"));
    assert_eq!(reply, Reply::Done(revision + 1));
}

/// And not in silence with the engine that it has.
#[cfg(not(feature = "nats"))]
#[test]
fn an_engine_that_is_not_built_in_is_told_with_what_to_build() {
    let world = World::new();
    let engine = ["--account", "ann", "--engine", "nats://127.0.0.1:4222"];
    let output = ended(world.program().args(["server", "--port", "0"]).args(engine));
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("--features nats"), "{told}");
    assert!(!world.path("omnichannel.redb").exists());
}

#[test]
fn without_tokens_or_with_tokens_for_everybody_it_does_not_begin() {
    let world = World::new();
    let output = ended(world.program().args(["server", "--port", "0", "--accept-timeout", "3s"]));
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("hint: --account NAME"));
    let output = ended(world.program().args(["server", "--port", "0", "--account", "../x"]));
    assert_eq!(output.status.code(), Some(1));
    let none = Draft::default();
    let server = world.server(&["--memory"]);
    let reply = Over::Tcp.ask(server.address, &world.token("bob"), &Ask::Get);
    assert_eq!(reply, Reply::Draft(none));
    assert!(!world.path("omnichannel.redb").exists());
}
