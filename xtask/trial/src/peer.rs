//! A peer misbehaves, and an ordinary client comes to the same server.

use std::time::Duration;

use ladder::log_line::{Event, LogLine, Time};
use ladder::manifests::ClientRun;
use ladder::{Failure, Rung, failure};
use netfault::{Fault, Proof, Running, Speaks};

use crate::faults::{Faults, start};
use crate::outcome::{
    Ended, Expected, GENEROUS, Outcome, after, badly, not_served, ordinary_client, own, seconds,
    usual_run,
};
use crate::stage::{Cast, PlayerId, Stage, Visit};
use crate::timeline::Side;

/// How long an ordinary client is watched where it is expected to wait in vain.
const VAIN: Duration = Duration::from_secs(2);

/// A fault that is let loose on a server.
struct Trial<'a> {
    stage: Stage,
    cast: Cast<'a>,
    server: PlayerId,
    fault: &'a Fault,
    running: Running,
}

/// As [`play`](crate::play), for a fault of a peer or the network.
pub fn play(cast: Cast, fault: &Fault, expected: Expected) -> Result<Outcome, Failure> {
    let rung = cast.rung;
    let (stage, server, address) = Stage::with_server(cast)?;
    let running = start(rung, fault, &address)?;
    let mut trial = Trial { stage, cast, server, fault, running };
    let mut served_at = None;
    let played = match fault.proof {
        Proof::ClientServed
        | Proof::ClientServedOnce
        | Proof::Dropped
        | Proof::Unread
        | Proof::Process(_) => {
            let usual = usual(cast, fault)?;
            trial.meanwhile(expected, &usual).map(|visit| {
                served_at = Some((Time::now(), visit, usual.expect.len()));
                String::new()
            })
        }
        Proof::Answered | Proof::Served | Proof::Told => judged(&trial.running),
        Proof::MessagesApart(_) if rung.speaks().is_http() => judged(&trial.running),
        Proof::ClientEnds(code) => trial.client_ends(code),
        Proof::MessagesApart(_) | Proof::Refused => trial.by_the_log(),
    };
    let mut outcome = Outcome::of(played)?;
    let Trial { mut stage, running, .. } = trial;
    let faulty = running.peers().to_vec();
    drop(running);
    let after = (!rung.serves_once()).then(|| ordinary_client(&mut stage, cast, &address));
    // Once the server has ended, all that it logged has been read.
    stage.ask_to_stop(server);
    stage.wait_for_end(server);
    if let Some((at, visit, messages)) = served_at {
        let whole: Vec<&LogLine> = stage.logged(Side::Server).collect();
        outcome = Outcome::of(match fault.proof {
            // The other client has been served since, so everything that the network had has been
            // received.
            Proof::ClientServedOnce => served_once(&whole, &visit, messages, &faulty),
            // When the server gets rid of the faulty client, the ordinary one may have been served
            // already.
            Proof::Dropped => served(&whole, &visit, &faulty),
            Proof::Unread => served(&[], &visit, &faulty)
                .map(|served| format!("{served}, and nobody on the way could read it")),
            // What it logs of its end, or of that of the fault, is not of interest.
            _ => {
                let log: Vec<&LogLine> =
                    whole.into_iter().filter(|line| line.at.since(at).is_zero()).collect();
                served(&log, &visit, &faulty)
            }
        })?;
    }
    match after.transpose() {
        Ok(served) => outcome.recovered = served.map(|_| true),
        Err(Ended::Badly(story)) => {
            let story = format!("{}; and when it was over, {story}", outcome.story);
            outcome = Outcome { survived: false, recovered: Some(false), story };
        }
        Err(Ended::Unplayed(failure)) => return Err(failure),
    }
    Ok(outcome)
}

/// Whether somebody on the way has read a reply.
fn is_read(running: &Running, usual: &ClientRun) -> bool {
    let overheard = running.overheard();
    let found =
        |words: &str| overheard.windows(words.len().max(1)).any(|at| at == words.as_bytes());
    usual.expect.iter().any(|words| found(words))
}

/// The first run of the demo, or, where any words will not do, what a client that says
/// those prints without a fault.
fn usual(cast: Cast, fault: &Fault) -> Result<ClientRun, Failure> {
    let run = usual_run(cast.rung)?;
    if fault.words.is_empty() {
        return Ok(run.clone());
    }
    let args: Vec<String> = fault.words.iter().map(ToString::to_string).collect();
    let (mut stage, _, address) = Stage::with_server(cast)?;
    let visit = stage.run_client(Cast { args: &args, ..cast }, &address, GENEROUS)?;
    match visit.code {
        Some(0) => Ok(ClientRun { args, expect: visit.printed }),
        _ => Err(failure!("{} does not answer {args:?} even without a fault", cast.rung.name)),
    }
}

