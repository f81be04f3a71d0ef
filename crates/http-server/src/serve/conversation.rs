//! One connection as a record that goes on from where it stopped: requests in, responses
//! out, one after another, until one of the two sides has had enough. It waits for
//! nothing but, with a worker, for a handler.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;
use netcore::log::payload;

use httpcore::body::{Body, Progress, Source};
use httpcore::head::{Extent, Method, RequestLine, Scanner};
use httpcore::stream::{Stream, Waits};
use httpcore::{Refusal, Status};

use super::exchange::{After, Begun, Behind, Client, Desk, Tools, exchange, refused, turned_away};
use super::service::Limits;
use super::stream::ClientStream;

/// How long an ended connection is still read from. A client that is still sending
/// would otherwise be told of a reset, and lose the response that says why (RFC 9112
/// section 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// How long a body that nobody wanted may still take to come, and save the connection.
const DRAIN_TIME: Duration = Duration::from_secs(1);

/// How long a worker waits for room before it lays a response aside. Most clients take
/// what comes at once, and to lay aside costs more than a short wait.
const PATIENCE: Duration = Duration::from_millis(20);

/// Requests, or reads of what nobody wants, in one turn. A client that sends faster than
/// we answer would otherwise keep all others waiting.
const STEPS_PER_TURN: usize = 16;

/// A connection, and what has become of it.
#[derive(Debug)]
pub struct Conversation {
    stream: ClientStream,
    client: Client,
    phase: Phase,
    /// What has come and is not read yet.
    kept: Vec<u8>,
    /// The empty line before a request, which may come once.
    skipped: bool,
    deadline: Deadline,
    standing: Standing,
    served: bool,
    since: Instant,
}

