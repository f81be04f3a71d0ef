//! Requests that an HTTP server must refuse in the right words (RFC 9110, RFC 9112).

use std::io::{self, Write};

use super::replies::listen_after;
use super::{HTTP, fault};
use crate::Proof::Answered;
use crate::answer::statuses;
use crate::peer::{connect, name};
use crate::{Fault, Running, Target};

/// More than any limit on a head.
const ENDLESS: usize = 1 << 20;

/// What a large body that nobody asked for says that it has, and sends.
const BODY: usize = 8 << 20;

/// RFC 9110 section 15.5.15.
pub const ENDLESS_LINE: Fault =
    fault("endless-line", "a request line that does not end", HTTP, Answered, endless_line);

fn endless_line(target: &Target) -> io::Result<Running> {
    answered(target, &[b"GET /", &vec![b'a'; ENDLESS][..]].concat(), 414)
}

/// RFC 6585 section 5.
pub const ENDLESS_HEAD: Fault =
    fault("endless-head", "a head that does not end", HTTP, Answered, endless_head);

fn endless_head(target: &Target) -> io::Result<Running> {
    let field = b"X-Padding: 0123456789\r\n";
    let fields = field.repeat(ENDLESS / field.len());
    answered(target, &[b"GET / HTTP/1.1\r\nHost: localhost\r\n", &fields[..]].concat(), 431)
}

/// RFC 9112 section 6.1: where one server believes the first length and another one the
/// second, a request hides inside the body.
pub const TWO_LENGTHS: Fault = fault(
    "two-lengths",
    "a request with two lengths, which proxies smuggle by",
    HTTP,
    Answered,
    two_lengths,
);

fn two_lengths(target: &Target) -> io::Result<Running> {
    let request =
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 36\r\nTransfer-Encoding: chunked\r\n\r\n\
        0\r\n\r\nGET /hidden HTTP/1.1\r\nHost: localhost\r\n\r\n";
    answered(target, request, 400)
}

/// RFC 9112 section 3.2.
pub const NO_HOST: Fault = fault("no-host", "a request without a Host", HTTP, Answered, no_host);

fn no_host(target: &Target) -> io::Result<Running> {
    answered(target, b"GET / HTTP/1.1\r\n\r\n", 400)
}

/// RFC 9110 section 15.5.20.
pub const STRANGE_HOST: Fault = fault(
    "strange-host",
    "a request for another site, as in DNS rebinding",
    HTTP,
    Answered,
    strange_host,
);

fn strange_host(target: &Target) -> io::Result<Running> {
    answered(target, b"GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n", 421)
}

/// Without a version, and so without a head.
pub const OLD_DIALECT: Fault =
    fault("old-dialect", "a request in the manner of HTTP/0.9", HTTP, Answered, old_dialect);

fn old_dialect(target: &Target) -> io::Result<Running> {
    answered(target, b"GET /\r\n\r\n", 400)
}

/// RFC 9112 section 7.1. The target is answered without its body, so the refusal is the
/// end of the connection: no request is looked for behind it.
pub const BAD_CHUNK: Fault =
    fault("bad-chunk", "a body whose chunks are not framed right", HTTP, Answered, bad_chunk);

fn bad_chunk(target: &Target) -> io::Result<Running> {
    let request = b"GET / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n\
        hello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    answered(target, request, 200)
}

/// Its request is answered, and it is not read to its end.
pub const UNREAD_BODY: Fault =
    fault("unread-body", "a large body that nobody asked for", HTTP, Answered, unread_body);

fn unread_body(target: &Target) -> io::Result<Running> {
    let head = format!("GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {BODY}\r\n\r\n");
    answered(target, &[head.as_bytes(), &vec![0; BODY][..]].concat(), 200)
}

/// Sends `bytes` and expects one response with this status, and then the end.
fn answered(target: &Target, bytes: &[u8], status: u16) -> io::Result<Running> {
    let stream = connect(target)?;
    let peer = name(&stream)?;
    let (reply, _) = listen_after(&stream, |timed| {
        // A server that has seen enough answers and closes. What it does not take any more is
        // of no interest.
        let _ = timed.write_all(bytes);
        Ok(())
    })
    .unwrap_or_default();
    let verdict = match statuses(&reply).as_slice() {
        [one] if *one == status => Ok(format!("was answered {status}")),
        [] => Err(format!("was not answered {status}, nor anything else")),
        others => Err(format!("was answered {others:?}, and {status} is due")),
    };
    Ok(Running::judged(&target.address, vec![peer], verdict))
}
