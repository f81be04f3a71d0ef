//! The server: accepts a client, leaves it to a thread of its own, and accepts the next,
//! until it is told to stop. On each connection requests come and responses go, one after
//! another.

use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use httpcore::Refusal;
use httpcore::body::{Body, Source};
use httpcore::handler::{Request, Router};
use httpcore::head::{self, Extent, Head, Method, Persistence, Scanner, Target};
use httpcore::reply::clock::Clock;
use httpcore::reply::{Frame, IntoResponse, send, send_last};
use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;

use crate::{BODY_LIMIT, ROOM, Site};

/// Serves clients, each in a thread of its own, until `shutdown` is told to stop or nobody
/// comes for `service.accept_timeout`. Returns when the last client has gone, which
/// a stop brings about within its drain limit.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(listener: TcpListener, service: &Site, shutdown: &Shutdown) -> io::Result<()> {
    let routes = &service.routes();
    let acceptor = Acceptor::new(listener, shutdown)?
        .give_up_after(service.accept_timeout)
        .at_most(service.max_clients);
    // The scope ends with its last thread: until then, they may borrow the service.
    thread::scope(|scope| {
        while let Some((stream, peer)) = acceptor.accept()? {
            let visit =
                move || visit(stream, peer, |stream| converse(stream, peer, service, routes));
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, visit) {
                log::warn!("{peer} dropped: no thread for it: {error}");
            }
        }
        Ok(())
    })
}

/// Requests and their responses, in order, until one side has had enough.
fn converse(
    stream: &mut Connection,
    peer: SocketAddr,
    service: &Site,
    routes: &Router,
) -> io::Result<()> {
    let (name, mut clock) = (peer.to_string(), Clock::default());
    let (mut input, mut output) = (Vec::new(), Vec::new());
    while let Some(received) = read_head(stream, peer, service, &mut input)? {
        let length = received.as_ref().map_or(input.len(), |extent| extent.length);
        // However long the head took.
        // A response may be long: its client has to go on taking it.
        stream.set_limits(Deadline::after(service.limits.total), service.limits.idle);
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
        let mut request = Request::new(&head, &target, Some(peer), body, BODY_LIMIT);
        let response = routes.respond(&mut request);
        // As much of it as the handler has left.
        let mut body = request.into_body();
        let mut frame = Frame::of(&head, clock.date(), &name);
        if !body.is_drainable() {
            frame.persistence = Persistence::Close;
        }
        // However long the request and its answer took; there is one deadline for both ways.
        body.stream().set_read_deadline(Deadline::after(service.limits.total));
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
    service: &Site,
    input: &mut Vec<u8>,
) -> io::Result<Option<Result<Extent, Refusal>>> {
    let total = Deadline::after(service.limits.total);
    let mut scanner = Scanner::default();
    let mut buf = [0; 4 << 10];
    loop {
        // Before the first read: it may have come with the last request.
        if let Some(received) = scanner.find_end(input).transpose() {
            return Ok(Some(received));
        }
        stream.set_deadline(total.or_sooner(Deadline::after(service.limits.idle)));
        let n = match stream.read(&mut buf) {
            Err(error) if error.kind() == ErrorKind::TimedOut && input.is_empty() => 0,
            read => read?,
        };
        if n == 0 {
            // The usual end: between two requests.
            return if input.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        input.extend_from_slice(&buf[..n]);
    }
}
