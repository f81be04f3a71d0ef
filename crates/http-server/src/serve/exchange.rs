//! One request and its response: what is checked before anybody is asked for one, and
//! what is noted of it.

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;

use netcore::log::payload;
use netcore::shutdown::Shutdown;

use httpcore::body::{Body, Progress, Source};
use httpcore::handler::Request;
use httpcore::head::{
    self, Fields, HEAD_LIMIT, Head, Method, Persistence, RequestLine, Target, host,
};
use httpcore::reply::clock::Clock;
use httpcore::reply::{Frame, IntoResponse, Outgoing, Response};
use httpcore::{Refusal, Status};

use super::access;
use super::service::{AccessLog, Hosts, Service};
use super::stream::ClientStream;

/// Room for a head, and behind it for what comes with it.
const BUFFER: usize = HEAD_LIMIT + (16 << 10);

/// What a thread uses for one connection after another.
#[derive(Debug)]
pub struct Desk {
    /// What comes in.
    pub input: Vec<u8>,
    /// All else.
    pub tools: Tools,
}

/// What a thread uses to answer.
pub struct Tools {
    /// What goes out.
    pub output: Vec<u8>,
    /// The time, written once a second.
    pub clock: Clock,
    /// What all connections share.
    pub service: Arc<Service>,
    /// Whether the server is stopping.
    pub shutdown: Shutdown,
    /// Nobody else waits for this thread.
    pub may_block: bool,
    /// There is a place for a client that has none.
    pub has_place: bool,
    /// Bytes of bodies that may be kept for handlers now.
    pub room: usize,
}

impl Desk {
    /// A desk for a thread that waits for nothing, or for one that may.
    pub fn new(service: &Arc<Service>, shutdown: &Shutdown, may_block: bool) -> Desk {
        let tools = Tools {
            output: Vec::new(),
            clock: Clock::default(),
            service: service.clone(),
            shutdown: shutdown.clone(),
            may_block,
            has_place: false,
            room: 0,
        };
        Desk { input: vec![0; BUFFER], tools }
    }

    /// Moves what is left of the input to its front. How much it is.
    pub fn move_to_front(&mut self, left: Range<usize>) -> usize {
        let length = left.len();
        self.input.copy_within(left, 0);
        length
    }
}

/// Who is at the other end.
#[derive(Debug)]
pub struct Client {
    /// The address; `None` on a Unix socket.
    pub peer: Option<SocketAddr>,
    /// Its name in the log.
    pub name: String,
}

/// A response that has been begun.
#[derive(Debug)]
pub struct Begun {
    /// What is left of it.
    pub outgoing: Outgoing,
    /// Its status, for the log.
    pub status: Status,
    /// What follows.
    pub after: After,
}

/// What follows a response.
#[derive(Debug)]
pub enum After {
    /// What is left of the body of its request, and another one.
    NextRequest(Progress),
    /// The end, which the client has asked for.
    Close,
    /// The end, for a client that may still be sending.
    Linger,
}

/// What has become of a request.
#[derive(Debug)]
pub struct Exchanged {
    /// Its response; or how far its body has come, where none is at hand.
    pub begun: Result<Begun, Progress>,
    /// What has arrived behind it, as a range of the buffer of the source.
    pub behind: Range<usize>,
}

/// Where a body comes from: what has arrived behind the head, then the connection.
pub struct Behind<'a> {
    /// The connection.
    pub stream: &'a mut ClientStream,
    /// Room for what is read, of which the first bytes have arrived.
    pub buf: &'a mut [u8],
    /// How many.
    pub arrived: usize,
    /// How far it had come, where it has been laid aside.
    pub progress: Option<Progress>,
}

