//! What makes this server a chat: whoever makes another of it takes this file away.

use std::collections::HashSet;
use std::time::Duration;
use std::{iter, thread};

use running::{Guest, Running};

mod running;

/// A line that fills buffers soon.
fn long() -> String {
    "x".repeat(1000)
}

/// Says lines, and hears each before the next, until `done` says so of what is heard.
fn talk_until(talker: &mut Guest, text: &str, mut done: impl FnMut(&str) -> bool) -> Vec<String> {
    const MANY: usize = 100_000;
    let mut heard = Vec::new();
    for _ in 0..MANY {
        talker.say(text);
        loop {
            let line = talker.hear().expect("the talker stays");
            let (is_own, is_done) = (line == format!("{}: {text}", talker.name), done(&line));
            heard.push(line);
            if is_done {
                return heard;
            }
            if is_own {
                break;
            }
        }
    }
    panic!("{MANY} lines, and it has not come")
}

#[test]
fn what_one_says_all_hear_and_the_speaker_too() {
    let server = Running::start("");
    let mut ann = server.join("ann");
    let mut bob = server.join("bob");
    ann.expect("* bob joined");
    ann.say("hello, Привет, 世界 👋");
    for member in [&mut ann, &mut bob] {
        member.expect("ann: hello, Привет, 世界 👋");
    }
    bob.half_close();
    bob.expect("* bob left");
    bob.expect_end();
    ann.expect("* bob left");
}

