//! What every room does in which all hear what one says: in one order, once each, and
//! without waiting for anybody who does not listen. Members are real programs where that
//! matters: they are killed, halted, and left with nobody who reads what they print.

use std::io::{BufRead, BufReader};
use std::net::{Shutdown, TcpListener};
use std::process::Stdio;
#[cfg(target_os = "linux")]
use std::time::Duration;
#[cfg(unix)]
use std::time::Instant;

#[cfg(unix)]
use ladder_tests::GENEROUS;
use ladder_tests::process::{allow_files, spawn};
use ladder_tests::{Peer, Process, Rung, Server, rungs_in};

/// A heartbeat that does not make a test long.
#[cfg(unix)]
const SHORT: &str = "1s";

/// Over every rung of the suite, with these arguments of its server.
fn over_every_room(args: &[&str], test: impl Fn(&'static Rung, &Server)) {
    for rung in rungs_in("chat") {
        println!("over {}", rung.name);
        test(rung, &Server::start(rung, args));
    }
}

/// A member that speaks the protocol byte by byte, as `nc` does.
struct Member {
    name: String,
    peer: Peer,
    read: BufReader<socket2::Socket>,
}

impl Member {
    #[track_caller]
    fn join(server: &Server, name: &str) -> Member {
        Member::of(server.connect(), name)
    }

    /// With next to no room for what it does not read.
    #[cfg(target_os = "linux")]
    #[track_caller]
    fn join_deaf(server: &Server, name: &str) -> Member {
        Member::of(Peer::connect_deaf(server.reachable()), name)
    }

    #[track_caller]
    fn of(mut peer: Peer, name: &str) -> Member {
        peer.send(format!("{name}\n").as_bytes());
        let read = BufReader::new(peer.stream().try_clone().expect("a stream can be cloned"));
        let mut member = Member { name: name.into(), peer, read };
        member.expect(&format!("* {name} joined"));
        member
    }

    fn say(&mut self, text: &str) {
        self.peer.send(format!("{text}\n").as_bytes());
    }

    /// Says it, and hears all up to it.
    #[track_caller]
    fn exchange(&mut self, text: &str) -> Vec<String> {
        self.say(text);
        let own = format!("{}: {text}", self.name);
        self.hear_until(|line| line == own)
    }

    #[track_caller]
    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.read.read_line(&mut line).expect("a line comes in time");
        line.strip_suffix('\n').expect("a whole line").to_string()
    }

    #[track_caller]
    fn expect(&mut self, line: &str) {
        assert_eq!(self.hear(), line);
    }

    /// All up to a line that is so.
    #[track_caller]
    fn hear_until(&mut self, is: impl Fn(&str) -> bool) -> Vec<String> {
        let mut heard = Vec::new();
        loop {
            heard.push(self.hear());
            if is(&heard[heard.len() - 1]) {
                return heard;
            }
        }
    }
}