/// Reads a head once more and for all, and gets a response from `ask`.
pub fn exchange(
    tools: &mut Tools,
    client: &Client,
    (head_bytes, line): (&[u8], &RequestLine),
    behind: Behind<'_>,
    ask: impl FnOnce(&Service, &mut Request<'_>) -> Option<Response>,
) -> Exchanged {
    let mut slots = head::slots();
    let head = match Head::parse(head_bytes, line, &mut slots) {
        Ok(head) => head,
        Err(refusal) => {
            let begun = Ok(refused(tools, client, head_bytes, None, refusal));
            return Exchanged { begun, behind: 0..0 };
        }
    };
    let target = match check(tools, client, &head) {
        Ok(target) => target,
        Err(refusal) => {
            let begun = Ok(refused(tools, client, head_bytes, Some(head.fields), refusal));
            return Exchanged { begun, behind: 0..0 };
        }
    };
    let Behind { stream, buf, arrived, progress } = behind;
    let source = Source::new(stream, buf, arrived);
    let body = match progress {
        Some(progress) => Body::resume(source, progress),
        None => Body::new(source, head.framing, head.expects_continue),
    };
    let limit = tools.service.limits.body;
    let mut request = Request::new(&head, &target, client.peer, body, limit);
    let response = survive(|| ask(&tools.service, &mut request));
    let body = request.into_body();
    let begun = response.map(|response| {
        let stays = head.persistence == Persistence::Keep
            && body.is_drainable()
            && !tools.shutdown.is_stopping();
        let output = std::mem::take(&mut tools.output);
        let frame = Frame {
            method: head.method,
            version: head.version,
            persistence: if stays { Persistence::Keep } else { Persistence::Close },
            fields: Some(head.fields),
            ..tools.frame(client)
        };
        // Who has not asked to close may have sent the next request already, or the rest of
        // this one.
        let is_last = head.persistence == Persistence::Close && body.remaining() == Some(0);
        let status = response.status();
        (Outgoing::new(output, &frame, response), status, is_last)
    });
    let (progress, behind) = body.lay_aside();
    let begun = match begun {
        None => Err(progress),
        Some((outgoing, status, is_last)) => {
            let after = match outgoing.persistence() {
                Persistence::Keep => After::NextRequest(progress),
                Persistence::Close if is_last => After::Close,
                Persistence::Close => After::Linger,
            };
            Ok(Begun { outgoing, status, after })
        }
    };
    Exchanged { begun, behind }
}

/// The answer to what cannot be served. `head` may be nonsense, and incomplete.
pub fn refused(
    tools: &mut Tools,
    client: &Client,
    head: &[u8],
    fields: Option<Fields<'_>>,
    refusal: Refusal,
) -> Begun {
    let response = refusal.into_response();
    let method = Method::of_refused(head);
    let output = std::mem::take(&mut tools.output);
    let (status, frame) = (response.status(), Frame { method, fields, ..tools.frame(client) });
    let outgoing = Outgoing::new(output, &frame, response);
    Begun { outgoing, status, after: After::Linger }
}

impl Tools {
    /// What all responses have: those that end the connection as well.
    fn frame<'a>(&'a mut self, client: &'a Client) -> Frame<'a> {
        Frame {
            extra: &self.service.extra,
            cors: self.service.cors,
            ..Frame::last(Method::Get, self.clock.date(), &client.name)
        }
    }

    /// A line in the access log, for a response that has been sent as far as it will be; and
    /// it is counted.
    pub fn log(&mut self, client: &Client, head: &[u8], since: Instant, begun: &Begun) {
        let is_shown = self.service.access_log == AccessLog::Shown;
        if !is_shown && self.service.metrics.is_none() {
            return;
        }
        let (status, bytes, took) = (begun.status, begun.outgoing.bytes(), since.elapsed());
        if let Some(metrics) = &self.service.metrics {
            metrics.response(status, bytes, took);
        }
        if is_shown {
            let (Client { peer, name }, date) = (client, self.clock.date());
            access::Line { peer: *peer, name, head, status, bytes, date, took }.write();
        }
    }
}

impl fmt::Debug for Tools {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tools").field("may_block", &self.may_block).finish_non_exhaustive()
    }
}

/// What has to be right before anybody is asked for a response.
fn check<'b>(tools: &Tools, client: &Client, head: &Head<'b>) -> Result<Target<'b>, Refusal> {
    let target = Target::parse(head.method, head.target)?;
    let host = target.authority.or(head.fields.get("host")).unwrap_or_default();
    // No page of the web reaches a socket file: its clients may say what they like.
    if client.peer.is_some()
        && let Hosts::LocalAnd(allowed) = &tools.service.hosts
        && !host::is_local(host, allowed)
    {
        return Err(tools.service.strange_host(host));
    }
    Ok(target)
}

/// A handler that panics has failed at one request: 500, and the server goes on.
fn survive(ask: impl FnOnce() -> Option<Response>) -> Option<Response> {
    catch_unwind(AssertUnwindSafe(ask)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| text.to_string());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        log::error!("a handler panicked: {}", payload(text.as_bytes()));
        Some(Status::INTERNAL_SERVER_ERROR.into_response())
    })
}

/// The answer to a client that there is no place for.
pub fn turned_away(service: &Service) -> Refusal {
    let why = format!("all {} places are taken; try again soon", service.limits.clients);
    Refusal::by("RFC 9110 section 15.6.4", Status::SERVICE_UNAVAILABLE, why)
}
