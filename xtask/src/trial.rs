//! A fault let loose on a rung's real server, and what becomes of an ordinary client.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use netfault::{Fault, Proof, Running, Target};

use crate::Failure;
use crate::ladder::{ClientRun, Rung};
use crate::log_line::Event;
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
    match fault.proof {
        Proof::MessagesApart(count) => return Ok(apart(&mut stage, &running, count)),
        Proof::Refused => return Ok(refused(&mut stage, &running)),
        Proof::ClientServed | Proof::ClientServedOnce => {}
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
    let outcome = match fault.proof {
        Proof::ClientServedOnce => served_once(&mut stage, &visit, run, &running),
        _ => served(&stage, server, &visit, run, &running),
    };
    Ok(outcome)
}

/// Whether the client ended well and printed what it should.
fn is_served(visit: &Visit, run: &ClientRun) -> bool {
    visit.code == Some(0) && visit.printed == run.expect
}

fn served(stage: &Stage, server: PlayerId, visit: &Visit, run: &ClientRun, running: &Running) -> Outcome {
    let mut story = fate(visit, run);
    let survived = is_served(visit, run);
    if !survived && stage.is_over(server) {
        story.push_str("; the server had ended");
    }
    if let Some(said) = said_of(stage, running.peers()) {
        story.push_str(&format!("; the server said of the other one: {said}"));
    }
    Outcome { survived, story }
}

fn served_once(stage: &mut Stage, visit: &Visit, run: &ClientRun, running: &Running) -> Outcome {
    let mut story = fate(visit, run);
    if !is_served(visit, run) {
        return Outcome { survived: false, story };
    }
    let messages = run.expect.len();
    let received = received(stage, running.peers()).len();
    let survived = received == messages;
    let times = |count| match count {
        1 => "once".to_string(),
        2 => "twice".to_string(),
        _ => format!("{count} times"),
    };
    if survived {
        story.push_str(&format!("; the server received what it sent {}", times(received)));
    } else {
        let sent = match messages {
            1 => "its one message".to_string(),
            _ => format!("its {messages} messages"),
        };
        story.push_str(&format!(", but the server received {sent} {}", times(received)));
    }
    Outcome { survived, story }
}

fn apart(stage: &mut Stage, running: &Running, count: usize) -> Outcome {
    wait_for_leave(stage, running.peers());
    let received = received(stage, running.peers());
    let number = match received.len() {
        1 => "one".to_string(),
        2 => "two".to_string(),
        other => other.to_string(),
    };
    let story = format!("the two were received as {number}: {}", received.join(", then "));
    Outcome { survived: received.len() == count, story }
}

fn refused(stage: &mut Stage, running: &Running) -> Outcome {
    wait_for_leave(stage, running.peers());
    let refusal = stage.logged(Side::Server).find_map(|line| match line.event() {
        Event::Refused(peer, rest) if running.peers().contains(&peer) => Some(rest.to_string()),
        _ => None,
    });
    match refusal.or_else(|| said_of(stage, running.peers())) {
        Some(refusal) => Outcome { survived: true, story: format!("it was not taken: {refusal}") },
        None => Outcome {
            survived: false,
            story: format!(
                "it was taken for a message like any other: {}",
                received(stage, running.peers()).join(", then ")
            ),
        },
    }
}

/// Waits until the server has logged that the faulty peer, which has closed, is gone.
fn wait_for_leave(stage: &mut Stage, peers: &[SocketAddr]) {
    stage.wait_for_log(|line| matches!(line.event(), Event::Left(peer, _) if peers.contains(&peer)));
}

/// What became of an ordinary client.
fn fate(visit: &Visit, run: &ClientRun) -> String {
    let seconds = visit.took.as_secs_f64();
    if visit.waiting {
        return format!("an ordinary client waited {seconds:.1}{NO_BREAK}s and was not served");
    }
    if is_served(visit, run) {
        return match visit.took <= AT_ONCE {
            true => "an ordinary client was served at once".into(),
            false => format!("an ordinary client was served after {seconds:.1}{NO_BREAK}s"),
        };
    }
    match &visit.complaint {
        Some(complaint) => {
            let complaint = complaint.strip_prefix("error: ").unwrap_or(complaint);
            format!("an ordinary client was not served: {complaint}")
        }
        None => format!("an ordinary client got the wrong reply: {:?}", visit.printed),
    }
}

/// What the server received from `peers`, by its log: `5 bytes "hello"`.
fn received(stage: &Stage, peers: &[SocketAddr]) -> Vec<String> {
    stage
        .logged(Side::Server)
        .filter_map(|line| match line.event() {
            Event::Received(peer, rest) if peers.contains(&peer) => {
                Some(rest.strip_prefix("received ").unwrap_or(rest).to_string())
            }
            _ => None,
        })
        .collect()
}

/// What the server said when it got rid of a faulty peer.
fn said_of(stage: &Stage, peers: &[SocketAddr]) -> Option<String> {
    stage.logged(Side::Server).find_map(|line| match line.event() {
        Event::Left(peer, rest) if peers.contains(&peer) && rest.starts_with("dropped") => Some(rest.into()),
        _ => None,
    })
}
