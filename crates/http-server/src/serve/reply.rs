//! The one way for a response to a client: sent, and a line in the access log.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use httpcore::head::{Fields, HEAD_LIMIT, Method, Persistence, Version};
use httpcore::reply::clock::Clock;
use httpcore::reply::{Frame, IntoResponse, Response, Sent, send};
use httpcore::stream::Stream;
use httpcore::{Refusal, Status};

use super::access;
use super::service::{AccessLog, Service};

/// Room for a head, and behind it for what comes with it.
const BUFFER: usize = HEAD_LIMIT + (16 << 10);

/// What a worker uses for one connection after another.
#[derive(Debug)]
pub struct Buffers {
    /// What comes in.
    pub input: Vec<u8>,
    /// What goes out.
    pub output: Vec<u8>,
    /// The time, written once a second.
    pub clock: Clock,
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

/// What a response needs to know of its request: all of it, or what can be guessed where
/// the head is nonsense.
pub struct Asked<'a> {
    /// The head, as far as it came.
    pub head: &'a [u8],
    /// When it was whole.
    pub since: Instant,
    /// What was asked for.
    pub method: Method,
    /// What the client understands.
    pub version: Version,
    /// The fields, where there are any.
    pub fields: Option<Fields<'a>>,
}

impl<'a> Asked<'a> {
    /// A head that says little or nothing.
    pub fn unclear(head: &'a [u8], fields: Option<Fields<'a>>) -> Asked<'a> {
        // What else the line says may be nonsense; but a client that asks so reads no content.
        let method = if head.starts_with(b"HEAD ") { Method::Head } else { Method::Get };
        Asked { head, since: Instant::now(), method, version: Version::Http11, fields }
    }
}

/// What sends responses to one client, and logs them: those of handlers and refusals
/// alike.
pub struct Replier<'a> {
    /// Who gets them.
    pub client: &'a Client<'a>,
    /// What is added to each, and whether it is logged.
    pub service: &'a Service,
    /// A buffer that is used again and again.
    pub output: &'a mut Vec<u8>,
    /// The time in the Date field.
    pub clock: &'a mut Clock,
}

impl Replier<'_> {
    /// Sends a response; the connection is to `persist` or not.
    pub fn send(
        &mut self,
        stream: &mut dyn Stream,
        asked: &Asked,
        persistence: Persistence,
        response: Response,
    ) -> Sent {
        let frame = Frame {
            method: asked.method,
            version: asked.version,
            persistence,
            fields: asked.fields,
            date: self.clock.date(),
            name: self.client.name,
            extra: &self.service.extra,
            cors: self.service.cors,
        };
        let status = response.status();
        let sent = send(stream, self.output, &frame, response);
        if self.service.access_log == AccessLog::Shown {
            let Client { peer, name } = *self.client;
            let (bytes, took) = (sent.bytes, asked.since.elapsed());
            let (head, date) = (asked.head, self.clock.date());
            access::Line { peer, name, head, status, bytes, date, took }.write();
        }
        sent
    }

    /// Answers what cannot be served. The connection has to end then: where the next
    /// request begins is anybody's guess.
    ///
    /// # Errors
    /// What writing says.
    pub fn refuse(
        &mut self,
        stream: &mut dyn Stream,
        asked: &Asked,
        refusal: Refusal,
    ) -> io::Result<()> {
        self.send(stream, asked, Persistence::Close, refusal.into_response()).result
    }
}

/// Answers a client that there is no slot for, without serving it.
///
/// # Errors
/// What writing says.
pub fn turn_away(
    stream: &mut dyn Stream,
    client: &Client,
    service: &Service,
    buffers: &mut Buffers,
) -> io::Result<()> {
    let Buffers { input, output, clock } = buffers;
    // To close with a request unread would be a reset, and the answer lost.
    let arrived = stream.read(input).unwrap_or(0);
    let why = format!("all {} places are taken; try again soon", service.limits.clients);
    let refusal = Refusal::by("RFC 9110 section 15.6.4", Status::SERVICE_UNAVAILABLE, why);
    let asked = Asked::unclear(&input[..arrived], None);
    Replier { client, service, output, clock }.refuse(stream, &asked, refusal)
}
