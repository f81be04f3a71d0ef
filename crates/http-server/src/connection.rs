//! One connection: requests in, responses out, one after another, until one of the two sides has had enough.

use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;
use netcore::log::payload;

use crate::access;
use crate::body::{self, Body, Source};
use crate::clock::Clock;
use crate::fields::Fields;
use crate::head::{FIELD_LIMIT, HEAD_LIMIT, Head, Method, Persistence, Scanner, Version};
use crate::host;
use crate::refusal::Refusal;
use crate::request::Request;
use crate::response::{IntoResponse, Response};
use crate::send::{Frame, Sent, send};
use crate::service::{AccessLog, Hosts, Service};
use crate::status::Status;
use crate::stream::Stream;
use crate::table::{Claim, Seat};
use crate::target::Target;

/// Room for a head, and behind it for what comes with it.
const BUFFER: usize = HEAD_LIMIT + (16 << 10);

/// How long an ended connection is still read from. A client that is still sending would otherwise be told of a
/// reset, and lose the response that says why (RFC 9112 section 9.6).
const LINGER: Duration = Duration::from_secs(1);

/// What a worker uses for one connection after another.
#[derive(Debug)]
pub struct Buffers {
    input: Vec<u8>,
    output: Vec<u8>,
    clock: Clock,
}

impl Default for Buffers {
    fn default() -> Buffers {
        Buffers { input: vec![0; BUFFER], output: Vec::new(), clock: Clock::default() }
    }
}

/// Who is at the other end.
#[derive(Debug)]
pub struct Client<'a> {
    /// The address; `None` on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// Its name in the log.
    pub name: &'a str,
}

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
    let mut filled = 0;
    // A new client has nothing to wait for.
    let mut patience = service.limits.head;
    loop {
        let head_length = match visit.receive(stream, input, &mut filled, patience)? {
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

/// Answers a client that there is no seat for, without serving it.
///
/// # Errors
/// What writing says.
pub fn turn_away(
    stream: &mut Stream,
    client: &Client,
    service: &Service,
    buffers: &mut Buffers,
) -> io::Result<()> {
    let Buffers { input, output, clock } = buffers;
    // To close with a request unread would be a reset, and the answer lost.
    let arrived = stream.read(input).unwrap_or(0);
    let why = format!("all {} places are taken; try again soon", service.limits.clients);
    let refusal = Refusal::by("RFC 9110 section 15.6.4", Status::SERVICE_UNAVAILABLE, why);
    Answers { client, service, output, clock }.refuse(stream, &input[..arrived], None, refusal)
}

enum Received {
    Head(usize),
    /// The client has gone, has said nothing for too long, or was closed to make room.
    Nothing,
    Refused(Refusal),
}

enum Next {
    /// The connection goes on, and this much of the rest of the buffer has arrived of it.
    Request(std::ops::Range<usize>),
    Close,
    Linger,
}

struct Visit<'a> {
    seat: &'a Seat<'a>,
    answers: Answers<'a>,
}

impl Visit<'_> {
    /// Reads until `input` begins with a whole head.
    fn receive(
        &mut self,
        stream: &mut Stream,
        input: &mut [u8],
        filled: &mut usize,
        patience: Duration,
    ) -> io::Result<Received> {
        let mut scanner = Scanner::default();
        let mut skipped = Skipped::Nothing;
        let mut deadline = if *filled == 0 {
            if self.seat.wait() == Claim::Lost {
                return Ok(Received::Nothing);
            }
            Deadline::after(patience)
        } else {
            Deadline::after(self.answers.service.limits.head)
        };
        loop {
            // Some clients send an empty line behind a body that they do not count (RFC 9112 section 2.2).
            if skipped == Skipped::Nothing && input[..*filled].starts_with(b"\r\n") {
                input.copy_within(2..*filled, 0);
                *filled -= 2;
                skipped = Skipped::EmptyLine;
            }
            // A CR alone may become such a line.
            if *filled > 0 && input[..*filled] != *b"\r" {
                match scanner.find_end(&input[..*filled]) {
                    Ok(Some(length)) => return Ok(Received::Head(length)),
                    Ok(None) => {}
                    Err(refusal) => return Ok(Received::Refused(refusal)),
                }
            }
            stream.set_read_deadline(deadline);
            match stream.read(&mut input[*filled..]) {
                // The end of the stream, between two requests.
                Ok(0) if *filled == 0 => return Ok(Received::Nothing),
                // Nobody will ever complete this head, so there is nothing to answer.
                Ok(0) => {
                    let why = "the connection ended in the middle of a head";
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, why));
                }
                Ok(n) => {
                    log::debug!(
                        "{} received {n} bytes {}",
                        self.answers.client.name,
                        payload(&input[*filled..*filled + n])
                    );
                    if *filled == 0 && skipped == Skipped::Nothing {
                        if self.seat.begin() == Claim::Lost {
                            return Ok(Received::Nothing);
                        }
                        // One point in time for the whole head, however slowly it drips.
                        deadline = Deadline::after(self.answers.service.limits.head);
                    }
                    *filled += n;
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    return Ok(if *filled == 0 {
                        Received::Nothing
                    } else {
                        let why = "the head of the request did not come in time";
                        Received::Refused(Refusal::by(
                            "RFC 9110 section 15.5.9",
                            Status::REQUEST_TIMEOUT,
                            why,
                        ))
                    });
                }
                // Some clients leave so between two requests.
                Err(error) if error.kind() == ErrorKind::ConnectionReset && *filled == 0 => {
                    return Ok(Received::Nothing);
                }
                Err(error) => return Err(error),
            }
        }
    }

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
        stream.set_read_deadline(body::deadline());
        let body = Body::new(Source::new(stream, rest, arrived), head.framing, head.expects_continue);
        let mut request =
            Request::new(&head, &target, self.answers.client.peer, body, self.answers.service.limits.body);
        let response = respond(self.answers.service, &mut request);
        let mut body = request.into_body();

        let stays = head.persistence == Persistence::Keep && body.is_drainable() && !self.seat.is_ending();
        let frame = Frame {
            method: head.method,
            version: head.version,
            persistence: if stays { Persistence::Keep } else { Persistence::Close },
            fields: Some(head.fields),
            date: self.answers.clock.date(),
            name: self.answers.client.name,
            extra: &self.answers.service.extra,
        };
        let status = response.status();
        let sent = send(body.stream(), self.answers.output, &frame, response);
        self.answers.report(head_bytes, status, &sent, started);
        sent.result?;
        if sent.persistence == Persistence::Close {
            // Who has not asked to close may have sent the next request already, or the rest of this one.
            let is_last = head.persistence == Persistence::Close && body.remaining() == Some(0);
            return Ok(if is_last { Next::Close } else { Next::Linger });
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
            let why = format!("this server does not answer to {host:?}; --allow-host {host} makes it");
            return Err(Refusal::by("RFC 9110 section 15.5.20", Status::MISDIRECTED_REQUEST, why));
        }
        Ok(target)
    }
}

