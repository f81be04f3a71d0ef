//! One connection: requests in, responses out, one after another, until one of the two
//! sides has had enough.

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;
use netcore::log::payload;

use httpcore::body::{Body, Source};
use httpcore::handler::Request;
use httpcore::head::{self, Head, Persistence, RequestLine, Target, host};
use httpcore::reply::{IntoResponse, Response};
use httpcore::stream::Stream;
use httpcore::{Refusal, Status};

use super::receive::{Received, Receiver};
use super::reply::{Asked, Buffers, Client, Replier};
use super::service::{Hosts, Service};
use super::slots::Slot;
use super::stream::ClientStream;

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
    stream: &mut ClientStream,
    client: &Client,
    slot: &Slot,
    service: &Service,
    buffers: &mut Buffers,
) -> io::Result<()> {
    let Buffers { input, output, clock } = buffers;
    let mut visit = Visit { slot, replier: Replier { client, service, output, clock } };
    let receiver = Receiver { slot, name: client.name, head: service.limits.head };
    let mut filled = 0;
    // A new client has nothing to wait for.
    let mut patience = service.limits.head;
    loop {
        let extent = match receiver.receive(stream, input, &mut filled, patience)? {
            Received::Head(extent) => extent,
            Received::Nothing => {
                leave(stream);
                return Ok(());
            }
            Received::Refused(refusal) => {
                visit.replier.refuse(stream, &Asked::unclear(&input[..filled], None), refusal)?;
                linger(stream);
                return Ok(());
            }
        };
        let head_length = extent.length;
        let (head, rest) = input.split_at_mut(head_length);
        match visit.exchange(stream, (head, &extent.line), rest, filled - head_length)? {
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
    slot: &'a Slot<'a>,
    replier: Replier<'a>,
}

impl Visit<'_> {
    /// One request and its response.
    fn exchange(
        &mut self,
        stream: &mut ClientStream,
        (head_bytes, line): (&[u8], &RequestLine),
        rest: &mut [u8],
        arrived: usize,
    ) -> io::Result<Next> {
        let started = Instant::now();
        let mut slots = head::slots();
        let head = match Head::parse(head_bytes, line, &mut slots) {
            Ok(head) => head,
            Err(refusal) => {
                self.replier.refuse(stream, &Asked::unclear(head_bytes, None), refusal)?;
                return Ok(Next::Linger);
            }
        };
        let target = match self.check(&head) {
            Ok(target) => target,
            Err(refusal) => {
                let asked = Asked::unclear(head_bytes, Some(head.fields));
                self.replier.refuse(stream, &asked, refusal)?;
                return Ok(Next::Linger);
            }
        };
        stream.set_read_deadline(Deadline::after(self.replier.service.limits.body_time));
        let body =
            Body::new(Source::new(stream, rest, arrived), head.framing, head.expects_continue);
        let mut request = Request::new(
            &head,
            &target,
            self.replier.client.peer,
            body,
            self.replier.service.limits.body,
        );
        let response = respond(self.replier.service, &mut request);
        let mut body = request.into_body();

        let stays =
            head.persistence == Persistence::Keep && body.is_drainable() && !self.slot.is_ending();
        let asked = Asked {
            head: head_bytes,
            since: started,
            method: head.method,
            version: head.version,
            fields: Some(head.fields),
        };
        let persistence = if stays { Persistence::Keep } else { Persistence::Close };
        let sent = self.replier.send(body.stream(), &asked, persistence, response);
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
        if self.replier.client.peer.is_some()
            && let Hosts::LocalAnd(allowed) = &self.replier.service.hosts
            && !host::is_local(host, allowed)
        {
            return Err(self.replier.service.strange_host(host));
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

/// Ends a connection between two requests. A client that has yet to take a response, and
/// still sends, would lose it to a reset.
fn leave(stream: &mut ClientStream) {
    if stream.has_taken_all() {
        stream.end();
        return;
    }
    // Where a stop has ended the reading, no read waits any more. So this does.
    stream.wait_until_taken(Deadline::after(LINGER));
    linger(stream);
}

/// Says that no more will come and reads what the client still sends, for [`LINGER`] at
/// most.
fn linger(stream: &mut ClientStream) {
    if stream.end_writing().is_err() {
        return;
    }
    stream.set_read_deadline(Deadline::after(LINGER));
    let mut scrap = [0; 4 << 10];
    while matches!(stream.read(&mut scrap), Ok(1..)) {}
}
