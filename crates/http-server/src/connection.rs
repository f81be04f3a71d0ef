//! One connection: requests in, responses out, one after another, until one of the two
//! sides has had enough.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;
use netcore::log::payload;

use crate::answer::{Answers, Buffers, Client};
use crate::body::{Body, Source};
use crate::head::{FIELD_LIMIT, Head, Persistence};
use crate::host;
use crate::receive::{Received, Receiver};
use crate::refusal::Refusal;
use crate::request::Request;
use crate::response::{IntoResponse, Response};
use crate::send::{Frame, send};
use crate::service::{Hosts, Service};
use crate::status::Status;
use crate::stream::Stream;
use crate::table::Seat;
use crate::target::Target;

/// How long an ended connection is still read from. A client that is still sending
/// would otherwise be told of a reset, and lose the response that says why (RFC 9112
/// section 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// Content up to this size is with the client before anything that it still sends could
/// bring about a reset, since it fits into any receive buffer. A client that has asked
/// to close is not lingered with for so little: it would cost more than the response.
const SMALL: u64 = 4 << 10;

/// Serves a connection until it ends.
///
/// # Errors
/// What reading or writing say, where that ended it.
pub fn serve(
    stream: &mut Stream,
    client: &Client,
    seat: &Seat,
    service: &Service,
    buffers: &mut Buffers,
) -> io::Result<()> {
    let Buffers { input, output, clock } = buffers;
    let mut visit = Visit { seat, answers: Answers { client, service, output, clock } };
    let receiver = Receiver { seat, name: client.name, head: service.limits.head };
    let mut filled = 0;
    // A new client has nothing to wait for.
    let mut patience = service.limits.head;
    loop {
        let head_length = match receiver.receive(stream, input, &mut filled, patience)? {
            Received::Head(length) => length,
            Received::Nothing => {
                stream.end();
                return Ok(());
            }
            Received::Refused(refusal) => {
                visit.answers.refuse(stream, &input[..filled], None, refusal)?;
                linger(stream);
                return Ok(());
            }
        };
        let (head, rest) = input.split_at_mut(head_length);
        match visit.exchange(stream, head, rest, filled - head_length)? {
            Next::Request(arrived) => {
                let arrived = arrived.start + head_length..arrived.end + head_length;
                filled = arrived.len();
                input.copy_within(arrived, 0);
            }
            Next::Close => {
                stream.end();
                return Ok(());
            }
            Next::Linger => {
                linger(stream);
                return Ok(());
            }
        }
        patience = service.limits.idle;
    }
}

enum Next {
    /// The connection goes on, and this much of the rest of the buffer has arrived of
    /// it.
    Request(std::ops::Range<usize>),
    Close,
    Linger,
}

struct Visit<'a> {
    seat: &'a Seat<'a>,
    answers: Answers<'a>,
}

impl Visit<'_> {
    /// One request and its response.
    fn exchange(
        &mut self,
        stream: &mut Stream,
        head_bytes: &[u8],
        rest: &mut [u8],
        arrived: usize,
    ) -> io::Result<Next> {
        let started = Instant::now();
        let mut slots = [httparse::EMPTY_HEADER; FIELD_LIMIT];
        let head = match Head::parse(head_bytes, &mut slots) {
            Ok(head) => head,
            Err(refusal) => {
                self.answers.refuse(stream, head_bytes, None, refusal)?;
                return Ok(Next::Linger);
            }
        };
        let target = match self.check(&head) {
            Ok(target) => target,
            Err(refusal) => {
                self.answers.refuse(stream, head_bytes, Some(head.fields), refusal)?;
                return Ok(Next::Linger);
            }
        };
        stream.set_read_deadline(Deadline::after(self.answers.service.limits.body_time));
        let body =
            Body::new(Source::new(stream, rest, arrived), head.framing, head.expects_continue);
        let mut request = Request::new(
            &head,
            &target,
            self.answers.client.peer,
            body,
            self.answers.service.limits.body,
        );
        let response = respond(self.answers.service, &mut request);
        let mut body = request.into_body();

        let stays =
            head.persistence == Persistence::Keep && body.is_drainable() && !self.seat.is_ending();
        let frame = Frame {
            method: head.method,
            version: head.version,
            persistence: if stays { Persistence::Keep } else { Persistence::Close },
            fields: Some(head.fields),
            date: self.answers.clock.date(),
            name: self.answers.client.name,
            extra: &self.answers.service.extra,
            cors: self.answers.service.cors,
        };
        let status = response.status();
        let sent = send(body.stream(), self.answers.output, &frame, response);
        self.answers.report(head_bytes, status, &sent, started);
        sent.result?;
        if sent.persistence == Persistence::Close {
            // Who has not asked to close may have sent the next request already, or the rest of
            // this one.
            let is_last = head.persistence == Persistence::Close && body.remaining() == Some(0);
            return Ok(if is_last && sent.bytes <= SMALL { Next::Close } else { Next::Linger });
        }
        Ok(match body.drain() {
            Some(arrived) => Next::Request(arrived),
            None => Next::Linger,
        })
    }

    /// What has to be right before anybody is asked for a response.
    fn check<'b>(&self, head: &Head<'b>) -> Result<Target<'b>, Refusal> {
        let target = Target::parse(head.method, head.target)?;
        let host = target.authority.or(head.fields.get("host")).unwrap_or_default();
        // No page of the web reaches a socket file: its clients may say what they like.
        if self.answers.client.peer.is_some()
            && let Hosts::LocalAnd(allowed) = &self.answers.service.hosts
            && !host::is_local(host, allowed)
        {
            let host = String::from_utf8_lossy(host::without_port(host)).into_owned();
            let why =
                format!("this server does not answer to {host:?}; --allow-host {host} makes it");
            return Err(Refusal::by("RFC 9110 section 15.5.20", Status::MISDIRECTED_REQUEST, why));
        }
        Ok(target)
    }
}

/// A handler that panics has failed at one request: 500, and the server goes on.
fn respond(service: &Service, request: &mut Request<'_>) -> Response {
    catch_unwind(AssertUnwindSafe(|| service.respond(request))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        log::error!("a handler panicked: {}", payload(text.as_bytes()));
        Status::INTERNAL_SERVER_ERROR.into_response()
    })
}

/// Says that no more will come and reads what the client still sends, for [`LINGER`] at
/// most.
fn linger(stream: &mut Stream) {
    if stream.end_writing().is_err() {
        return;
    }
    stream.set_read_deadline(Deadline::after(LINGER));
    let mut scrap = [0; 4 << 10];
    while matches!(stream.read(&mut scrap), Ok(1..)) {}
}
