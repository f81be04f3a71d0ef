//! One connection as a record that goes on from where it stopped: requests in, responses
//! out, one after another, until one of the two sides has had enough. It waits for
//! nothing but, with a worker, for a handler.

mod receiving;
mod sending;

use std::borrow::Cow;
use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;

use httpcore::body::Progress;
use httpcore::head::{RequestLine, Scanner};
use httpcore::{Refusal, Status};

use super::exchange::{Begun, Client, Desk};
use super::service::Limits;
use super::stream::ClientStream;

/// Requests, or reads of what nobody wants, in one turn. A client that sends faster than
/// we answer would otherwise keep all others waiting.
const STEPS_PER_TURN: usize = 16;

/// For the rest of a head that has begun when a stop does: it may be on its way. Who takes
/// longer drips, and would hold the stop up until the drain limit.
const HEAD_AT_STOP: Duration = Duration::from_secs(1);

/// A connection, and what has become of it.
#[derive(Debug)]
pub struct Conversation {
    stream: ClientStream,
    client: Client,
    phase: Phase,
    /// What has come and is not read yet.
    kept: Vec<u8>,
    deadline: Deadline,
    standing: Standing,
    served: bool,
    /// When it became idle; while it is sent to, when it took something last.
    since: Instant,
    /// Bytes that had come to the client by then.
    acknowledged: u64,
}

/// What is waited for, or done, next.
#[derive(Debug)]
enum Phase {
    /// Nothing of a request has come.
    Waiting,
    /// A part of a head has.
    Head(Scanner),
    /// The body that a handler wants is coming.
    Body(Box<Asked>),
    /// A request is there, and a worker has to answer it.
    Whole(Box<Asked>),
    Sending(Box<Sending>),
    /// What is left of a body that nobody wanted is coming.
    Draining(Progress),
    /// We have ended our side, and read and drop what still comes.
    Closing,
    Gone,
}

/// A request that is not answered yet.
#[derive(Debug)]
struct Asked {
    head: Vec<u8>,
    line: RequestLine,
    /// When its head was whole.
    since: Instant,
    progress: Progress,
}

/// A response that the client has no room for yet.
#[derive(Debug)]
struct Sending {
    begun: Begun,
    /// The head of its request.
    head: Vec<u8>,
    since: Instant,
    /// What is sent does not only wait for the client.
    needs_worker: bool,
}

/// Whether a client has one of the places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It has asked for nothing yet.
    InLobby,
    /// It has one, from its first request on.
    Seated,
    /// There was none: its request is answered with 503.
    TurnedAway,
}

/// What events have told of a socket.
#[derive(Debug, Clone, Copy, Default)]
pub struct Told {
    pub readable: bool,
    pub writable: bool,
    /// The client has ended its side.
    pub closed: bool,
}

/// How a turn ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// An event or the deadline brings the next turn.
    Wait,
    /// There is more to do, and the others come first.
    Unfinished,
    /// A worker goes on.
    Work,
    /// It has a request, and wants a place.
    Seat,
    /// The connection can be dropped.
    Over,
}

/// What a step says of the turn.
enum Step {
    On,
    End(Next),
}

/// What can be closed, to make room for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// It has been served, and nothing has come since.
    Idle,
    /// No whole head has come yet.
    Headless,
    /// We have ended it.
    Ended,
    /// Something is done for it.
    None,
}

impl Conversation {
    /// A connection that begins now.
    pub fn new(stream: ClientStream, client: Client, limits: &Limits) -> Conversation {
        log::debug!("{} connected", client.name);
        let (since, phase) = (Instant::now(), Phase::Waiting);
        // A new client has nothing to wait for.
        let deadline = Deadline::at(since, limits.head);
        let (kept, standing) = (Vec::new(), Standing::InLobby);
        let (served, acknowledged) = (false, 0);
        Conversation {
            stream,
            client,
            phase,
            kept,
            deadline,
            standing,
            served,
            since,
            acknowledged,
        }
    }

    /// The connection itself.
    pub fn stream(&mut self) -> &mut ClientStream {
        &mut self.stream
    }

    /// Its name in the log.
    pub fn name(&self) -> &str {
        &self.client.name
    }

    /// When it has a turn, whether events come or not: it is [late](Conversation::is_late) then.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Whether there is a place for it.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// From here on.
    pub fn set_standing(&mut self, standing: Standing) {
        self.standing = standing;
    }

    /// Whether it may be closed for others, and since when.
    pub fn claim(&self) -> (Claim, Instant) {
        let claim = match self.phase {
            Phase::Waiting if self.served => Claim::Idle,
            Phase::Waiting | Phase::Head(_) => Claim::Headless,
            Phase::Closing | Phase::Gone => Claim::Ended,
            _ => Claim::None,
        };
        (claim, self.since)
    }

    /// Bytes of a body that are kept for a handler.
    pub fn collected(&self) -> usize {
        match &self.phase {
            Phase::Body(asked) | Phase::Whole(asked) => asked.progress.collected(),
            _ => 0,
        }
    }

    /// Whether an event is about what is waited for.
    pub fn is_told(&mut self, event: Told) -> bool {
        if event.readable {
            self.stream.is_told(event.closed);
        }
        match self.phase {
            Phase::Sending(_) => event.writable,
            _ => event.readable || self.stream.is_handshaking(),
        }
    }

