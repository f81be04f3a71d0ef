//! Members of a room, where what one says all hear.

use std::io::{self, BufRead, BufReader, Error, ErrorKind, Write};

use netcore::log::is_plain;

use super::messages::refused;
use super::{LINES, crowded, fault};
use crate::Proof::{Answered, Dropped, Refused};
use crate::peer::{connect, connect_with_little_room};
use crate::reset::reset_on_close;
use crate::stream::{Stream, name};
use crate::{Fault, GENEROUS, Running, Target};

/// Bytes without an end of a line: more than any line may have.
const ENDLESS: usize = 1 << 20;

/// What a talker says: long, so that it fills buffers soon.
const LONG: usize = 900;

/// Lines that are said at most: more than a queue and the buffers of the system hold.
const MANY: usize = 20_000;

/// Members that leave at once, where so many are let in.
const CROWD: usize = 1_000;

/// Joins, and sends a line that does not end.
pub const LINE_WITHOUT_END: Fault = fault(
    "line-without-end",
    "a member that sends 1 MiB without the end of a line",
    LINES,
    Refused,
    line_without_end,
);

fn line_without_end(target: &Target) -> io::Result<Running> {
    refused(target, &[b"endless\n", &vec![b'x'; ENDLESS][..]].concat())
}

/// Says what a terminal takes for commands, to a member that looks at every character.
pub const ESCAPE_SEQUENCES: Fault = fault(
    "escape-sequences",
    "a member that says commands to the terminals of the others",
    LINES,
    Answered,
    escape_sequences,
);

fn escape_sequences(target: &Target) -> io::Result<Running> {
    let mut witness = Talker::join(target, "witness")?;
    let mut evil = Talker::join(target, "evil")?;
    // A name that is a command must not come in at all.
    let mut named = Talker::new(target)?;
    named.say("\u{1b}[31mred")?;
    // Whether it is let in or refused: when it has been told, so have the others. Of a server
    // that closes without a word, the end is the answer.
    let told = named.hear();
    if told.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
    {
        let why = "was told nothing when it came under a name that is a command";
        return Ok(witness.judged(target, Err(why.into())));
    }
    // Fails where it has been refused.
    let _ = named.say("hello");
    evil.say("\u{1b}[2J\u{1b}]0;title\u{7}\u{8}\r\u{9b}31m\u{202e}end")?;
    evil.say("over")?;
    let mut heard = String::new();
    while heard != "evil: over" {
        heard = witness.hear()?;
        if !heard.chars().all(is_plain) {
            let got = heard.escape_debug();
            return Ok(witness.judged(target, Err(format!("made another one hear \"{got}\""))));
        }
    }
    Ok(witness.judged(target, Ok("was heard as plain text".into())))
}

/// Joins and never reads, while another one talks to all.
pub const DEAF_MEMBER: Fault = fault(
    "deaf-member",
    "a member that does not read what another one says",
    LINES,
    Dropped,
    deaf_member,
);

fn deaf_member(target: &Target) -> io::Result<Running> {
    let mut talker = Talker::join(target, "talker")?;
    let mut deaf = connect_with_little_room(target)?;
    deaf.write_all(b"deaf\n")?;
    while talker.hear()? != "* deaf joined" {}
    // When the guard ends the deaf one, the talker is told that it has left.
    Running::playing(&target.address, vec![deaf], move |_| {
        let (text, mut said) = ("x".repeat(LONG), 0);
        talker.say(&text)?;
        loop {
            let heard = talker.hear()?;
            if heard.starts_with("* deaf left") {
                return Ok(());
            }
            if heard.starts_with("talker: ") && said < MANY {
                talker.say(&text)?;
                said += 1;
            }
        }
    })
}

/// Joins many times, and closes all at once. One that stays counts who left.
pub const LEAVE_AT_ONCE: Fault = crowded(
    fault(
        "leave-at-once",
        "a crowd of members, 1,000 where so many are let in, that leave at once",
        LINES,
        Answered,
        leave_at_once,
    ),
    CROWD,
);

fn leave_at_once(target: &Target) -> io::Result<Running> {
    let mut witness = Talker::join(target, "witness")?;
    let (mut crowd, mut joined) = (Vec::new(), 0);
    for number in 0..CROWD {
        let mut stream = BufReader::new(connect(target)?);
        stream.get_ref().set_read_timeout(Some(GENEROUS))?;
        stream.get_mut().write_all(format!("member{number}\n").as_bytes())?;
        let mut first = String::new();
        stream.read_line(&mut first)?;
        if !first.contains(" joined") {
            // The room is full.
            break;
        }
        crowd.push(stream.into_inner());
        while witness.hear()? != first.trim_end() {}
        joined += 1;
    }
    // Half of them rudely.
    crowd.iter().step_by(2).try_for_each(reset_on_close)?;
    drop(crowd);
    let mut left = vec![0; joined];
    for _ in 0..joined {
        let heard = witness.hear()?;
        let number = heard.strip_prefix("* member").and_then(|rest| rest.split(' ').next());
        match number.and_then(|number| left.get_mut(number.parse::<usize>().ok()?)) {
            Some(times) if heard.contains(" left") => *times += 1,
            _ => return Ok(witness.judged(target, Err(format!("made another hear {heard:?}")))),
        }
    }
    witness.say("over")?;
    let verdict = match witness.hear()?.as_str() {
        "witness: over" if left.iter().all(|&times| times == 1) => {
            Ok(format!("left {joined} times, and each was told once"))
        }
        _ => Err("was told to have left more than once".into()),
    };
    Ok(witness.judged(target, verdict))
}

/// A member that says a line and hears lines, each within a generous deadline.
struct Talker {
    stream: Stream,
    /// What has been read beyond the last line.
    read: BufReader<Stream>,
}

impl Talker {
    fn new(target: &Target) -> io::Result<Talker> {
        let stream = connect(target)?;
        stream.set_read_timeout(Some(GENEROUS))?;
        stream.set_write_timeout(Some(GENEROUS))?;
        Ok(Talker { read: BufReader::new(stream.try_clone()?), stream })
    }

    fn join(target: &Target, name: &str) -> io::Result<Talker> {
        let mut talker = Talker::new(target)?;
        talker.say(name)?;
        match talker.hear()? {
            first if first == format!("* {name} joined") => Ok(talker),
            first => Err(Error::other(format!("{name} was told {first:?}"))),
        }
    }

    fn say(&mut self, text: &str) -> io::Result<()> {
        self.stream.write_all(format!("{text}\n").as_bytes())
    }

    fn hear(&mut self) -> io::Result<String> {
        let mut line = String::new();
        match self.read.read_line(&mut line)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(line.trim_end_matches('\n').to_string()),
        }
    }

    /// What it has seen of another one, which is over.
    fn judged(&self, target: &Target, verdict: Result<String, String>) -> Running {
        let peers = name(&self.stream).into_iter().collect();
        Running::judged(&target.address, peers, verdict)
    }
}