/// Content up to this size is with the client before anything that it still sends could
/// bring about a reset, since it fits into any receive buffer. A client that has asked
/// to close is not lingered with for so little: it would cost more than the response.
const SMALL: u64 = 4 << 10;

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
        let (kept, skipped, served, standing) = (Vec::new(), false, false, Standing::InLobby);
        Conversation { stream, client, phase, kept, skipped, deadline, standing, served, since }
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
                return self.time_out(desk, head, why);
            }
            Phase::Body(asked) => {
                return self.time_out(desk, asked.head, "the body did not come in time");
            }
            Phase::Sending(sending) => {
                let Sending { begun, head, since, .. } = &*sending;
                desk.tools.log(&self.client, head, *since, begun);
                return Err(ErrorKind::TimedOut.into());
            }
            Phase::Draining(_) => self.linger(),
            // Nobody is waited for.
            phase @ Phase::Whole(_) => self.phase = phase,
            Phase::Closing | Phase::Gone => {}
        }
        Ok(self.next())
    }

    fn time_out(&mut self, desk: &mut Desk, head: Vec<u8>, why: &'static str) -> io::Result<Next> {
        let refusal = Refusal::by("RFC 9110 section 15.5.9", Status::REQUEST_TIMEOUT, why);
        match self.refuse(&mut desk.tools, &head, refusal)? {
            Step::On => self.turn(desk),
            Step::End(next) => Ok(next),
        }
    }

    /// A stop has begun: whoever waits for nothing but the client's next request ends.
    pub fn stop(&mut self) -> Next {
        if matches!(self.phase, Phase::Waiting) {
            self.leave();
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
        match self.refuse(&mut desk.tools, &asked.head, refusal)? {
            Step::On => self.turn(desk),
            Step::End(next) => Ok(next),
        }
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

    /// The head of a request as it arrives: in one piece, in many, late, or never.
    fn receive(
        &mut self,
        desk: &mut Desk,
        filled: &mut usize,
        scanner: Option<Scanner>,
    ) -> io::Result<Step> {
        // Some clients send an empty line behind a body that they do not count (RFC 9112
        // section 2.2).
        if !self.skipped && desk.input[..*filled].starts_with(b"\r\n") {
            desk.input.copy_within(2..*filled, 0);
            *filled -= 2;
            self.skipped = true;
        }
        // A CR alone may become such a line, which begins nothing.
        let has_begun = *filled > 0 && desk.input[..*filled] != *b"\r";
        let is_new = scanner.is_none();
        let mut scanner = scanner.unwrap_or_default();
        if has_begun {
            match scanner.find_end(&desk.input[..*filled]) {
                Ok(None) => {}
                Ok(Some(extent)) => {
                    if self.standing == Standing::InLobby {
                        if !desk.tools.has_place {
                            self.phase = Phase::Head(Scanner::default());
                            return Ok(Step::End(Next::Seat));
                        }
                        self.standing = Standing::Seated;
                    }
                    return self.exchange(desk, filled, extent);
                }
                Err(refusal) => {
                    let head = desk.input[..*filled].to_vec();
                    *filled = 0;
                    return self.refuse(&mut desk.tools, &head, refusal);
                }
            }
            if is_new {
                // One point in time for the whole head, however slowly it drips.
                self.deadline = Deadline::after(desk.tools.service.limits.head);
            }
        }
        self.phase = if has_begun { Phase::Head(scanner) } else { Phase::Waiting };
        if self.stream.is_drained() {
            return Ok(Step::End(Next::Wait));
        }
        match self.stream.read(&mut desk.input[*filled..]) {
            // Between two requests, or before the first.
            Ok(0) if !has_begun => {
                self.stream.end();
                Ok(Step::End(Next::Over))
            }
            // Nobody will ever complete this head, so there is nothing to answer.
            Ok(0) => {
                let why = "the connection ended in the middle of a head";
                Err(io::Error::new(ErrorKind::UnexpectedEof, why))
            }
            Ok(n) => {
                let bytes = &desk.input[*filled..*filled + n];
                log::debug!("{} received {n} bytes {}", self.client.name, payload(bytes));
                *filled += n;
                Ok(Step::On)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Step::End(Next::Wait)),
            // Some clients leave so between two requests.
            Err(error) if error.kind() == ErrorKind::ConnectionReset && !has_begun => {
                Ok(Step::End(Next::Over))
            }
            Err(error) => Err(error),
        }
    }

    /// A whole head has come: its answer, where that is at hand; or what a handler needs
    /// first.
    fn exchange(
        &mut self,
        desk: &mut Desk,
        filled: &mut usize,
        extent: Extent,
    ) -> io::Result<Step> {
        if self.standing == Standing::TurnedAway {
            *filled = 0;
            let head = desk.input[..extent.length].to_vec();
            let refusal = turned_away(&desk.tools.service);
            return self.refuse(&mut desk.tools, &head, refusal);
        }
        let since = Instant::now();
        let (head, buf) = desk.input.split_at_mut(extent.length);
        let arrived = *filled - extent.length;
        let exchanged = exchange(
            &mut desk.tools,
            &self.client,
            (head, &extent.line),
            Behind { stream: &mut self.stream, buf, arrived, progress: None },
            |service, request| service.at_once(request),
        );
        let step = match exchanged.begun {
            Ok(begun) => {
                let head = Cow::Borrowed(&desk.input[..extent.length]);
                self.send(&mut desk.tools, head, since, begun)
            }
            Err(progress) => {
                let limits = &desk.tools.service.limits;
                self.deadline = Deadline::at(since, limits.body_time);
                let head = desk.input[..extent.length].to_vec();
                let asked = Asked { head, line: extent.line, since, progress };
                // The body of a GET means nothing (RFC 9110 section 9.3.1), and nobody reads it.
                let is_read = !matches!(asked.line.method(), Some(Method::Get | Method::Head));
                self.phase = match is_read && asked.progress.is_collectable(limits.body) {
                    true => Phase::Body(asked.into()),
                    false => Phase::Whole(asked.into()),
                };
                Ok(Step::On)
            }
        };
        let behind = exchanged.behind;
        desk.input.copy_within(behind.start + extent.length..behind.end + extent.length, 0);
        *filled = behind.len();
        step
    }

    /// The body as it arrives, for a handler: it is not to wait for a client.
    fn collect(
        &mut self,
        desk: &mut Desk,
        filled: &mut usize,
        mut asked: Box<Asked>,
    ) -> io::Result<Step> {
        let most = desk.tools.service.limits.body.min(asked.progress.collected() + desk.tools.room);
        let source = Source::new(&mut self.stream, &mut desk.input, *filled);
        let mut body = Body::resume(source, asked.progress);
        let collected = body.collect(most);
        let (progress, behind) = body.lay_aside();
        asked.progress = progress;
        *filled = behind.len();
        desk.input.copy_within(behind, 0);
        match collected {
            // All of it, or as much as is kept: the handler reads the rest as it comes.
            Ok(()) => {
                self.phase = Phase::Whole(asked);
                Ok(Step::On)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.phase = Phase::Body(asked);
                Ok(Step::End(Next::Wait))
            }
            Err(error) => self.refuse(&mut desk.tools, &asked.head, Refusal::from(error)),
        }
    }

    /// Asks a handler, which may take its time.
    fn answer(&mut self, desk: &mut Desk, filled: &mut usize, asked: Asked) -> io::Result<Step> {
        let Asked { head, line, since, progress } = asked;
        self.stream.set_waits(Waits::Here);
        let limit = desk.tools.service.limits.body_time;
        self.stream.set_read_deadline(Deadline::at(since, limit));
        let (stream, buf, arrived) = (&mut self.stream, &mut desk.input[..], *filled);
        let exchanged = exchange(
            &mut desk.tools,
            &self.client,
            (&head, &line),
            Behind { stream, buf, arrived, progress: Some(progress) },
            |service, request| Some(service.respond(request)),
        );
        self.stream.set_waits(Waits::Elsewhere);
        *filled = exchanged.behind.len();
        desk.input.copy_within(exchanged.behind, 0);
        match exchanged.begun {
            Ok(begun) => self.send(&mut desk.tools, Cow::Owned(head), since, begun),
            // A response has been asked for, and there is always one.
            Err(_) => Ok(Step::End(Next::Over)),
        }
    }

    /// Answers what cannot be served. The connection has to end then: where the next
    /// request begins is anybody's guess.
    fn refuse(&mut self, tools: &mut Tools, head: &[u8], refusal: Refusal) -> io::Result<Step> {
        let begun = refused(tools, &self.client, head, None, refusal);
        self.send(tools, Cow::Borrowed(head), Instant::now(), begun)
    }

    fn send(
        &mut self,
        tools: &mut Tools,
        head: Cow<'_, [u8]>,
        since: Instant,
        mut begun: Begun,
    ) -> io::Result<Step> {
        loop {
            let before = begun.outgoing.taken();
            let sent = begun.outgoing.advance(&mut self.stream);
            match sent {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if before == 0 || begun.outgoing.taken() > before {
                        self.deadline = Deadline::after(tools.service.limits.write);
                    }
                    if tools.may_block
                        && self.stream.wait_for_room(Deadline::after(PATIENCE)).is_ok()
                    {
                        continue;
                    }
                    let needs_worker = tools.may_block && !begun.outgoing.is_in_memory();
                    let head = head.into_owned();
                    self.phase =
                        Phase::Sending(Sending { begun, head, since, needs_worker }.into());
                    return Ok(Step::End(Next::Wait));
                }
                sent => {
                    tools.log(&self.client, &head, since, &begun);
                    sent?;
                    let bytes = begun.outgoing.bytes();
                    tools.output = begun.outgoing.into_buffer();
                    return Ok(self.follow(begun.after, bytes, &tools.service.limits));
                }
            }
        }
    }

    /// What comes after a response.
    fn follow(&mut self, after: After, bytes: u64, limits: &Limits) -> Step {
        match after {
            After::NextRequest(progress) if progress.is_done() => self.wait(limits),
            After::NextRequest(progress) => {
                self.deadline = Deadline::after(DRAIN_TIME);
                self.phase = Phase::Draining(progress);
            }
            After::Close if bytes <= SMALL => {
                self.stream.end();
                return Step::End(Next::Over);
            }
            After::Close | After::Linger => self.linger(),
        }
        Step::On
    }

    fn wait(&mut self, limits: &Limits) {
        self.phase = Phase::Waiting;
        (self.served, self.skipped, self.since) = (true, false, Instant::now());
        self.deadline = Deadline::at(self.since, limits.idle);
    }

    fn drain(
        &mut self,
        desk: &mut Desk,
        filled: &mut usize,
        progress: Progress,
    ) -> io::Result<Step> {
        let mut body =
            Body::resume(Source::new(&mut self.stream, &mut desk.input, *filled), progress);
        let dropped = body.drop_rest();
        let (progress, behind) = body.lay_aside();
        *filled = behind.len();
        desk.input.copy_within(behind, 0);
        match dropped {
            Ok(()) => self.wait(&desk.tools.service.limits),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                self.phase = Phase::Draining(progress);
                return Ok(Step::End(Next::Wait));
            }
            Err(_) => self.linger(),
        }
        Ok(Step::On)
    }

    /// Ends a connection between two requests. A client that has yet to take a response, and
    /// still sends, would lose it to a reset.
    fn leave(&mut self) {
        if self.stream.has_taken_all() {
            self.stream.end();
            self.phase = Phase::Gone;
        } else {
            self.linger();
        }
    }

    /// Says that no more will come; what the client still sends is read, for [`LINGER`] at
    /// most.
    fn linger(&mut self) {
        self.deadline = Deadline::after(LINGER);
        self.phase = match self.stream.end_writing() {
            Ok(()) => Phase::Closing,
            Err(_) => Phase::Gone,
        };
    }

    fn close(&mut self, desk: &mut Desk, filled: &mut usize) -> Step {
        *filled = 0;
        self.phase = Phase::Closing;
        if self.stream.is_drained() {
            return Step::End(Next::Wait);
        }
        match self.stream.read(&mut desk.input) {
            Ok(1..) => Step::On,
            Err(error) if error.kind() == ErrorKind::WouldBlock => Step::End(Next::Wait),
            _ => Step::End(Next::Over),
        }
    }
}
