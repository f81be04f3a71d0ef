//! One connection of HTTP: requests come and responses go, one after another.

use std::io::{self, ErrorKind, Read};
use std::net::SocketAddr;

use httpcore::Refusal;
use httpcore::body::{Body, Source};
use httpcore::handler::{Request, Router};
use httpcore::head::{self, Extent, Head, Method, Persistence, Scanner, Target};
use httpcore::reply::clock::Clock;
use httpcore::reply::{Frame, IntoResponse, send, send_last};
use netcore::connection::Connection;
use netcore::deadline::Deadline;

use crate::service::Service;

/// Bytes of a buffer for what comes behind a head: the lines between chunks are shorter.
const ROOM: usize = 4 << 10;

/// Requests and their responses, in order, until one side has had enough: as in
/// `http-handlers`.
///
/// # Errors
/// Those of the connection.
pub fn converse(
    stream: &mut Connection,
    peer: SocketAddr,
    service: &Service,
    routes: &Router,
) -> io::Result<()> {
    let (name, mut clock) = (peer.to_string(), Clock::default());
    let (mut input, mut output) = (Vec::new(), Vec::new());
    while let Some(received) = read_head(stream, peer, service, &mut input)? {
        let length = received.as_ref().map_or(input.len(), |extent| extent.length);
        // However long the head took.
        stream.set_deadline(Deadline::after(service.options.limits.total));
        // A body needs room for the lines between its chunks.
        let mut rest = input.split_off(length);
        let arrived = rest.len();
        rest.resize(arrived + ROOM, 0);
        let mut slots = head::slots();
        let head = received.and_then(|extent| Head::parse(&input, &extent.line, &mut slots));
        let checked = head.and_then(|head| Ok((Target::parse(head.method, head.target)?, head)));
        let (target, head) = match checked {
            Ok(checked) => checked,
            // Where the next request would begin is anybody's guess: this is the last one.
            Err(refusal) => {
                let method = Method::of_refused(&input);
                return send_last(stream, &name, method, refusal.into_response());
            }
        };
        let source = Source::new(stream, &mut rest, arrived);
        let body = Body::new(source, head.framing, head.expects_continue);
        let mut request = Request::new(&head, &target, Some(peer), body, service.options.max_text);
        let response = routes.respond(&mut request);
        // As much of it as the handler has left.
        let mut body = request.into_body();
        let mut frame = Frame::of(&head, clock.date(), &name);
        if !body.is_drainable() {
            frame.persistence = Persistence::Close;
        }
        // However long the request and its answer took; there is one deadline for both ways.
        body.stream().set_read_deadline(Deadline::after(service.options.limits.total));
        let sent = send(body.stream(), &mut output, &frame, response);
        sent.result?;
        // What nobody wanted of the body is read away, up to a limit.
        match (sent.persistence, body.drain()) {
            // What has come behind it belongs to the next request.
            (Persistence::Keep, Some(behind)) => input = rest[behind].to_vec(),
            _ => break,
        }
    }
    Ok(())
}

/// Reads until `input` begins with a whole head, or with what can be none; `None` where
/// the client has left or says nothing more.
fn read_head(
    stream: &mut Connection,
    peer: SocketAddr,
    service: &Service,
    input: &mut Vec<u8>,
) -> io::Result<Option<Result<Extent, Refusal>>> {
    let total = Deadline::after(service.options.limits.total);
    let mut scanner = Scanner::default();
    let mut buf = [0; 4 << 10];
    loop {
        // Before the first read: it may have come with the last request.
        if let Some(received) = scanner.find_end(input).transpose() {
            return Ok(Some(received));
        }
        stream.set_deadline(total.or_sooner(Deadline::after(service.options.limits.idle)));
        let n = match stream.read(&mut buf) {
            Err(error) if error.kind() == ErrorKind::TimedOut && input.is_empty() => 0,
            read => read?,
        };
        if n == 0 {
            // The usual end: between two requests.
            return if input.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
        // Without the bytes: a token is among them.
        log::debug!("{peer} received {n} bytes");
        input.extend_from_slice(&buf[..n]);
    }
}