/// What it takes to answer a client, at the table or not.
struct Answers<'a> {
    client: &'a Client<'a>,
    service: &'a Service,
    output: &'a mut Vec<u8>,
    clock: &'a mut Clock,
}

impl Answers<'_> {
    /// Answers what cannot be served. The connection has to end then: where the next request begins is anybody's guess.
    fn refuse(
        &mut self,
        stream: &mut Stream,
        head: &[u8],
        fields: Option<Fields>,
        refusal: Refusal,
    ) -> io::Result<()> {
        let started = Instant::now();
        let frame = Frame {
            // What else the line says may be nonsense; but a client that asks so reads no content.
            method: if head.starts_with(b"HEAD ") { Method::Head } else { Method::Get },
            version: Version::Http11,
            persistence: Persistence::Close,
            fields,
            date: self.clock.date(),
            name: self.client.name,
            extra: &self.service.extra,
        };
        let status = refusal.status;
        let sent = send(stream, self.output, &frame, refusal.into_response());
        self.report(head, status, &sent, started);
        sent.result
    }

    fn report(&mut self, head: &[u8], status: Status, sent: &Sent, started: Instant) {
        if self.service.access_log == AccessLog::Shown {
            let (peer, bytes, took) = (self.client.peer, sent.bytes, started.elapsed());
            access::Line { peer, head, status, bytes, date: self.clock.date(), took }.write();
        }
    }
}

#[derive(PartialEq, Eq)]
enum Skipped {
    Nothing,
    EmptyLine,
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

/// Says that no more will come and reads what the client still sends, for [`LINGER`] at most.
fn linger(stream: &mut Stream) {
    if stream.end_writing().is_err() {
        return;
    }
    stream.set_read_deadline(Deadline::after(LINGER));
    let mut scrap = [0; 4 << 10];
    while matches!(stream.read(&mut scrap), Ok(1..)) {}
}
