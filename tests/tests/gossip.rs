//! A board without a server, of real nodes: what one has written all know, whichever of
//! them dies, stands still or is cut off.
//!
//! What hundreds of nodes do, and what chance does, is simulated in the tests of the crate.

#![cfg(unix)]

use std::io::Write;
use std::net::{SocketAddr, UdpSocket};
use std::process::{ChildStdin, Stdio};
use std::time::{Duration, Instant};

use ladder_tests::process::spawn;
use ladder_tests::{GENEROUS, Process, Rung, rungs_in};
use netfault::mesh::Mesh;
use rustix::process::Signal;

const NAMES: [&str; 5] = ["ann", "bob", "cid", "dora", "eve"];

/// Rounds and patience that do not make a test long.
const QUICK: [&str; 4] = ["--every", "50ms", "--away-after", "1500ms"];

/// A node, with a keyboard.
struct Node {
    name: &'static str,
    process: Process,
    keyboard: ChildStdin,
    address: SocketAddr,
    asked: u32,
}

impl Node {
    #[track_caller]
    fn start(rung: &Rung, name: &'static str, args: &[&str]) -> Node {
        Node::start_as(rung, name, &[&["--port", "0"], &QUICK[..], args].concat())
    }

    /// With nothing but these arguments and its name.
    #[track_caller]
    fn start_as(rung: &Rung, name: &'static str, args: &[&str]) -> Node {
        let mut command = rung.command(&[&["node", "--name", name], args].concat());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(&mut command).expect("it starts");
        let keyboard = child.stdin.take().expect("it has a keyboard");
        let process = Process::watch(name, child);
        let ready = process.expect_stdout(&["listening on "]);
        let address = ready.trim_start_matches("listening on ").parse().expect("an address");
        Node { name, process, keyboard, address, asked: 0 }
    }

    fn seed(&self) -> String {
        self.address.to_string()
    }

    fn types(&mut self, line: &str) {
        writeln!(self.keyboard, "{line}").expect("it reads what is typed");
    }

    /// What it answers to the person at its keyboard.
    #[track_caller]
    fn answers(&mut self, command: &str) -> String {
        self.types(command);
        self.asked += 1;
        let answers = |text: &str| -> Vec<String> {
            let is_answer = |line: &&str| line.starts_with("/board") || line.starts_with("/who");
            text.lines().filter(is_answer).map(String::from).collect()
        };
        let wanted = self.asked as usize;
        until(&format!("{} answers {command}", self.name), || {
            let text = self.process.stdout_so_far();
            // Whole lines only.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            answers(whole).get(wanted - 1).cloned()
        })
    }
}

/// Looks until there is something.
#[track_caller]
fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(started.elapsed() < GENEROUS, "not within {GENEROUS:?}: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// All boards show these notices and no others.
#[track_caller]
fn expect_boards<'a>(nodes: impl IntoIterator<Item = &'a mut Node>, notices: &[&str]) {
    let wanted = format!("/board: {}", notices.join(" | "));
    for node in nodes {
        let mut last = String::new();
        until(&format!("the board of {} is {wanted:?}", node.name), || {
            last = node.answers("/board");
            (last == wanted).then_some(())
        });
    }
}

#[track_caller]
fn expect_all_met(nodes: &mut [Node], names: &[&str]) {
    let wanted = format!("/who: {}", names.join(", "));
    for node in nodes {
        until(&wanted, || (node.answers("/who") == wanted).then_some(()));
    }
}

/// Five that know each other; all but the first were told of the one before them.
fn five(rung: &Rung, args: &[&str]) -> Vec<Node> {
    let mut nodes = vec![Node::start(rung, NAMES[0], args)];
    for name in &NAMES[1..] {
        let seed = nodes.last().expect("there is one").seed();
        nodes.push(Node::start(rung, name, &[&["--seed", &seed], args].concat()));
    }
    expect_all_met(&mut nodes, &NAMES);
    nodes
}

fn rung() -> &'static Rung {
    rungs_in("gossip")[0]
}

#[test]
fn whichever_is_killed_the_rest_go_on_and_one_that_comes_back_empty_catches_up() {
    let mut nodes = five(rung(), &[]);
    nodes[0].types("from the first");
    nodes[3].types("of a former life");
    expect_boards(&mut nodes, &["ann: from the first", "dora: of a former life"]);
    // The first of all, and one that has written.
    for dead in ["ann", "dora"] {
        let at = nodes.iter().position(|node| node.name == dead).expect("it is there");
        nodes.remove(at).process.signal(Signal::KILL);
        for node in &nodes {
            node.process.expect_stdout(&[&format!("* {dead} is away")]);
        }
    }
    nodes[2].types("of the last one");
    let both = ["ann: from the first", "dora: of a former life", "eve: of the last one"];
    expect_boards(&mut nodes, &both);
    let seed = nodes[1].seed();
    nodes.push(Node::start(rung(), "dora", &["--seed", &seed, "--say", "of a new life"]));
    let newer = ["ann: from the first", "dora: of a new life", "eve: of the last one"];
    expect_boards(&mut nodes, &newer);
    for node in &nodes[..3] {
        node.process.expect_stdout(&["* dora is back"]);
    }
}