impl Trial<'_> {
    /// An ordinary client goes to the server while the fault lasts.
    fn meanwhile(&mut self, expected: Expected, usual: &ClientRun) -> Result<Visit, Ended> {
        let (stage, rung) = (&mut self.stage, self.cast.rung);
        if rung.serves_once() && !self.running.lasts() {
            // Its one client has been: what an ordinary client meets must not depend on how fast
            // the server ends.
            stage.wait_for_end(self.server);
        }
        let patience = match expected {
            Expected::Survives => GENEROUS,
            Expected::Fails => VAIN,
        };
        let client = Cast { args: &usual.args, ..self.cast };
        let visit = stage.run_client(client, self.running.address(), patience)?;
        if !is_served(&visit, usual, rung) {
            let ended = if stage.is_over(self.server) { "; the server had ended" } else { "" };
            return badly(format!("{}{ended}", not_served(&visit)));
        }
        if self.fault.proof == Proof::Dropped && !self.running.wait_until_dropped(patience) {
            return badly(format!(
                "an ordinary client was served {}, but the other one was not dropped",
                after(visit.took)
            ));
        }
        if self.fault.proof == Proof::Unread && is_read(&self.running, usual) {
            return badly(
                "an ordinary client was served, and each of its words was read on the way",
            );
        }
        Ok(visit)
    }

    /// The rung's own client goes to a faulty server, and gets nothing from it.
    fn client_ends(&mut self, code: i32) -> Result<String, Ended> {
        let rung = self.cast.rung;
        let args = [&rung.short_client_limits[..], &usual_run(rung)?.args].concat();
        let client = Cast { args: &args, ..self.cast };
        let visit = self.stage.run_client(client, self.running.address(), GENEROUS)?;
        match (visit.code, self.running.of_the_client()) {
            (None, _) => badly(format!("its client waited {}", seconds(visit.took))),
            (Some(0), _) => badly(format!("its client printed {:?}", visit.printed)),
            (Some(ended), _) if ended != code || !visit.printed.is_empty() => {
                badly(format!("its client ended with {ended}: {:?}", visit.complaint))
            }
            (Some(_), Err(what)) => badly(format!("it {what}")),
            (Some(_), Ok(what)) => Ok(format!("its client ended {}; it {what}", after(visit.took))),
        }
    }

    /// What the server says in its log of a faulty client that has been and gone.
    fn by_the_log(&mut self) -> Result<String, Ended> {
        let peers = self.running.peers();
        // When the server has logged that it has left, it has logged all that was before.
        let left = |event: &Event| matches!(event, Event::Left(peer, _) if is_one_of(peer, peers));
        self.stage.wait_for_so_many(self.server, 1, left);
        let log: Vec<&LogLine> = self.stage.logged(Side::Server).collect();
        let seen = match self.fault.proof {
            Proof::MessagesApart(count) => apart(&log, peers, count),
            _ => refused(&log, peers),
        };
        // The log tells more, but an answer that must not be is one whatever the log says.
        seen.and_then(|story| judged(&self.running).map(|_| story))
    }
}

/// Whether the client ended well and printed what it should.
fn is_served(visit: &Visit, usual: &ClientRun, rung: &Rung) -> bool {
    let printed = match rung.speaks() {
        // A number that was used up says that a request ran twice, which other faults are about.
        Speaks::Requests => unnumbered(&visit.printed) == unnumbered(&usual.expect),
        // It hears what others say as well.
        Speaks::Lines => own(&visit.printed, &usual.args) == usual.expect,
        _ => visit.printed == usual.expect,
    };
    visit.code == Some(0) && printed
}

fn unnumbered(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| line.split_once(": ").map_or(line.as_str(), |(_, text)| text)).collect()
}

/// What the faulty client itself has seen.
fn judged(running: &Running) -> Result<String, Ended> {
    match running.verdict() {
        Ok(verdict) => Ok(format!("it {verdict}")),
        Err(verdict) => badly(format!("it {verdict}")),
    }
}

