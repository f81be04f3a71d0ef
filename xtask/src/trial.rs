//! A fault let loose on a rung's real server, and what becomes of an ordinary client.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use netfault::{Fault, Proof, Target};

use crate::Failure;
use crate::ladder::{ClientRun, Rung};
use crate::log_line::{Event, LogLine, Time};
use crate::screen::NO_BREAK;
use crate::stage::{PlayerId, Stage, Visit};
use crate::timeline::Side;

/// How long an ordinary client is watched where it is expected to wait in vain.
const VAIN: Duration = Duration::from_secs(2);

/// How long an ordinary client is given where it is expected to be served: enough for any limit that a demo sets, on
/// any machine. What it really took is told.
const GENEROUS: Duration = Duration::from_secs(20);

/// What is called "at once".
const AT_ONCE: Duration = Duration::from_millis(100);

/// What should come of a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// The server lives with it.
    Survives,
    /// The server does not, or not for this client.
    Fails,
}

/// What came of it.
pub struct Outcome {
    /// Whether the server survived.
    pub survived: bool,
    /// What was seen, in a sentence without a full stop.
    pub story: String,
}

/// Starts the server of `rung` with `args`, lets `fault` loose on it and sees what becomes of an ordinary client.
pub fn play(
    rung: &Rung,
    program: &Path,
    args: &[String],
    fault: &Fault,
    expected: Expected,
) -> Result<Outcome, Failure> {
    let mut stage = Stage::new();
    let (server, address) = stage.start_server(program, &rung.folder, args)?;
    let target = Target { address, transport: rung.transport(), hello: rung.about.hello.as_bytes() };
    let running = fault.start(&target).map_err(|error| {
        Failure::new(format!("the fault {} cannot begin with {}: {error}", fault.name, rung.name))
    })?;
    if let Proof::MessagesApart(_) | Proof::Refused = fault.proof {
        // The faulty peer has closed. When the server has logged that, it has logged all that was before.
        let peers = running.peers();
        stage.wait_for_log(|line| matches!(line.event(), Event::Left(peer, _) if peers.contains(&peer)));
        let log: Vec<&LogLine> = stage.logged(Side::Server).collect();
        return Ok(match fault.proof {
            Proof::MessagesApart(count) => apart(&log, peers, count),
            _ => refused(&log, peers),
        });
    }
    let Some(run) = rung.about.demo.first() else {
        return Err(Failure::new(format!("{} has no demo, so no ordinary client", rung.name)));
    };
    if rung.serves_once() && !running.lasts() {
        // Its one client has been: what an ordinary client meets must not depend on how fast the server ends.
        stage.wait_for_end(server);
    }
    let patience = match expected {
        Expected::Survives => GENEROUS,
        Expected::Fails => VAIN,
    };
    let visit = stage.run_client(program, running.address(), &run.args, patience)?;
    if !is_served(&visit, run) {
        return Ok(not_served(&stage, server, &visit));
    }
    let served_at = Time::now();
    // Once the server has ended, all that it logged has been read. What it logs of its end is not of interest.
    stage.ask_to_stop(server);
    stage.wait_for_end(server);
    let log: Vec<&LogLine> =
        stage.logged(Side::Server).filter(|line| line.at.since(served_at).is_zero()).collect();
    Ok(match fault.proof {
        Proof::ClientServedOnce => served_once(&log, &visit, run.expect.len(), running.peers()),
        _ => served(&log, &visit, running.peers()),
    })
}

/// Whether the client ended well and printed what it should.
fn is_served(visit: &Visit, run: &ClientRun) -> bool {
    visit.code == Some(0) && visit.printed == run.expect
}

fn not_served(stage: &Stage, server: PlayerId, visit: &Visit) -> Outcome {
    let mut story = match (&visit.complaint, visit.waiting) {
        (_, true) => format!("an ordinary client waited {} and was not served", seconds(visit.took)),
        (Some(complaint), false) => {
            let complaint = complaint.strip_prefix("error: ").unwrap_or(complaint);
            format!("an ordinary client was not served: {complaint}")
        }
        (None, false) => format!("an ordinary client got the wrong reply: {:?}", visit.printed),
    };
    if stage.is_over(server) {
        story.push_str("; the server had ended");
    }
    Outcome { survived: false, story }
}

fn served(log: &[&LogLine], visit: &Visit, faulty: &[SocketAddr]) -> Outcome {
    let said = match dropped(log, faulty) {
        Some(said) => format!("; the server said of the other one: {said}"),
        None => String::new(),
    };
    Outcome { survived: true, story: format!("an ordinary client was served {}{said}", after(visit.took)) }
}

fn served_once(log: &[&LogLine], visit: &Visit, messages: usize, relay: &[SocketAddr]) -> Outcome {
    let received = received(log, relay).len();
    let times = match received {
        1 => "once".to_string(),
        2 => "twice".to_string(),
        _ => format!("{received} times"),
    };
    let sent = match messages {
        1 => "its one message".to_string(),
        _ => format!("its {messages} messages"),
    };
    let survived = received == messages;
    let but = if survived { "and" } else { "but" };
    let after = after(visit.took);
    let story = format!("an ordinary client was served {after}, {but} the server received {sent} {times}");
    Outcome { survived, story }
}