#[test]
fn halves_that_were_cut_apart_and_both_wrote_are_equal_once_healed_also_with_losses() {
    let mesh = Mesh::new(5, 7).expect("there are sockets");
    let mut nodes = Vec::new();
    for (number, name) in NAMES.into_iter().enumerate() {
        let (known_as, seed) = (mesh.address(number).to_string(), mesh.address(0).to_string());
        nodes.push(Node::start(rung(), name, &["--advertise", &known_as, "--seed", &seed]));
        mesh.attach(number, nodes[number].address);
    }
    expect_all_met(&mut nodes, &NAMES);
    mesh.cut(2);
    let (left, right) = nodes.split_at_mut(2);
    left[0].process.expect_stdout(&["* eve is away"]);
    right[2].process.expect_stdout(&["* ann is away"]);
    left[0].types("on the left");
    right[2].types("on the right");
    expect_boards(left, &["ann: on the left"]);
    expect_boards(right, &["eve: on the right"]);
    mesh.lose(0.3);
    mesh.heal();
    expect_boards(&mut nodes, &["ann: on the left", "eve: on the right"]);
    nodes[0].process.expect_stdout(&["* eve is back"]);
    // As many more as there is room for, while a third is lost.
    for number in 0..8 {
        nodes[1].types(&format!("number {number}"));
    }
    let numbers: Vec<String> = (0..8).map(|number| format!("bob: number {number}")).collect();
    let mut all: Vec<&str> = vec!["ann: on the left"];
    all.extend(numbers.iter().map(String::as_str));
    all.push("eve: on the right");
    expect_boards(&mut nodes, &all);
}

/// Ten seconds, as a person halts a program; the patience is that of every node by default.
#[test]
fn one_that_stood_still_for_ten_seconds_is_away_and_then_back() {
    let usual = ["--port", "0"];
    let mut nodes = vec![Node::start_as(rung(), NAMES[0], &usual)];
    for name in &NAMES[1..] {
        let seed = nodes[0].seed();
        nodes.push(Node::start_as(rung(), name, &[&["--seed", &seed][..], &usual].concat()));
    }
    expect_all_met(&mut nodes, &NAMES);
    nodes[2].process.signal(Signal::STOP);
    let halted = Instant::now();
    for number in [0, 1, 3, 4] {
        nodes[number].process.expect_stdout(&["* cid is away"]);
    }
    nodes[4].types("meanwhile");
    // The pause is what is tested.
    std::thread::sleep(Duration::from_secs(10).saturating_sub(halted.elapsed()));
    nodes[2].process.signal(Signal::CONT);
    for number in [0, 1, 3, 4] {
        nodes[number].process.expect_stdout(&["* cid is back"]);
    }
    nodes[2].process.expect_stdout(&["eve: meanwhile"]);
    assert!(!nodes[2].process.stdout_so_far().contains("is away"), "it blames others");
}

#[test]
fn a_node_that_starts_before_its_seed_finds_it_when_it_comes() {
    let free = UdpSocket::bind("127.0.0.1:0").expect("a port is free");
    let port = free.local_addr().expect("it has an address").port().to_string();
    let mut early = Node::start(rung(), "early", &["--seed", &format!("127.0.0.1:{port}")]);
    early.types("is anybody there?");
    expect_boards([&mut early], &["early: is anybody there?"]);
    drop(free);
    let mut late = Node::start_as(rung(), "late", &["--port", &port]);
    expect_boards([&mut late, &mut early], &["early: is anybody there?"]);
}

#[test]
fn two_nodes_of_one_name_both_say_so() {
    let nodes = [Node::start(rung(), "ann", &[]), Node::start(rung(), "bob", &[])];
    let seeds = nodes.each_ref().map(Node::seed);
    let twin = Node::start(rung(), "ann", &["--seed", &seeds[1]]);
    let third = Node::start(rung(), "cid", &["--seed", &seeds[0], "--seed", &seeds[1]]);
    for node in [&nodes[0], &twin] {
        node.process.expect_stderr(&["has the same name as this node"]);
    }
    drop(third);
}

