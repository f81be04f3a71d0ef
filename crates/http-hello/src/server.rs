//! The server: accepts a client, leaves it to a thread of its own, and accepts the next,
//! until it is told to stop. Each client sends one request and gets one response.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;

use crate::{HEAD_LIMIT, Site};

/// Serves clients, each in a thread of its own, until `shutdown` is told to stop or nobody
/// comes for `service.accept_timeout`. Returns when the last client has gone, which
/// a stop brings about within its drain limit.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(listener: TcpListener, service: &Site, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?
        .give_up_after(service.accept_timeout)
        .at_most(service.max_clients);
    // The scope ends with its last thread: until then, they may borrow the service.
    thread::scope(|scope| {
        while let Some((stream, peer)) = acceptor.accept()? {
            let visit = move || visit(stream, peer, |stream| exchange(stream, peer, service));
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, visit) {
                log::warn!("{peer} dropped: no thread for it: {error}");
            }
        }
        Ok(())
    })
}

/// One request and its response. What the client sends behind the head is dropped when
/// the connection is closed, which is done in stages, so that the response arrives.
fn exchange(stream: &mut Connection, peer: SocketAddr, service: &Site) -> io::Result<()> {
    let Some(head) = read_head(stream, peer, service)? else { return Ok(()) };
    let (status, text) = match request_line(&head) {
        Some((method, path)) => service.reply(method, path),
        None => ("400 Bad Request", "this is not a request"),
    };
    // The length tells a whole text from one that was cut short, and the character set how
    // its bytes are read: without it, a browser guesses.
    let response = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    );
    log::debug!("{peer} sending {} bytes {}", response.len(), payload(response.as_bytes()));
    // However long the request took.
    stream.set_limits(Deadline::after(service.limits.total), service.limits.idle);
    stream.write_all(response.as_bytes())
}

/// Reads up to the empty line that ends a head; `None` where the client has sent nothing.
fn read_head(
    stream: &mut Connection,
    peer: SocketAddr,
    service: &Site,
) -> io::Result<Option<Vec<u8>>> {
    let total = Deadline::after(service.limits.total);
    let mut head = Vec::new();
    let mut buf = [0; 4 << 10];
    loop {
        stream.set_deadline(total.or_sooner(Deadline::after(service.limits.idle)));
        let n = stream.read(&mut buf)?;
        if n == 0 {
            // A browser opens connections that it does not use in the end.
            return if head.is_empty() { Ok(None) } else { Err(ErrorKind::UnexpectedEof.into()) };
        }
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        head.extend_from_slice(&buf[..n]);
        // The empty line may come in two parts, so all of the head is looked at again.
        if let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") {
            return Ok(Some(head[..end].to_vec()));
        }
        if head.len() > HEAD_LIMIT {
            return Err(io::Error::new(ErrorKind::InvalidData, "the head does not end"));
        }
    }
}

/// Method and path. The fields in the other lines are not looked at.
fn request_line(head: &[u8]) -> Option<(&str, &str)> {
    let line = head.split(|&byte| byte == b'\r').next()?;
    let mut words = str::from_utf8(line).ok()?.split(' ');
    match (words.next()?, words.next()?, words.next()?) {
        (method, path, "HTTP/1.0" | "HTTP/1.1") => Some((method, path)),
        _ => None,
    }
}