    /// Its deadline has passed: whatever it waits for comes to an end in the turn that
    /// follows.
    pub fn is_late(&mut self, desk: &mut Desk) -> io::Result<Next> {
        match std::mem::replace(&mut self.phase, Phase::Gone) {
            Phase::Waiting => self.leave(),
            Phase::Head(_) => {
                let why = "the head of the request did not come in time";
                let head = std::mem::take(&mut self.kept);
                return self.time_out(desk, head, Instant::now(), why);
            }
            Phase::Body(asked) => {
                let why = "the body did not come in time";
                return self.time_out(desk, asked.head, asked.since, why);
            }
            Phase::Sending(sending) if self.takes(desk.tools.service.limits.write) => {
                self.phase = Phase::Sending(sending);
            }
            Phase::Sending(sending) => {
                let Sending { begun, head, since, .. } = &*sending;
                let late = ErrorKind::TimedOut.into();
                return Err(self.cut_short(&mut desk.tools, head, *since, begun, late));
            }
            Phase::Draining(_) => self.linger(),
            // Nobody is waited for.
            phase @ Phase::Whole(_) => self.phase = phase,
            Phase::Closing | Phase::Gone => {}
        }
        Ok(self.next())
    }

    fn time_out(
        &mut self,
        desk: &mut Desk,
        head: Vec<u8>,
        since: Instant,
        why: &'static str,
    ) -> io::Result<Next> {
        let refusal = Refusal::by("RFC 9110 section 15.5.9", Status::REQUEST_TIMEOUT, why);
        self.refuse_at_last(desk, &head, since, refusal)
    }

    /// As [`refuse`](Conversation::refuse), outside of a turn.
    fn refuse_at_last(
        &mut self,
        desk: &mut Desk,
        head: &[u8],
        since: Instant,
        refusal: Refusal,
    ) -> io::Result<Next> {
        match self.refuse(&mut desk.tools, head, since, refusal)? {
            Step::On => self.turn(desk),
            Step::End(next) => Ok(next),
        }
    }

    /// A stop has begun: whoever waits for nothing but the client's next request ends, and
    /// whoever has sent a part of it soon.
    pub fn stop(&mut self) -> Next {
        match self.phase {
            Phase::Waiting => self.leave(),
            Phase::Head(_) => {
                self.deadline = self.deadline.or_sooner(Deadline::after(HEAD_AT_STOP));
            }
            _ => {}
        }
        self.next()
    }

    /// It makes room for another one.
    pub fn make_room(&mut self) -> Next {
        log::debug!("{} makes room for another client", self.client.name);
        self.leave();
        self.next()
    }

    /// Whether a request is there that nobody has begun to answer.
    pub fn has_request(&self) -> bool {
        matches!(self.phase, Phase::Whole(_))
    }

    /// There is no worker for its request: it is answered with 503.
    pub fn is_too_much(&mut self, desk: &mut Desk) -> io::Result<Next> {
        let Phase::Whole(asked) = std::mem::replace(&mut self.phase, Phase::Gone) else {
            return Ok(Next::Over);
        };
        let why = "all workers are busy; try again soon";
        let refusal = Refusal::by("RFC 9110 section 15.6.4", Status::SERVICE_UNAVAILABLE, why);
        self.refuse_at_last(desk, &asked.head, asked.since, refusal)
    }

    fn next(&self) -> Next {
        if matches!(self.phase, Phase::Gone) { Next::Over } else { Next::Wait }
    }

    /// Does what can be done now.
    ///
    /// # Errors
    /// What has ended the connection before its time.
    pub fn turn(&mut self, desk: &mut Desk) -> io::Result<Next> {
        let kept = std::mem::take(&mut self.kept);
        desk.input[..kept.len()].copy_from_slice(&kept);
        let mut filled = kept.len();
        let mut next = Next::Unfinished;
        for _ in 0..STEPS_PER_TURN {
            if let Step::End(end) = self.step(desk, &mut filled)? {
                next = end;
                break;
            }
        }
        if filled > 0 {
            self.kept = desk.input[..filled].to_vec();
        }
        Ok(next)
    }

    fn step(&mut self, desk: &mut Desk, filled: &mut usize) -> io::Result<Step> {
        if self.stream.is_handshaking() {
            return self.handshake(desk);
        }
        match std::mem::replace(&mut self.phase, Phase::Gone) {
            Phase::Waiting => self.receive(desk, filled, None),
            Phase::Head(scanner) => self.receive(desk, filled, Some(scanner)),
            Phase::Body(asked) => self.collect(desk, filled, asked),
            Phase::Whole(asked) if desk.tools.may_block => self.answer(desk, filled, *asked),
            Phase::Sending(sending) if desk.tools.may_block || !sending.needs_worker => {
                let Sending { begun, head, since, .. } = *sending;
                self.send(&mut desk.tools, Cow::Owned(head), since, begun)
            }
            phase @ (Phase::Whole(_) | Phase::Sending(_)) => {
                self.phase = phase;
                Ok(Step::End(Next::Work))
            }
            Phase::Draining(progress) => self.drain(desk, filled, progress),
            Phase::Closing => Ok(self.close(desk, filled)),
            Phase::Gone => Ok(Step::End(Next::Over)),
        }
    }

    /// Its arithmetic is not for the thread that all others wait for.
    fn handshake(&mut self, desk: &Desk) -> io::Result<Step> {
        if !desk.tools.may_block {
            return Ok(Step::End(Next::Work));
        }
        match self.stream.handshake() {
            Ok(()) => Ok(Step::On),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Step::End(Next::Wait)),
            Err(error) => Err(error),
        }
    }
}
