//! A node as a program: what its socket brings, and what it tells of it.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

struct Node {
    child: Child,
    stdout: BufReader<ChildStdout>,
    address: SocketAddr,
}

impl Node {
    /// `None` where it cannot listen.
    fn start(args: &[&str]) -> Option<Node> {
        let mut command = Command::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))));
        command.args(["node", "--port", "0", "--every", "100ms"]).args(args);
        command.env_remove("RUST_LOG").stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut stdout, mut line) = (BufReader::new(child.stdout.take().unwrap()), String::new());
        stdout.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ").and_then(|it| it.parse().ok());
        let Some(address) = address else {
            child.wait().unwrap();
            return None;
        };
        Some(Node { child, stdout, address })
    }

    /// Reads what it shows until there is a line with these words.
    fn shows(&mut self, words: &str) {
        let shown = self.stdout.by_ref().lines().map_while(Result::ok);
        assert!(shown.into_iter().any(|line| line.contains(words)), "never {words:?}");
    }

    /// Its log so far.
    fn killed(mut self) -> String {
        self.child.kill().unwrap();
        let mut log = String::new();
        self.child.stderr.take().unwrap().read_to_string(&mut log).unwrap();
        log
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn whoever_floods_a_node_with_what_is_too_long_does_not_fill_its_log() {
    let node = Node::start(&["--name", "ann"]).unwrap();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(GENEROUS)).unwrap();
    socket.connect(node.address).unwrap();
    for _ in 0..200 {
        socket.send(&[b'x'; 1_300]).unwrap();
        // A knock, whose answer says that all before it was taken in.
        socket.send(b"NLG1\0\0\0\0\0\0\0\0\0my token").unwrap();
        assert_eq!(socket.recv(&mut [0; 100]).unwrap(), 21);
    }
    let log = node.killed();
    assert!(log.contains("it is longer than any of ours"), "{log}");
    assert!(log.lines().count() < 20, "{log}");
}

/// One kind of trouble is told now and then, and there are others.
#[test]
fn whoever_floods_a_node_does_not_hide_that_two_have_one_name() {
    let mut ann = Node::start(&["--name", "ann"]).unwrap();
    let log = BufReader::new(ann.child.stderr.take().unwrap());
    let (tell, told) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        // Until the node has ended; nobody listens any more then.
        log.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line)));
    });
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let twin = Node::start(&["--name", "ann", "--seed", &ann.address.to_string()]).unwrap();
    let until = Instant::now() + GENEROUS;
    let is_told = |line: String| line.contains("has the same name as this node");
    // Far more often than the twin speaks.
    while !told.recv_timeout(Duration::from_millis(1)).is_ok_and(is_told) {
        socket.send_to(b"noise", ann.address).unwrap();
        assert!(Instant::now() < until, "it is not told");
    }
    drop((ann, twin));
    reader.join().unwrap();
}

#[test]
fn a_node_for_both_families_talks_with_one_that_is_asked_over_ipv4() {
    let mut ann = Node::start(&["--name", "ann", "--say", "from ann"]).unwrap();
    let seed = ann.address.to_string();
    let Some(mut bob) =
        Node::start(&["--name", "bob", "--bind", "::", "--seed", &seed, "--say", "from bob"])
    else {
        return eprintln!("skipped: no IPv6 here");
    };
    bob.shows("ann: from ann");
    ann.shows("bob: from bob");
}

/// On each machine, nodes listen at the same address.
#[test]
fn a_node_that_listens_everywhere_is_called_by_the_address_that_others_reach() {
    let mut bob = Node::start(&["--name", "bob"]).unwrap();
    let seed = bob.address.to_string();
    let everywhere = ["--bind", "0.0.0.0", "--advertise", "127.0.0.1:9", "--seed", &seed];
    let _node = Node::start(&everywhere).unwrap();
    bob.shows("* 127.0.0.1:9 joined");
}

#[test]
fn settings_that_contradict_each_other_are_told_before_anybody_listens() {
    let program = env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME")));
    for (args, told) in [
        (["--every", "2s", "--away-after", "15s"], "--away-after 15s is less than 8 of --every 2s"),
        (["--keep", "1s", "--away-after", "4s"], "--keep 1s is less than --away-after 4s"),
        (["--every", "200ms", "--max-nodes", "1"], "--max-nodes is 2 at least"),
    ] {
        let output = Command::new(program).arg("node").args(args).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(told), "{output:?}");
        assert!(output.stdout.is_empty(), "{output:?}");
    }
}

/// As a socket whose device is gone for good.
#[cfg(unix)]
#[test]
fn a_socket_that_receives_nothing_any_more_ends_the_node_with_all_its_threads() {
    use std::net::TcpListener;
    use std::os::fd::OwnedFd;

    use gossip::Settings;
    use gossip::node::{self, UNPRINTED};
    use gossip::proofs::Proofs;
    use gossip::replica::Replica;
    use netcore::shutdown::{DRAIN, Shutdown};

    let socket = UdpSocket::from(OwnedFd::from(TcpListener::bind("127.0.0.1:0").unwrap()));
    let (ended, ends) = mpsc::channel();
    std::thread::spawn(move || {
        let settings = Settings::default();
        let every = settings.every;
        let replica = Replica::new("ann".into(), node::life(), None, Vec::new(), settings);
        let (screen, _lines) = mpsc::sync_channel(UNPRINTED);
        let node = node::Node::new(replica, Proofs::new(None).unwrap(), every, screen);
        let shutdown = Shutdown::new(DRAIN).unwrap();
        ended.send(node::serve(socket, &node, &shutdown).is_err()).unwrap();
    });
    assert!(ends.recv_timeout(GENEROUS).unwrap());
}
