//! What stays true in every copy, whatever `reply` does: a stop, deadlines, clients that
//! hang up and floods.
//!
//! A copy changes what stands at the top at most: to a line that its members hear, always
//! in the same way.

use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use running::{GENEROUS, Guest, Running, service};

mod running;

/// What an ordinary member says.
fn question() -> &'static str {
    "what is it?"
}

/// What all hear of it.
fn answer(name: &str) -> String {
    service("").reply(name, question()).unwrap()
}

/// Members that hang about while another one is served.
const CROWD: usize = 20;

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine; and how it is written.
const SHORT: Duration = Duration::from_millis(300);
const IDLE: &str = "--idle 300ms";

#[track_caller]
fn ask(member: &mut Guest) {
    member.say(question());
    let answer = answer(&member.name);
    while member.hear().expect("an answer") != answer {}
}

/// The promise after every fault: an ordinary client is served.
#[track_caller]
fn assert_serves(server: &Running) {
    let mut next = server.join("next");
    ask(&mut next);
    next.half_close();
    while next.hear().is_some() {}
}

#[test]
fn many_members_are_served_while_others_are_silent_or_in_the_middle_of_a_line() {
    let server = Running::start("");
    let mut silent: Vec<Guest> = (0..CROWD).map(|n| server.join(&format!("silent{n}"))).collect();
    silent.iter_mut().for_each(|guest| guest.send(b"half a line"));
    let nameless: Vec<Guest> = (0..CROWD).map(|_| server.connect()).collect();
    thread::scope(|scope| {
        for n in 0..CROWD {
            let server = &server;
            scope.spawn(move || ask(&mut server.join_and_hear(&format!("busy{n}"))));
        }
    });
    drop(nameless);
}

impl Running {
    /// As `join`, where others come at the same time.
    fn join_and_hear(&self, name: &str) -> Guest {
        let mut guest = self.connect();
        guest.name = name.into();
        guest.say(name);
        guest
    }
}

#[test]
fn a_client_beyond_the_bound_is_served_when_another_one_leaves() {
    let server = Running::start("--max-clients 1");
    let mut first = server.join("first");
    ask(&mut first);
    let mut second = server.connect();
    second.say("second");
    drop(first);
    second.expect("* second joined");
}

#[test]
fn a_line_that_is_split_at_any_byte_is_one_line() {
    let server = Running::start("");
    let mut member = server.join("ann");
    let line = format!("{}\n", question());
    for split in 0..=line.len() {
        // One write, so once the first line is heard the server has this part of the second.
        member.send(format!("{line}{}", &line[..split]).as_bytes());
        member.expect(&answer("ann"));
        if split < line.len() {
            member.send(&line.as_bytes()[split..]);
        }
        member.expect(&answer("ann"));
    }
}

#[test]
fn lines_that_arrive_together_are_heard_one_by_one_and_then_the_stream_ends() {
    let server = Running::start("");
    let mut member = server.join("ann");
    member.send(format!("{}\n", question()).repeat(5).as_bytes());
    member.half_close();
    (0..5).for_each(|_| member.expect(&answer("ann")));
    member.expect("* ann left");
    member.expect_end();
}

#[test]
fn a_member_that_hangs_up_midway_does_not_stop_the_server() {
    let server = Running::start("");
    let mut rude = server.join("rude");
    rude.send(b"half");
    rude.reset();
    assert_serves(&server);
}

