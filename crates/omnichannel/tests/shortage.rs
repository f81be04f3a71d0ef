//! What a server does whose system has too little, or has ended it at the very beginning.

mod world;

use std::fs::{self, File};
use std::io;
#[cfg(unix)]
use std::process::Command;

use omnichannel::message::{Ask, Reply};
use redb::StorageBackend;
use redb::backends::FileBackend;
use world::*;

/// The program as a shell starts it, which has it as `$0`.
#[cfg(unix)]
fn by_shell(world: &World, script: &str) -> Command {
    let mut command = Command::new("sh");
    let program = env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")));
    command.args(["-c", script, program]).current_dir(world.folder.path()).env_remove("RUST_LOG");
    command
}

/// A part of a line would be no token, or one whose secret can be guessed.
#[cfg(unix)]
#[test]
fn a_disk_that_is_full_leaves_no_half_of_a_token() {
    let world = World::new();
    let accounts: Vec<String> = (100..160).map(|number| format!("--account=acc{number}")).collect();
    // A file of one block, which is less than all of them have.
    let script = "trap '' XFSZ; ulimit -S -f 1; exec \"$0\" server --memory --port 0 \"$@\"";
    let output = ended(by_shell(&world, script).args(&accounts));
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert_eq!(fs::read_to_string(world.path("omnichannel.tokens")).unwrap(), "");
    // With room again, each has a whole one.
    let accounts: Vec<&str> = accounts.iter().map(String::as_str).collect();
    let _server = world.server_with(&[&["--memory", "--port", "0"], &accounts[..]].concat());
    let tokens = fs::read_to_string(world.path("omnichannel.tokens")).unwrap();
    assert_eq!(tokens.lines().count(), accounts.len());
    assert!(tokens.lines().all(|line| line.len() == "acc100.".len() + 32), "{tokens}");
}

/// A file whose program comes as far as to wait for the disk the first time.
#[derive(Debug)]
struct CutOff(FileBackend);

impl StorageBackend for CutOff {
    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        Err(io::ErrorKind::Interrupted.into())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}

/// Of whom everything that is on the disk is what the library writes first, or a part of it.
#[test]
fn a_store_that_was_only_begun_is_made_anew_and_what_is_somebody_elses_is_not() {
    if is_shared() {
        // The other engine has no file.
        return;
    }
    let (zeros, mut begun) = (vec![0; 73_728], vec![0; 73_728]);
    begun[9..16].copy_from_slice(&[4, 0, 0, 0, 16, 0, 0]);
    let mut another = begun.clone();
    another[5_000] = 1;
    for file in [zeros, begun] {
        let world = World::new();
        fs::write(world.path("omnichannel.redb"), file).unwrap();
        let server = world.server(&[]);
        let ann = world.token("ann");
        assert_eq!(Over::Tcp.ask(server.address, &ann, &put(0, "kept")), Reply::Done(1));
        server.kill();
        let server = world.server(&[]);
        let reply = Over::Tcp.ask(server.address, &ann, &Ask::Get);
        assert_eq!(reply, Reply::Draft(draft(1, "kept")));
    }
    // As it really is, whatever the library does in another version.
    let world = World::new();
    let cut = CutOff(
        FileBackend::new(File::create_new(world.path("omnichannel.redb")).unwrap()).unwrap(),
    );
    assert!(redb::Database::builder().create_with_backend(cut).is_err());
    assert!(fs::metadata(world.path("omnichannel.redb")).unwrap().len() > 0);
    world.server(&[]).kill();
    let world = World::new();
    fs::write(world.path("omnichannel.redb"), &another).unwrap();
    let refused = ended(world.program().args(["server", "--port", "0", "--account", "ann"]));
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(fs::read(world.path("omnichannel.redb")).unwrap(), another);
}

/// Those of clients who were faster than our own channels.
#[cfg(target_os = "linux")]
#[test]
fn a_crowd_that_takes_all_descriptors_at_once_ends_no_server() {
    use omnichannel::message::Draft;

    let world = World::new();
    let script = "ulimit -n 24; exec \"$0\" server --memory --port 0 --account ann";
    let mut command = by_shell(&world, script);
    for _ in 0..5 {
        let server = Server::start(&mut command);
        let crowd: Vec<_> = (0..40).filter_map(|_| connect(server.address)).collect();
        assert_eq!(crowd.len(), 40);
        let ann = world.token("ann");
        assert_eq!(Over::Udp.ask(server.address, &ann, &Ask::Get), Reply::Draft(Draft::default()));
        drop(crowd);
        eventually("who comes later is served", || {
            Over::Tcp.try_ask(server.address, &ann, None, &put(0, "x")).is_some()
        });
        assert!(!server.kill().contains("stops"));
    }
}

/// As when what it is mounted from is gone, and comes back: what was acknowledged is on that.
#[cfg(target_os = "linux")]
#[test]
fn a_store_whose_disk_is_gone_is_no_empty_one() {
    use omnichannel::message::Why;
    use rustix::process::{Pid, Resource, Rlimit, prlimit};

    let world = World::new();
    let script = "trap '' XFSZ; exec \"$0\" server --port 0 --account ann";
    let server = Server::start(&mut by_shell(&world, script));
    let (ann, store) = (world.token("ann"), world.path("omnichannel.redb"));
    let ask = |ask: &Ask| Over::Tcp.ask(server.address, &ann, ask);
    assert_eq!(ask(&put(0, "kept")), Reply::Done(1));
    fs::rename(&store, world.path("gone")).unwrap();
    // Nothing can be written any more, for a moment.
    let limit = |current| {
        let limit = Rlimit { current, maximum: None };
        prlimit(Some(Pid::from_child(&server.child)), Resource::Fsize, limit).unwrap()
    };
    limit(Some(0));
    let unavailable = Reply::Refused(Why::Unavailable);
    assert_eq!(ask(&put(1, &"x".repeat(9_000))), unavailable);
    limit(None);
    for _ in 0..2 {
        assert_eq!(ask(&put(0, "another")), unavailable);
        assert_eq!(ask(&Ask::Get), unavailable);
    }
    assert!(!store.exists(), "it has made another one");
    fs::rename(world.path("gone"), &store).unwrap();
    assert_eq!(ask(&Ask::Get), Reply::Draft(draft(1, "kept")));
    assert_eq!(ask(&put(1, "again")), Reply::Done(2));
}
