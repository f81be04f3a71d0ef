//! From the first byte of a request to its answer.

use std::borrow::Cow;
use std::io::{self, ErrorKind, Read};
use std::time::Instant;

use netcore::deadline::Deadline;
use netcore::log::payload;

use httpcore::Refusal;
use httpcore::body::{Body, Source};
use httpcore::head::{EMPTY_LINE, Extent, Method, Scanner};
use httpcore::stream::{Stream, Waits};

use super::super::exchange::{Behind, Desk, exchange, turned_away};
use super::{Asked, Conversation, Next, Phase, Standing, Step};

impl Conversation {
    /// The head of a request as it arrives: in one piece, in many, late, or never.
    pub(super) fn receive(
        &mut self,
        desk: &mut Desk,
        filled: &mut usize,
        scanner: Option<Scanner>,
    ) -> io::Result<Step> {
        // The empty line that may come before it, or a part of that, begins nothing.
        let has_begun = !EMPTY_LINE.starts_with(&desk.input[..*filled]);
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
                    return self.refuse(&mut desk.tools, &head, Instant::now(), refusal);
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
    pub(super) fn exchange(
        &mut self,
        desk: &mut Desk,
        filled: &mut usize,
        extent: Extent,
    ) -> io::Result<Step> {
        if self.standing == Standing::TurnedAway {
            *filled = 0;
            let head = desk.input[..extent.length].to_vec();
            let refusal = turned_away(&desk.tools.service);
            return self.refuse(&mut desk.tools, &head, Instant::now(), refusal);
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
        *filled = desk.move_to_front(behind.start + extent.length..behind.end + extent.length);
        step
    }

    /// The body as it arrives, for a handler: it is not to wait for a client.
    pub(super) fn collect(
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
        *filled = desk.move_to_front(behind);
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
            Err(error) => {
                self.refuse(&mut desk.tools, &asked.head, asked.since, Refusal::from(error))
            }
        }
    }

    /// Asks a handler, which may take its time.
    pub(super) fn answer(
        &mut self,
        desk: &mut Desk,
        filled: &mut usize,
        asked: Asked,
    ) -> io::Result<Step> {
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
        *filled = desk.move_to_front(exchanged.behind);
        match exchanged.begun {
            Ok(begun) => self.send(&mut desk.tools, Cow::Owned(head), since, begun),
            // A response has been asked for, and there is always one.
            Err(_) => Ok(Step::End(Next::Over)),
        }
    }
}