/// The rung's own client with a keyboard on which nobody types.
fn client(server: &Server, rung: &'static Rung, name: &str) -> (Process, std::process::ChildStdin) {
    let port = server.port().to_string();
    let mut command = rung.command(&["client", "-v", "--port", &port, name]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = spawn(&mut command).expect("the client starts");
    let keyboard = child.stdin.take().expect("standard input is piped");
    let client = Process::watch(&rung.name, child);
    client.expect_stdout(&[&format!("* {name} joined")]);
    (client, keyboard)
}

fn told(heard: &[String], line: &str) -> usize {
    heard.iter().filter(|heard| heard.starts_with(line)).count()
}

/// Three talk, a line each in turn, and hear it: how long that took, the median.
#[cfg(target_os = "linux")]
fn median_of_turns(talkers: &mut [Member], turns: usize, text: &str) -> Duration {
    let mut times: Vec<Duration> = (0..turns)
        .map(|turn| {
            let talkers_count = talkers.len();
            let talker = &mut talkers[turn % talkers_count];
            let started = Instant::now();
            talker.exchange(text);
            started.elapsed()
        })
        .collect();
    times.sort_unstable();
    times[turns / 2]
}

#[cfg(target_os = "linux")]
fn resident_kib(process: u32) -> u64 {
    ladder::process::Held::by(process).expect("the process runs").kib
}

/// The others' latency and the memory of the server stay as they are.
#[cfg(target_os = "linux")]
#[test]
fn one_who_does_not_listen_costs_the_others_nothing_while_three_say_ten_thousand_lines() {
    /// Ten million bytes for the deaf one, which nobody may keep.
    const LINES: usize = 10_000;
    const LONG: usize = 1_000;
    /// For what an allocator does not give back. Kept, they would be ten times as many.
    const SPARE_KIB: u64 = 2 << 10;
    /// A server that waits for the deaf one is thousands of times as slow.
    const RATIO: u32 = 5;
    for slow in ["drop", "skip"] {
        over_every_room(&["--slow", slow, "--queue", "100"], |_, server| {
            let mut talkers: Vec<Member> =
                ["ann", "bob", "carl"].iter().map(|name| Member::join(server, name)).collect();
            let text = "x".repeat(LONG);
            let alone = median_of_turns(&mut talkers, LINES, &text);
            let before = resident_kib(server.id());
            let mut deaf = Member::join_deaf(server, "deaf");
            let beside = median_of_turns(&mut talkers, LINES, &text);
            let after = resident_kib(server.id());
            assert!(
                beside < alone * RATIO,
                "{slow}: {alone:?} without, {beside:?} with a deaf one"
            );
            assert!(after < before + SPARE_KIB, "{slow}: from {before} KiB to {after} KiB");
            let told = deaf.hear_until(|line| line.starts_with("! ") || line.contains("missed"));
            match slow {
                "drop" => assert_eq!(told.last().unwrap(), "! you are dropped: 100 lines behind"),
                _ => assert!(told.last().unwrap().starts_with("* you missed "), "{told:?}"),
            }
        });
    }
}

#[test]
fn a_thousand_that_leave_at_once_are_each_told_to_have_left_once() {
    const MANY: usize = 1_000;
    // Two descriptors for each in the server, which has ours, and one here.
    if allow_files(4_000) < 4_000 {
        println!("skipped: too few files may be open here");
        return;
    }
    over_every_room(&["--room-limit", "1100", "--max-clients", "1100"], |_, server| {
        let mut witness = Member::join(server, "witness");
        let crowd: Vec<Member> =
            (0..MANY).map(|n| Member::join(server, &format!("m{n}"))).collect();
        for (n, member) in crowd.into_iter().enumerate() {
            match n % 3 {
                0 => member.peer.reset(),
                1 => drop(member),
                _ => {
                    let mut peer = member.peer;
                    peer.stream().shutdown(Shutdown::Both).expect("it is open");
                }
            }
        }
        let mut heard = Vec::new();
        for _ in 0..2 * MANY {
            heard.push(witness.hear());
        }
        for n in 0..MANY {
            assert_eq!(told(&heard, &format!("* m{n} joined")), 1, "m{n}");
            let left = heard.iter().filter(|line| {
                line.strip_prefix(&format!("* m{n} left"))
                    .is_some_and(|why| !why.starts_with(char::is_numeric))
            });
            assert_eq!(left.count(), 1, "m{n}");
        }
        assert_eq!(witness.exchange("alone").len(), 1);
    });
}

#[cfg(unix)]
#[test]
fn a_halted_program_is_gone_after_the_heartbeats_and_a_healthy_idle_one_stays() {
    use rustix::process::Signal;

    over_every_room(&["--heartbeat", SHORT], |rung, server| {
        let mut ann = Member::join(server, "ann");
        let (healthy, keyboard) = client(server, rung, "healthy");
        let (halted, _keyboard) = client(server, rung, "halted");
        // It has said that it answers, and does.
        halted.expect_stderr(&["received", "/alive?"]);
        halted.signal(Signal::STOP);
        let heard = ann.hear_until(|line| line.starts_with("* halted left"));
        assert_eq!(heard.last().unwrap(), "* halted left: it does not answer");
        // Ann and the healthy one have been silent for longer than that, and are there.
        ann.exchange("still here");
        healthy.expect_stdout(&["ann: still here"]);
        drop(keyboard);
        healthy.wait().expect_code(0);
        // When it goes on, it learns why it is not there any more.
        halted.signal(Signal::CONT);
        let finished = halted.wait().expect_code(1);
        assert!(finished.stderr.contains("it does not answer"), "{}", finished.stderr);
        let heard = ann.exchange("done");
        assert_eq!(told(&heard, "* healthy left"), 1, "{heard:?}");
        assert_eq!(told(&heard, "* halted"), 0, "told twice: {heard:?}");
    });
}

/// It never says that it answers, so nobody asks it. What it does not take gives it away.
#[cfg(unix)]
#[test]
fn a_halted_netcat_is_gone_when_it_takes_no_more() {
    use rustix::process::Signal;

    over_every_room(&["--heartbeat", SHORT, "--slow", "skip", "--queue", "10"], |_, server| {
        let port = server.port().to_string();
        let mut command = std::process::Command::new("nc");
        command.args(["127.0.0.1", &port]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let Ok(mut child) = spawn(&mut command) else {
            println!("skipped: there is no nc here");
            return;
        };
        let mut keyboard = child.stdin.take().expect("standard input is piped");
        let netcat = Process::watch("nc", child);
        std::io::Write::write_all(&mut keyboard, b"nick\n").expect("nc reads");
        netcat.expect_stdout(&["* nick joined"]);
        let mut ann = Member::join(server, "ann");
        netcat.expect_stdout(&["* ann joined"]);
        netcat.signal(Signal::STOP);
        let started = Instant::now();
        let text = "x".repeat(1_000);
        // What its system takes for it may be megabytes.
        loop {
            let heard = ann.exchange(&text);
            if told(&heard, "* nick left") > 0 {
                assert_eq!(told(&heard, "* nick left: it does not listen"), 1, "{heard:?}");
                break;
            }
            assert!(started.elapsed() < GENEROUS, "nick is still there");
        }
        netcat.signal(Signal::CONT);
    });
}

#[cfg(unix)]
#[test]
fn a_killed_program_has_left_once() {
    use rustix::process::Signal;

    over_every_room(&[], |rung, server| {
        let mut ann = Member::join(server, "ann");
        let (killed, _keyboard) = client(server, rung, "killed");
        killed.signal(Signal::KILL);
        let heard = ann.hear_until(|line| line.starts_with("* killed left"));
        assert_eq!(told(&heard, "* killed joined"), 1, "{heard:?}");
        assert_eq!(ann.exchange("done").len(), 1);
        client(server, rung, "killed");
    });
}

#[cfg(unix)]
#[test]
fn a_stop_tells_the_room_and_every_client_ends_well() {
    for rung in rungs_in("chat") {
        let server = Server::start(rung, &[]);
        let (first, _keyboard) = client(&server, rung, "first");
        let (second, _other_keyboard) = client(&server, rung, "second");
        first.expect_stdout(&["* second joined"]);
        server.stop().expect_code(0);
        first
            .wait()
            .expect_code(0)
            .expect_stdout("* first joined\n* second joined\n* the server stops\n");
        second.wait().expect_code(0).expect_stdout("* second joined\n* the server stops\n");
    }
}

#[cfg(unix)]
#[test]
fn a_server_that_ends_without_a_goodbye_is_told_from_one_that_stops() {
    use rustix::process::Signal;

    over_every_room(&[], |rung, server| {
        let (client, _keyboard) = client(server, rung, "ann");
        server.signal(Signal::KILL);
        let finished = client.wait().expect_code(1);
        assert!(finished.stderr.contains("error: cannot "), "{}", finished.stderr);
    });
}

#[test]
fn what_is_typed_is_said_at_once_and_the_end_of_the_input_is_a_goodbye() {
    over_every_room(&[], |rung, server| {
        let (client, mut keyboard) = client(server, rung, "ann");
        let mut bob = Member::join(server, "bob");
        client.expect_stdout(&["* bob joined"]);
        std::io::Write::write_all(&mut keyboard, b"first\r\n").expect("the client reads");
        bob.expect("ann: first");
        bob.exchange("second");
        client.expect_stdout(&["bob: second"]);
        std::io::Write::write_all(&mut keyboard, "третья, no end".as_bytes())
            .expect("the client reads");
        drop(keyboard);
        client.wait().expect_code(0).expect_stdout(
            "* ann joined\n* bob joined\nann: first\nbob: second\nann: третья, no end\n* ann left\n",
        );
        bob.expect("ann: третья, no end");
        bob.expect("* ann left");
    });
}

#[test]
fn a_name_that_is_refused_ends_the_client_with_the_reason_and_says_nothing() {
    over_every_room(&[], |_, server| {
        let mut ann = Member::join(server, "ann");
        for (name, why) in
            [("ann", "somebody else has this name"), ("", "a name is 1 to 32 letters")]
        {
            let finished = server.client(&[name, "a secret"]).expect_code(1);
            assert!(finished.stderr.contains(why), "{}", finished.stderr);
        }
        // Dropped later, it ends in the same way.
        let too_long = "x".repeat(2000);
        let finished = server.client(&["bob", &too_long]).expect_code(1);
        assert!(finished.stderr.contains("a line is over the limit"), "{}", finished.stderr);
        ann.hear_until(|line| line == "* bob left: a line is over the limit of 1024 bytes");
        assert_eq!(ann.exchange("alone").len(), 1);
    });
}

/// `client ann | head -1`
#[test]
fn a_client_whose_output_nobody_reads_any_more_ends_in_peace() {
    for rung in rungs_in("chat") {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port().to_string();
        let mut command = rung.command(&["client", "--port", &port, "ann", "hello"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(&mut command).expect("the client starts");
        drop(child.stdout.take());
        let client = Process::watch(&rung.name, child);
        let mut server = Peer::accept(&listener);
        server.expect_bytes(b"ann\n");
        server.send(b"* ann joined\n");
        assert_eq!(client.wait().expect_code(0).stderr, "", "{}", rung.name);
    }
}

#[test]
fn what_a_server_sends_is_no_command_to_the_terminal_of_its_client() {
    for rung in rungs_in("chat") {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port().to_string();
        let client = rung.start(&["client", "--port", &port, "ann", "hello"]);
        let mut server = Peer::accept(&listener);
        server.expect_bytes(b"ann\n");
        server.send(b"* ann joined\n\x1b[2J\xff\x07\n* ann left\n");
        server.half_close();
        client
            .wait()
            .expect_code(0)
            .expect_stdout("* ann joined\n\\u{1b}[2J\u{fffd}\\u{7}\n* ann left\n");
    }
}

/// It has said all, and the server does not know so yet.
#[test]
fn a_client_that_is_asked_after_its_last_word_ends_as_it_is_told() {
    let ends = [
        ("* ann left", 0, ""),
        ("! you are dropped: why not", 1, "error: cannot stay in the room: you are dropped"),
    ];
    for rung in rungs_in("chat") {
        for (last, code, told) in ends {
            let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
            let port = listener.local_addr().expect("it has an address").port().to_string();
            let client = rung.start(&["client", "--port", &port, "ann", "hello"]);
            let mut server = Peer::accept(&listener);
            server.expect_bytes(b"ann\n/alive\nhello\n");
            server.expect_end_of_stream();
            server.send(format!("* ann joined\n/alive?\n{last}\n").as_bytes());
            server.half_close();
            let finished = client.wait().expect_code(code);
            assert!(finished.stderr.contains(told), "{}", finished.stderr);
        }
    }
}

#[test]
fn lines_without_an_end_do_not_fill_the_memory_of_either_end() {
    over_every_room(&[], |rung, server| {
        let mut ann = Member::join(server, "ann");
        while ann.peer.try_send(&[b'x'; 64 << 10]) {}
        server.expect_log(&["dropped: a line is over the limit of 1024 bytes"]);
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it has an address").port().to_string();
        let client = rung.start(&["client", "--port", &port, "ann", "hello"]);
        let mut endless = Peer::accept(&listener);
        while endless.try_send(&[b'x'; 64 << 10]) {}
        let finished = client.wait().expect_code(1);
        assert!(finished.stderr.contains("a line is over the limit"), "{}", finished.stderr);
    });
}