#[test]
fn who_does_not_have_the_secret_neither_hears_nor_writes_and_is_told_of() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    for (name, secret) in [("ours", "a secret of this board\n"), ("theirs", "another secret here")]
    {
        std::fs::write(path(name), secret).expect("a file can be written");
    }
    std::fs::write(path("short"), "short").expect("a file can be written");
    let ours = path("ours");
    let secret = ["--secret-file", ours.as_str()];
    let mut ann = Node::start(rung(), "ann", &secret);
    let seed = ann.seed();
    let mut bob = Node::start(rung(), "bob", &[&["--seed", &seed][..], &secret].concat());
    let theirs = path("theirs");
    let other = ["--seed", &seed, "--secret-file", &theirs, "--say", "let me in"];
    let mut eve = Node::start(rung(), "eve", &other);
    ann.types("among us");
    expect_boards([&mut ann, &mut bob], &["ann: among us"]);
    ann.process.expect_stderr(&["refused", "it has another secret"]);
    let port = ann.address.port().to_string();
    let client = |args: &[&str]| rung().run(&[&["client", "--port", &port], args].concat());
    client(&["--timeout", "1s", "hello"]).expect_code(1);
    client(&[&secret[..], &["hello"]].concat()).expect_code(0).expect_stdout("hello\n");
    let told = rung().run(&["node", "--secret-file", &path("short")]).expect_code(2).stderr;
    assert!(told.contains("16 characters"), "{told}");
    expect_boards([&mut eve], &["eve: let me in"]);
}

#[test]
fn a_node_that_is_stopped_says_goodbye_and_a_visitor_is_not_missed() {
    let mut nodes = five(rung(), &[]);
    let port = nodes[0].address.port().to_string();
    let visit = rung().run(&["client", "--port", &port, "--name", "zoe", "one", "two"]);
    visit.expect_code(0).expect_stdout("one\ntwo\n");
    nodes[1].types("still here");
    expect_boards(&mut nodes, &["bob: still here", "zoe: one", "zoe: two"]);
    let bob = nodes.remove(1);
    bob.process.signal(Signal::TERM);
    bob.process.wait().expect_code(0);
    for node in &mut nodes {
        node.process.expect_stdout(&["* bob left"]);
        let text = node.process.stdout_so_far();
        assert!(!text.contains("zoe is away") && !text.contains("bob is away"), "{text}");
    }
}

#[test]
fn ten_thousand_forged_nodes_leave_the_memory_of_a_node_flat() {
    use netfault::{Speaks, Target};
    let mut ann = Node::start(rung(), "ann", &["--max-nodes", "500"]);
    ann.types("true");
    let forged = netfault::find("forged-nodes").expect("there is such a fault");
    let play = || {
        let target = Target::new(ann.address, Speaks::Gossip, Speaks::Gossip.hello());
        drop(forged.start(&target).expect("the node answers"));
        ladder::process::Held::by(ann.process.id()).map(|held| held.kib)
    };
    let (first, third) = (play(), (play(), play()).1);
    if let (Some(first), Some(third)) = (first, third) {
        assert!(third < first + 2_048, "{first} KiB, and later {third} KiB");
    }
    let who = ann.answers("/who");
    assert_eq!(who.matches("forged-").count(), 499, "{who}");
    expect_boards([&mut ann], &["ann: true"]);
}

#[test]
fn what_somebody_writes_does_nothing_to_the_terminal_of_another() {
    let mut ann = Node::start(rung(), "ann", &[]);
    let bob = Node::start(rung(), "bob", &["--seed", &ann.seed()]);
    ann.types("\u{1b}[31mred\u{202e}");
    let line = bob.process.expect_stdout(&["ann: ", "red"]);
    assert_eq!(line, r"ann: \u{1b}[31mred\u{202e}");
    let told = rung().run(&["node", "--name", "\u{1b}[31m"]).expect_code(2).stderr;
    assert!(told.contains("a name is"), "{told}");
}

/// The pipe that it prints into is full, and nobody empties it.
#[test]
fn a_node_whose_screen_nobody_reads_goes_on() {
    let mut ann = Node::start(rung(), "ann", &[]);
    let (_unread, writer) = std::io::pipe().expect("there is a pipe");
    let seed = ann.seed();
    let args = ["node", "--port", "0", "--name", "deaf", "--seed", &seed];
    let mut command = rung().command(&[&args[..], &QUICK].concat());
    command.stdin(Stdio::null()).stdout(writer).stderr(Stdio::piped());
    let deaf = Process::watch("deaf", spawn(&mut command).expect("it starts"));
    drop(command);
    ann.process.expect_stdout(&["* deaf joined"]);
    // More than a pipe takes: 64 KiB.
    let long = "x".repeat(190);
    for number in 0..400 {
        ann.types(&format!("{long}{number:03}"));
        let last = format!("ann: {long}{number:03}");
        if number % 8 == 7 {
            until(&last, || ann.answers("/board").ends_with(&last[5..]).then_some(()));
        }
    }
    let who = ann.answers("/who");
    assert_eq!(who, "/who: ann, deaf");
    deaf.signal(Signal::TERM);
    deaf.wait().expect_code(0);
    ann.process.expect_stdout(&["* deaf left"]);
}