fn served(log: &[&LogLine], visit: &Visit, faulty: &[String]) -> Result<String, Ended> {
    let said = match dropped(log, faulty) {
        Some(said) => format!("; the server said of the other one: {said}"),
        None => String::new(),
    };
    Ok(format!("an ordinary client was served {}{said}", after(visit.took)))
}

fn served_once(
    log: &[&LogLine],
    visit: &Visit,
    messages: usize,
    relay: &[String],
) -> Result<String, Ended> {
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
    let story = |and| {
        format!(
            "an ordinary client was served {}, {and} the server received {sent} {times}",
            after(visit.took)
        )
    };
    if received == messages { Ok(story("and")) } else { badly(story("but")) }
}

fn apart(log: &[&LogLine], peers: &[String], count: usize) -> Result<String, Ended> {
    let received = received(log, peers);
    let number = match received.len() {
        1 => "one".to_string(),
        2 => "two".to_string(),
        other => other.to_string(),
    };
    let story = format!("the two were received as {number}: {}", received.join(", then "));
    if received.len() == count { Ok(story) } else { badly(story) }
}

fn refused(log: &[&LogLine], peers: &[String]) -> Result<String, Ended> {
    let refusal = log.iter().find_map(|line| match line.event() {
        Event::Refused(peer, rest) if is_one_of(peer, peers) => Some(rest),
        _ => None,
    });
    match refusal.or_else(|| dropped(log, peers)) {
        Some(refusal) => Ok(format!("it was not taken: {refusal}")),
        None => {
            let received = received(log, peers).join(", then ");
            badly(format!("it was taken for a message like any other: {received}"))
        }
    }
}

fn is_one_of(peer: &str, peers: &[String]) -> bool {
    peers.iter().any(|one| one == peer)
}

/// What the server received from `peers`: `5 bytes "hello"`.
fn received<'a>(log: &[&'a LogLine], peers: &[String]) -> Vec<&'a str> {
    let received = log.iter().filter_map(|line| match line.event() {
        Event::Received(peer, rest) if is_one_of(peer, peers) => Some(rest),
        _ => None,
    });
    received.map(|rest| rest.strip_prefix("received ").unwrap_or(rest)).collect()
}

/// What the server said when it got rid of one of `peers`.
fn dropped<'a>(log: &[&'a LogLine], peers: &[String]) -> Option<&'a str> {
    log.iter().find_map(|line| match line.event() {
        Event::Left(peer, rest) if is_one_of(peer, peers) && rest.starts_with("dropped") => {
            Some(rest)
        }
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use ladder::screen::NO_BREAK;

    use super::*;

    /// What `judge` says of a log of these messages, and of a faulty client on port 5.
    fn outcome(
        messages: &[&str],
        judge: impl Fn(&[&LogLine], &[String]) -> Result<String, Ended>,
    ) -> (bool, String) {
        let line = |message| LogLine::parse(&format!("11:34:24.231000 info  {message}")).unwrap();
        let log: Vec<LogLine> = messages.iter().map(line).collect();
        let judged = judge(&log.iter().collect::<Vec<_>>(), &["127.0.0.1:5".into()]);
        let outcome = Outcome::of(judged).unwrap();
        (outcome.survived, outcome.story.replace(NO_BREAK, " "))
    }

    #[test]
    fn a_client_that_is_served_may_hear_of_the_faulty_one() {
        let after = |took| {
            let printed = vec!["hello".into()];
            let visit = Visit { printed, code: Some(0), took, waiting: false, complaint: None };
            move |log: &[&LogLine], faulty: &[String]| served(log, &visit, faulty)
        };
        let log =
            ["127.0.0.1:5 connected", "127.0.0.1:5 dropped: timed out", "127.0.0.1:6 connected"];
        let wanted = "an ordinary client was served after 0.5 s; the server said of the other one: dropped: timed out";
        assert_eq!(outcome(&log, after(Duration::from_millis(520))), (true, wanted.into()));
        let wanted = "an ordinary client was served at once";
        assert_eq!(outcome(&[], after(Duration::from_millis(3))), (true, wanted.into()));
    }

    #[test]
    fn what_is_refused_must_be_refused_in_words() {
        let received = "127.0.0.1:5 received 3 bytes \"cos\"";
        for said in ["refused: version 99", "dropped: not a value"] {
            let wanted = format!("it was not taken: {said}");
            let said = format!("127.0.0.1:5 {said}");
            assert_eq!(outcome(&[received, &said], refused), (true, wanted));
        }
        assert!(!outcome(&[received, "127.0.0.1:5 closed"], refused).0);
    }
}
