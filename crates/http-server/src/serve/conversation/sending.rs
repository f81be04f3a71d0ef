//! From a response to the next request, or to the end.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read};
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;

use httpcore::Refusal;
use httpcore::body::{Body, DRAIN_TIME, Progress, Source};

use super::super::exchange::{After, Begun, Desk, Tools, refused};
use super::super::service::Limits;
use super::{Conversation, Next, Phase, Sending, Step};

/// How long an ended connection is still read from. A client that is still sending
/// would otherwise be told of a reset, and lose the response that says why (RFC 9112
/// section 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// How long a worker waits for room before it lays a response aside. Most clients take
/// what comes at once, and to lay aside costs more than a short wait.
const PATIENCE: Duration = Duration::from_millis(20);

/// So often within the limit it is looked whether a client takes anything: it is told of
/// nothing but room.
const LOOKS: u32 = 4;

/// Content up to this size is with the client before anything that it still sends could
/// bring about a reset, since it fits into any receive buffer. A client that has asked
/// to close is not lingered with for so little: it would cost more than the response.
const SMALL: u64 = 4 << 10;

impl Conversation {
    /// Answers what cannot be served, and whose head was whole at `since`. The connection has
    /// to end then: where the next request begins is anybody's guess.
    pub(super) fn refuse(
        &mut self,
        tools: &mut Tools,
        head: &[u8],
        since: Instant,
        refusal: Refusal,
    ) -> io::Result<Step> {
        let begun = refused(tools, &self.client, head, None, refusal);
        self.send(tools, Cow::Borrowed(head), since, begun)
    }

    pub(super) fn send(
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
                        self.since = Instant::now();
                    }
                    self.expect_progress(tools.service.limits.write);
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
                Err(error) => return Err(self.cut_short(tools, &head, since, &begun, error)),
                Ok(()) => {
                    tools.log(&self.client, &head, since, &begun);
                    let bytes = begun.outgoing.bytes();
                    tools.output = begun.outgoing.into_buffer();
                    return Ok(self.follow(begun.after, bytes, &tools.service.limits));
                }
            }
        }
    }

    /// Whether the client has taken something within the limit, however little.
    pub(super) fn takes(&mut self, limit: Duration) -> bool {
        let acknowledged = self.stream.acknowledged();
        if acknowledged > self.acknowledged {
            (self.acknowledged, self.since) = (acknowledged, Instant::now());
        }
        self.expect_progress(limit);
        !Deadline::at(self.since, limit).has_passed()
    }

    fn expect_progress(&mut self, limit: Duration) {
        let look = Deadline::after(limit / LOOKS);
        self.deadline = look.or_sooner(Deadline::at(self.since, limit));
    }

    /// A response has come to an end before its time; the error that has ended it.
    pub(super) fn cut_short(
        &self,
        tools: &mut Tools,
        head: &[u8],
        since: Instant,
        begun: &Begun,
        error: io::Error,
    ) -> io::Error {
        tools.log(&self.client, head, since, begun);
        if begun.outgoing.ends_with_connection() {
            self.stream.reset();
        }
        error
    }

    /// What comes after a response.
    pub(super) fn follow(&mut self, after: After, bytes: u64, limits: &Limits) -> Step {
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

    pub(super) fn wait(&mut self, limits: &Limits) {
        self.phase = Phase::Waiting;
        (self.served, self.since) = (true, Instant::now());
        self.deadline = Deadline::at(self.since, limits.idle);
    }

    pub(super) fn drain(
        &mut self,
        desk: &mut Desk,
        filled: &mut usize,
        progress: Progress,
    ) -> io::Result<Step> {
        let mut body =
            Body::resume(Source::new(&mut self.stream, &mut desk.input, *filled), progress);
        let dropped = body.drop_rest();
        let (progress, behind) = body.lay_aside();
        *filled = desk.move_to_front(behind);
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
    pub(super) fn leave(&mut self) {
        if self.stream.has_taken_all() {
            self.stream.end();
            self.phase = Phase::Gone;
        } else {
            self.linger();
        }
    }

    /// Says that no more will come; what the client still sends is read, for [`LINGER`] at
    /// most.
    pub(super) fn linger(&mut self) {
        self.deadline = Deadline::after(LINGER);
        self.phase = match self.stream.end_writing() {
            Ok(()) => Phase::Closing,
            Err(_) => Phase::Gone,
        };
    }

    pub(super) fn close(&mut self, desk: &mut Desk, filled: &mut usize) -> Step {
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