fn apart(log: &[&LogLine], peers: &[SocketAddr], count: usize) -> Outcome {
    let received = received(log, peers);
    let number = match received.len() {
        1 => "one".to_string(),
        2 => "two".to_string(),
        other => other.to_string(),
    };
    let story = format!("the two were received as {number}: {}", received.join(", then "));
    Outcome { survived: received.len() == count, story }
}

fn refused(log: &[&LogLine], peers: &[SocketAddr]) -> Outcome {
    let refusal = log.iter().find_map(|line| match line.event() {
        Event::Refused(peer, rest) if peers.contains(&peer) => Some(rest),
        _ => None,
    });
    match refusal.or_else(|| dropped(log, peers)) {
        Some(refusal) => Outcome { survived: true, story: format!("it was not taken: {refusal}") },
        None => {
            let received = received(log, peers).join(", then ");
            let story = format!("it was taken for a message like any other: {received}");
            Outcome { survived: false, story }
        }
    }
}

/// What the server received from `peers`: `5 bytes "hello"`.
fn received<'a>(log: &[&'a LogLine], peers: &[SocketAddr]) -> Vec<&'a str> {
    let received = log.iter().filter_map(|line| match line.event() {
        Event::Received(peer, rest) if peers.contains(&peer) => Some(rest),
        _ => None,
    });
    received.map(|rest| rest.strip_prefix("received ").unwrap_or(rest)).collect()
}

/// What the server said when it got rid of one of `peers`.
fn dropped<'a>(log: &[&'a LogLine], peers: &[SocketAddr]) -> Option<&'a str> {
    log.iter().find_map(|line| match line.event() {
        Event::Left(peer, rest) if peers.contains(&peer) && rest.starts_with("dropped") => Some(rest),
        _ => None,
    })
}

fn after(took: Duration) -> String {
    if took <= AT_ONCE { "at once".into() } else { format!("after {}", seconds(took)) }
}

fn seconds(time: Duration) -> String {
    format!("{:.1}{NO_BREAK}s", time.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAULTY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 5);

    /// A log of these messages, all at once.
    fn log(messages: &[&str]) -> Vec<LogLine> {
        let line = |message| LogLine::parse(&format!("11:34:24.231000 info  {message}")).unwrap();
        messages.iter().map(line).collect()
    }

    fn visit(took: Duration) -> Visit {
        Visit { printed: vec!["hello".into()], code: Some(0), took, waiting: false, complaint: None }
    }

    #[test]
    fn a_client_that_is_served_may_hear_of_the_faulty_one() {
        let log = log(&["127.0.0.1:5 connected", "127.0.0.1:5 dropped: timed out", "127.0.0.1:6 connected"]);
        let outcome = served(&log.iter().collect::<Vec<_>>(), &visit(Duration::from_millis(520)), &[FAULTY]);
        let told = outcome.story.replace(NO_BREAK, " ");
        let wanted =
            "an ordinary client was served after 0.5 s; the server said of the other one: dropped: timed out";
        assert_eq!((outcome.survived, told.as_str()), (true, wanted));
        let outcome = served(&[], &visit(Duration::from_millis(3)), &[FAULTY]);
        assert_eq!(outcome.story, "an ordinary client was served at once");
    }

    #[test]
    fn work_that_was_asked_for_once_must_be_done_once() {
        let log = log(&[
            "127.0.0.1:5 received 5 bytes \"hello\"",
            "127.0.0.1:6 received 5 bytes \"other\"",
            "127.0.0.1:5 received 5 bytes \"hello\"",
        ]);
        let log: Vec<&LogLine> = log.iter().collect();
        let outcome = served_once(&log, &visit(AT_ONCE), 1, &[FAULTY]);
        let wanted = "an ordinary client was served at once, but the server received its one message twice";
        assert_eq!((outcome.survived, outcome.story.as_str()), (false, wanted));
        assert!(served_once(&log[..2], &visit(AT_ONCE), 1, &[FAULTY]).survived);
    }

    #[test]
    fn messages_that_arrive_together_are_told_apart_or_not() {
        let lump = log(&["127.0.0.1:5 received 10 bytes \"hellohello\""]);
        let outcome = apart(&lump.iter().collect::<Vec<_>>(), &[FAULTY], 2);
        let wanted = "the two were received as one: 10 bytes \"hellohello\"";
        assert_eq!((outcome.survived, outcome.story.as_str()), (false, wanted));
        let two = log(&["127.0.0.1:5 received 5 bytes \"a\"", "127.0.0.1:5 received 5 bytes \"b\""]);
        assert!(apart(&two.iter().collect::<Vec<_>>(), &[FAULTY], 2).survived);
    }

    #[test]
    fn what_is_refused_must_be_refused_in_words() {
        for said in ["refused: version 99", "dropped: not a value"] {
            let log = log(&["127.0.0.1:5 received 3 bytes \"cos\"", &format!("127.0.0.1:5 {said}")]);
            let outcome = refused(&log.iter().collect::<Vec<_>>(), &[FAULTY]);
            assert_eq!((outcome.survived, outcome.story), (true, format!("it was not taken: {said}")));
        }
        let log = log(&["127.0.0.1:5 received 3 bytes \"cos\"", "127.0.0.1:5 closed"]);
        assert!(!refused(&log.iter().collect::<Vec<_>>(), &[FAULTY]).survived);
    }
}