#[test]
fn a_crowd_that_leaves_at_once_does_not_stop_the_server() {
    let server = Running::start("");
    let crowd: Vec<Guest> = (0..CROWD).map(|n| server.join(&format!("guest{n}"))).collect();
    crowd.into_iter().for_each(Guest::reset);
    assert_serves(&server);
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_client() {
    Running::start("").stop().unwrap();
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_name() {
    let server = Running::start("");
    let mut silent = server.connect();
    assert_serves(&server);
    let address = server.address;
    let stopping = thread::spawn(|| server.stop());
    silent.expect_end();
    drop(silent);
    stopping.join().unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_stop_tells_every_member_and_then_ends_the_stream() {
    let server = Running::start("");
    let mut members: Vec<Guest> = (0..CROWD).map(|n| server.join(&format!("guest{n}"))).collect();
    // Also one that is in the middle of a line.
    members[0].send(b"half a line");
    let stopping = thread::spawn(|| server.stop());
    for member in &mut members {
        let heard = member.hear_all();
        assert_eq!(heard.last().map(String::as_str), Some("* the server stops"), "{heard:?}");
        assert_eq!(heard.iter().filter(|line| line.contains("stops")).count(), 1, "{heard:?}");
        assert!(!heard.iter().any(|line| line.contains("left")), "{heard:?}");
    }
    drop(members);
    stopping.join().unwrap().unwrap();
}

#[test]
fn what_has_arrived_before_a_stop_is_heard() {
    const LINES: usize = 200;
    let server = Running::start("");
    let mut member = server.join("ann");
    member.send(format!("{}\n", question()).repeat(LINES).as_bytes());
    let stopping = thread::spawn(|| server.stop());
    // Loopback: what was written has arrived.
    let heard = member.hear_all();
    assert_eq!(heard.iter().filter(|line| **line == answer("ann")).count(), LINES);
    drop(member);
    stopping.join().unwrap().unwrap();
}

#[test]
fn a_member_that_never_stops_talking_delays_a_stop_to_the_drain_limit_and_no_longer() {
    let server = Running::start("--drain 500ms");
    let mut talker = server.join("talker");
    ask(&mut talker);
    // It listens as well, or it would be dropped for that.
    let mut ear = talker.again();
    let listening = thread::spawn(move || ear.hear_all());
    let started = Instant::now();
    let stopping = thread::spawn(|| server.stop());
    let line = format!("{}\n", question());
    while talker.try_send(line.as_bytes()).is_ok() {
        assert!(started.elapsed() < GENEROUS);
    }
    stopping.join().unwrap().unwrap();
    let heard = listening.join().unwrap();
    assert!(
        !heard.iter().any(|line| line.contains("lines behind")),
        "it was dropped for another reason"
    );
}

#[test]
fn a_client_without_a_name_is_dropped_and_others_are_served_meanwhile() {
    let server = Running::start(IDLE);
    let mut silent = server.connect();
    assert_serves(&server);
    silent.expect_end();
}

#[test]
fn a_client_that_drips_its_name_is_dropped_at_the_limit() {
    let server = Running::start(IDLE);
    let mut dripping = server.connect();
    let started = Instant::now();
    // The pause is the fault itself: a byte now and then. It ends when the server has
    // closed the connection.
    while dripping.try_send(b"x").is_ok() {
        assert!(started.elapsed() < GENEROUS);
        thread::sleep(SHORT / 10);
    }
    assert_serves(&server);
}

#[test]
fn a_member_may_be_silent_for_ever() {
    // The time that passes is the matter: long past every limit that there is.
    let server = Running::start(&format!("{IDLE} --heartbeat 100ms"));
    let mut silent = server.join("silent");
    thread::sleep(SHORT * 3);
    ask(&mut silent);
}

#[test]
fn a_line_without_an_end_is_refused_and_said_to_nobody() {
    let server = Running::start("");
    let mut other = server.join("other");
    let mut endless = server.join("endless");
    other.expect("* endless joined");
    let started = Instant::now();
    while endless.try_send(&[b'x'; 4096]).is_ok() {
        assert!(started.elapsed() < GENEROUS, "all of it was taken");
    }
    other.expect("* endless left: a line is over the limit of 1024 bytes");
    assert_serves(&server);
}

#[test]
fn a_member_that_never_reads_is_dropped() {
    let server = Running::start("");
    let mut deaf = server.join("deaf");
    let question = format!("{}\n", question()).repeat(100);
    let started = Instant::now();
    // What it says comes back to it and fills every buffer on the way.
    while deaf.try_send(question.as_bytes()).is_ok() {
        assert!(started.elapsed() < GENEROUS, "every line was taken");
    }
    assert_serves(&server);
}

#[test]
fn the_longest_limits_are_as_good_as_none() {
    let longest = format!("{}ms", u64::MAX);
    let server = Running::start(&format!("--idle {longest} --heartbeat {longest}"));
    assert_serves(&server);
}

#[test]
fn the_server_ends_when_nobody_comes_in_time() {
    let mut server = Running::start("--accept-timeout 300ms");
    server.wait().unwrap();
    assert!(TcpStream::connect(server.address).is_err());
}
