//! `kill -9` of one of three nodes at any moment, again and again. What a node other than its
//! author has shown is acknowledged: it stays on the board whoever is killed. Who comes back
//! has a higher generation, and no node ever believes what is older than what it has believed.
//!
//! A few rounds by default; `ROUNDS=1000 SEED=7 cargo test -p gossip --test kills --
//! --nocapture` for more.

use std::collections::BTreeMap;
use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use gossip::Settings;
use gossip::node::life;
use gossip::proofs::{Opened, Proofs};
use gossip::replica::Replica;
use gossip::simulation::Random;

/// Rounds in every run of the tests.
const ROUNDS: u64 = 12;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(60);

const NAMES: [&str; 3] = ["ann", "bob", "cid"];

/// What one node knows of another.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    generation: u64,
    heartbeat: u32,
    board: Vec<String>,
}

type View = BTreeMap<String, Known>;

struct Node {
    child: Child,
    keyboard: ChildStdin,
    address: SocketAddr,
    /// What it has told last.
    seen: View,
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    fn start(name: &str, seed: Option<SocketAddr>) -> Node {
        let mut command = Command::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))));
        command.args(["node", "--name", name, "--port", "0", "--every", "20ms"]);
        command.args(seed.iter().flat_map(|seed| ["--seed".into(), seed.to_string()]));
        command.env_remove("RUST_LOG").stderr(Stdio::null());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let keyboard = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        let ready = lines.next().unwrap_or_default();
        let address = ready.trim_start_matches("listening on ").parse().expect("a ready line");
        // Or it would wait for somebody to read.
        thread::spawn(move || lines.for_each(drop));
        Node { child, keyboard, address, seen: View::new() }
    }

    fn says(&mut self, text: &str) {
        writeln!(self.keyboard, "{text}").unwrap();
    }

    /// What it knows now, which is never older than what it knew before.
    fn knows(&mut self) -> View {
        let view = look(self.address);
        for (name, before) in &self.seen {
            let now = &view[name];
            let (now, before) =
                ((now.generation, now.heartbeat), (before.generation, before.heartbeat));
            assert!(now >= before, "{} of {name} went back: {now:?} < {before:?}", self.address);
        }
        self.seen.clone_from(&view);
        view
    }

    fn shows(&mut self, name: &str, text: &str) -> bool {
        self.knows()[name].board.iter().any(|notice| notice == text)
    }
}

/// Visits a node until all that it has of the three is here as well.
fn look(address: SocketAddr) -> View {
    let (started, mut proofs) = (Instant::now(), Proofs::new(None).unwrap());
    let mut visitor = Replica::new("looks".into(), life(), None, vec![], Settings::default());
    visitor.leave(Duration::ZERO, 0);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(address).unwrap();
    // A datagram may be lost, here as well.
    socket.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let mut buf = [0; 2048];
    // The last line of each, and what is to be sent.
    let (mut told, mut next) = (BTreeMap::new(), None);
    while started.elapsed() < GENEROUS {
        let body = next.take().or_else(|| {
            visitor.tick(started.elapsed(), 0);
            visitor.ask(started.elapsed())
        });
        socket.send(&proofs.close(address, &body.unwrap())).unwrap();
        let Ok(n) = socket.recv(&mut buf) else { continue };
        match proofs.open(address, &buf[..n]) {
            Opened::Body(body) => {
                next = visitor.receive(address, &body, started.elapsed());
                for line in &body.lines {
                    told.insert(line.name.clone(), (line.generation, line.last));
                }
                let is_here = |name: &&str| {
                    let here = visitor.members().get(*name).map(|it| (it.generation, it.last));
                    here.is_some() && told.get(*name).copied() == here
                };
                if NAMES.iter().all(is_here) {
                    let known =
                        visitor.members().iter().filter(|(name, _)| NAMES.contains(&&***name));
                    return known
                        .map(|(name, member)| {
                            let board =
                                member.notices().map(|(_, text)| text.to_string()).collect();
                            let (generation, heartbeat) = (member.generation, member.heartbeat);
                            (name.to_string(), Known { generation, heartbeat, board })
                        })
                        .collect();
                }
            }
            Opened::Challenge(token) => drop(socket.send(&token).unwrap()),
            Opened::Admitted => {}
            Opened::Refused(why) => panic!("{address} refuses: {why}"),
        }
    }
    panic!("{address} does not tell of all three")
}

#[track_caller]
fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < GENEROUS, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn whoever_is_killed_what_another_has_shown_stays_and_no_generation_goes_back() {
    let (rounds, seed) = (number("ROUNDS", ROUNDS), number("SEED", 1));
    println!("{rounds} rounds, SEED={seed}");
    let mut chance = Random(seed);
    let first = Node::start(NAMES[0], None);
    let seed = Some(first.address);
    let others = NAMES[1..].iter().map(|name| Node::start(name, seed));
    let mut nodes: Vec<Node> = [first].into_iter().chain(others).collect();
    let (mut acknowledged, mut cut_off) = (0, 0);
    for round in 0..rounds {
        let (author, victim) = (chance.below(3) as usize, chance.below(3) as usize);
        // One who lives on and has not written it itself.
        let witness = (0..3).find(|it| *it != author && *it != victim).unwrap();
        let text = format!("round {round}");
        nodes[author].says(&text);
        let is_heard = chance.below(2) == 0;
        match is_heard {
            true => until(&text, || nodes[witness].shows(NAMES[author], &text)),
            // In the middle of it.
            false => thread::sleep(Duration::from_millis(chance.below(60))),
        }
        let generation = nodes[victim].knows()[NAMES[victim]].generation;
        nodes[victim].child.kill().unwrap();
        nodes[victim].child.wait().unwrap();
        if is_heard {
            acknowledged += 1;
            for survivor in (0..3).filter(|it| *it != victim) {
                let what = format!("{text} of {} at {}", NAMES[author], NAMES[survivor]);
                until(&what, || nodes[survivor].shows(NAMES[author], &text));
            }
        } else {
            cut_off += 1;
        }
        nodes[victim] = Node::start(NAMES[victim], Some(nodes[witness].address));
        let new = format!("life {round}");
        nodes[victim].says(&new);
        until("all boards are the same, with what is new", || {
            let views = [0, 1, 2].map(|at| nodes[at].knows());
            let boards = views
                .each_ref()
                .map(|view| NAMES.map(|name| (view[name].generation, view[name].board.clone())));
            let kept = author == victim || boards[0][author].1.contains(&text);
            boards[0][victim].1 == [new.clone()] && kept && boards.iter().all(|it| *it == boards[0])
        });
        let now = nodes[witness].knows()[NAMES[victim]].generation;
        assert!(now > generation, "round {round}: {now} is no later life than {generation}");
    }
    println!("{acknowledged} acknowledged notices, none lost; {cut_off} more were cut off");
}
