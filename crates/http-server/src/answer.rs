//! Answers that no handler gives: to what is no request, and to whoever finds no seat.
//! And the line in the access log, which every answer has.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::time::Instant;

use crate::access;
use crate::clock::Clock;
use crate::fields::Fields;
use crate::head::{Persistence, Version};
use crate::method::Method;
use crate::refusal::Refusal;
use crate::response::IntoResponse;
use crate::scanner::HEAD_LIMIT;
use crate::send::{Frame, Sent, send};
use crate::service::{AccessLog, Service};
use crate::status::Status;
use crate::stream::Stream;

/// Room for a head, and behind it for what comes with it.
const BUFFER: usize = HEAD_LIMIT + (16 << 10);

/// What a worker uses for one connection after another.
#[derive(Debug)]
pub struct Buffers {
    pub(crate) input: Vec<u8>,
    pub(crate) output: Vec<u8>,
    pub(crate) clock: Clock,
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

/// What it takes to answer a client, at the table or not.
pub(crate) struct Answers<'a> {
    pub(crate) client: &'a Client<'a>,
    pub(crate) service: &'a Service,
    pub(crate) output: &'a mut Vec<u8>,
    pub(crate) clock: &'a mut Clock,
}

impl Answers<'_> {
    /// Answers what cannot be served. The connection has to end then: where the next
    /// request begins is anybody's guess.
    pub(crate) fn refuse(
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
            cors: self.service.cors,
        };
        let status = refusal.status;
        let sent = send(stream, self.output, &frame, refusal.into_response());
        self.report(head, status, &sent, started);
        sent.result
    }

    pub(crate) fn report(&mut self, head: &[u8], status: Status, sent: &Sent, started: Instant) {
        if self.service.access_log == AccessLog::Shown {
            let (peer, bytes, took) = (self.client.peer, sent.bytes, started.elapsed());
            access::Line { peer, head, status, bytes, date: self.clock.date(), took }.write();
        }
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