#[test]
fn all_see_one_order() {
    const TALKERS: usize = 4;
    const LINES: usize = 500;
    let server = Running::start("");
    let names: Vec<String> = (0..TALKERS).map(|n| format!("talker{n}")).collect();
    let mut members: Vec<Guest> = names.iter().map(|name| server.join(name)).collect();
    // Each has heard all that came, from the last joining on.
    for (n, member) in members.iter_mut().enumerate() {
        names[n + 1..].iter().for_each(|name| member.expect(&format!("* {name} joined")));
    }
    let heard: Vec<Vec<String>> = thread::scope(|scope| {
        let threads = members.iter_mut().map(|member| {
            scope.spawn(move || {
                let mut heard = Vec::new();
                for n in 0..LINES {
                    member.say(&n.to_string());
                    // One line of the others for each of its own, so that none is far ahead.
                    heard.push(member.hear().unwrap());
                }
                heard.extend((LINES..TALKERS * LINES).map(|_| member.hear().unwrap()));
                heard
            })
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for other in &heard[1..] {
        assert!(*other == heard[0], "two members have heard two orders");
    }
    for name in &names {
        let of_one = heard[0].iter().filter(|line| line.starts_with(&format!("{name}: ")));
        let wanted: Vec<String> = (0..LINES).map(|n| format!("{name}: {n}")).collect();
        assert!(of_one.eq(&wanted), "the lines of {name} are in another order than it said them");
    }
}

#[test]
fn a_member_that_does_not_listen_is_dropped_and_told_why_and_so_are_the_others() {
    let server = Running::start("--queue 10");
    let mut deaf = server.join_deaf("deaf");
    let mut ann = server.join("ann");
    let heard = talk_until(&mut ann, &long(), |line| line.starts_with("* deaf left"));
    assert_eq!(heard.last().unwrap(), "* deaf left: 10 lines behind");
    // What it was sent before comes first, none missing; then why, and the end.
    let heard = deaf.hear_all();
    let (last, before) = heard.split_last().unwrap();
    assert_eq!(last, "! you are dropped: 10 lines behind");
    assert_eq!(before[0], "* ann joined");
    assert!(before[1..].iter().all(|line| *line == format!("ann: {}", long())));
    // Its name is free again.
    server.join("deaf");
}

#[test]
fn a_member_that_does_not_listen_can_miss_lines_instead_and_is_told_how_many() {
    const SAID: usize = 1000;
    let server = Running::start("--queue 10 --slow skip");
    let mut deaf = server.join_deaf("deaf");
    let mut ann = server.join("ann");
    for n in 0..SAID {
        ann.say(&format!("{n} {}", long()));
        ann.expect(&format!("ann: {n} {}", long()));
    }
    // It listens again: what it has missed is counted, where it is missing.
    deaf.expect("* ann joined");
    let mut next = 0;
    loop {
        let line = deaf.hear().unwrap();
        if let Some(number) = line.strip_prefix("* you missed ") {
            let number: usize = number.strip_suffix(" lines").unwrap().parse().unwrap();
            assert!(number > 1, "{line}");
            next += number;
            break;
        }
        assert!(line.starts_with(&format!("ann: {next} ")), "{next}: {line}");
        next += 1;
    }
    assert_eq!(next, SAID, "heard and missed are all that was said");
    ann.say("are you there?");
    deaf.expect("ann: are you there?");
    deaf.say("yes");
    ann.expect("ann: are you there?");
    ann.expect("deaf: yes");
}

#[test]
fn the_last_line_needs_no_end_and_cr_lf_is_an_end() {
    let server = Running::start("");
    let mut ann = server.join("ann");
    let mut bob = server.connect();
    bob.send(b"bob\r\nhello\r\n\r\n \nthe last");
    bob.half_close();
    for line in ["* bob joined", "bob: hello", "bob: the last", "* bob left"] {
        ann.expect(line);
        bob.expect(line);
    }
    bob.expect_end();
}

#[test]
fn who_leaves_hears_the_rest_however_slow_it_is() {
    const SAID: usize = 500;
    let server = Running::start("--idle 300ms");
    let mut slow = server.join_deaf("slow");
    let mut ann = server.join("ann");
    for _ in 0..SAID {
        ann.say(&long());
        ann.expect(&format!("ann: {}", long()));
    }
    slow.half_close();
    ann.expect("* slow left");
    // The time that passes is the matter: longer than a client may take to say its name.
    thread::sleep(Duration::from_secs(1));
    let heard = slow.hear_all();
    assert_eq!(heard.last().map(String::as_str), Some("* slow left"));
    assert_eq!(heard.len(), 1 + SAID + 1, "all of it");
}

#[test]
fn text_that_is_not_utf_8_is_told_to_its_speaker_and_heard_by_nobody() {
    let server = Running::start("");
    let mut ann = server.join("ann");
    let mut bob = server.join("bob");
    ann.expect("* bob joined");
    bob.send(b"caf\xe9\nbetter\n");
    bob.expect("! that was not UTF-8, and nobody has heard it");
    bob.expect("bob: better");
    ann.expect("bob: better");
}

#[test]
fn no_command_to_a_terminal_reaches_anybody() {
    let server = Running::start("");
    let mut ann = server.join("ann");
    let mut evil = server.join("evil");
    ann.expect("* evil joined");
    // Clear the screen, set the title, ring, go back, a C1 control, and text from right to left.
    evil.say("\u{1b}[2J\u{1b}]0;title\u{7} \u{8}\r\u{9b}31m \u{202e}txt.exe");
    ann.expect(r"evil: \u{1b}[2J\u{1b}]0;title\u{7} \u{8}\r\u{9b}31m \u{202e}txt.exe");
    for name in ["\u{1b}[31mred", "two words", "* ann", "a\u{202e}b", "a:", "\u{200b}"] {
        let mut guest = server.connect();
        guest.say(name);
        guest.expect("! a name is 1 to 32 letters, digits and any of - _ .");
        guest.expect_end();
    }
    evil.say("done");
    ann.expect("evil: done");
}

#[test]
fn a_name_that_is_taken_empty_or_too_long_is_refused_and_what_follows_is_no_name() {
    let server = Running::start("");
    let mut ann = server.join("ann");
    let no_name = "! a name is 1 to 32 letters, digits and any of - _ .";
    let too_long = "я".repeat(33);
    // With a letter behind it that nobody sees.
    let twin = "ann\u{3164}";
    let taken = ("ann", "! somebody else has this name");
    for (name, refusal) in [taken, ("", no_name), (&too_long, no_name), (twin, no_name)] {
        let mut guest = server.connect();
        guest.send(format!("{name}\nhello\n").as_bytes());
        guest.expect(refusal);
        guest.expect_end();
    }
    let longest = "я".repeat(32);
    server.join(&longest);
    ann.expect(&format!("* {longest} joined"));
}

#[test]
fn a_room_that_is_full_says_so_until_somebody_leaves() {
    let server = Running::start("--room-limit 2");
    let mut ann = server.join("ann");
    let bob = server.join("bob");
    ann.expect("* bob joined");
    let mut carl = server.connect();
    carl.say("carl");
    carl.expect("! the room is full, with 2 members");
    carl.expect_end();
    drop(bob);
    ann.expect("* bob left");
    server.join("carl");
}

#[test]
fn joined_and_left_are_heard_once_each_whatever_the_end() {
    let server = Running::start("");
    let mut ann = server.join("ann");
    let mut polite = server.join("polite");
    polite.half_close();
    polite.expect("* polite left");
    drop(polite);
    server.join("rude").reset();
    drop(server.join("gone"));
    server.join("cut").send(b"half a li");
    ann.say("done");
    let (mut heard, mut left) = (Vec::new(), HashSet::new());
    // The server may learn of an end when it has heard what was said after it.
    while left.len() < 4 || !heard.contains(&"ann: done".to_string()) {
        let line = ann.hear().unwrap();
        if line.contains(" left") {
            left.insert(line.clone());
        }
        heard.push(line);
    }
    for name in ["polite", "rude", "gone", "cut"] {
        for what in ["joined", "left"] {
            let told = heard.iter().filter(|line| line.starts_with(&format!("* {name} {what}")));
            assert_eq!(told.count(), 1, "{name} {what}: {heard:?}");
        }
    }
    ann.say("all");
    ann.expect("ann: all");
}

#[test]
fn a_program_that_answers_stays_and_one_that_does_not_is_gone() {
    let server = Running::start("--heartbeat 400ms");
    let mut ann = server.join("ann");
    let mut stopped = server.join("stopped");
    ann.expect("* stopped joined");
    ann.say("/alive");
    stopped.say("/alive");
    let mut asked = 0;
    loop {
        let line = ann.hear().unwrap();
        if line == "/alive?" {
            ann.say("/alive");
            asked += 1;
        } else {
            assert_eq!(line, "* stopped left: it does not answer");
            break;
        }
    }
    // Many times as long as it takes to be gone.
    while asked < 10 {
        ann.expect("/alive?");
        ann.say("/alive");
        asked += 1;
    }
    let heard = stopped.hear_all();
    assert_eq!(heard, ["/alive?", "! you are dropped: it does not answer"]);
}

#[test]
fn one_that_takes_nothing_is_gone_although_it_may_miss_lines() {
    let server = Running::start("--queue 10 --slow skip --heartbeat 400ms");
    let deaf = server.join_deaf("deaf");
    let mut ann = server.join("ann");
    let (own, mut others) = (format!("ann: {}", long()), Vec::new());
    for _ in 0..1000 {
        ann.say(&long());
        // On a slow machine it is gone before the last of them.
        others.extend(iter::from_fn(|| ann.hear().filter(|line| *line != own)));
    }
    if others.is_empty() {
        others.extend(ann.hear());
    }
    // The system may see it first: it ends a connection on which nothing moves.
    let [left] = &others[..] else { panic!("{others:?}") };
    assert!(left.starts_with("* deaf left: "), "{left}");
    drop(deaf);
}
