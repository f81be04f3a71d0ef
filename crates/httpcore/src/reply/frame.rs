//! The head of a response: what it says of itself, and what its request and its server
//! add.

use std::fmt;
use std::io::Write;

use netcore::log::payload;

use super::content::Content;
use super::html;
use super::page::page;
use super::response::{Response, has_field, without_field};
use super::rest::Rest;
use crate::head::{Fields, Head, Method, Persistence, Version};
use crate::status::Status;

/// Whether pages of other origins may read what is served here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cors {
    /// As browsers have it: no.
    SameOrigin,
    /// Every origin may.
    AnyOrigin,
}

/// What a response needs to know of its request and of its server.
pub struct Frame<'a> {
    /// HEAD gets no content.
    pub method: Method,
    /// HTTP/1.0 gets no chunks.
    pub version: Version,
    /// What is to happen to the connection.
    pub persistence: Persistence,
    /// For Accept, where there is a head that could be read.
    pub fields: Option<Fields<'a>>,
    /// The Date field.
    pub date: &'a str,
    /// The client's name in the log.
    pub name: &'a str,
    /// Header lines that every response of this server has.
    pub extra: &'a [u8],
    /// Whether every origin may read it, where nothing else says which.
    pub cors: Cors,
}

impl<'a> Frame<'a> {
    /// For a server that adds nothing of its own, and closes the connection.
    pub fn last(method: Method, date: &'a str, name: &'a str) -> Frame<'a> {
        Frame {
            method,
            version: Version::Http11,
            persistence: Persistence::Close,
            fields: None,
            date,
            name,
            extra: b"",
            cors: Cors::SameOrigin,
        }
    }

    /// As an answer to this request, after which the connection may go on.
    pub fn of(head: &Head<'a>, date: &'a str, name: &'a str) -> Frame<'a> {
        Frame {
            version: head.version,
            persistence: head.persistence,
            fields: Some(head.fields),
            ..Frame::last(head.method, date, name)
        }
    }
}

const ALLOW_ORIGIN: &str = "Access-Control-Allow-Origin";

/// What a page of another origin may see of a response beside what every page may
/// ([Fetch, CORS-safelisted](https://fetch.spec.whatwg.org/#cors-safelisted-response-header-name)): it takes these to
/// put a file together from its parts.
const EXPOSED: &str =
    "Access-Control-Expose-Headers: Accept-Ranges, Content-Range, ETag, Link, Retry-After";

/// Writes the head of `response` into `out`, which is empty, and returns what is to follow
/// it; and what has to happen to the connection then.
pub(super) fn begin(out: &mut Vec<u8>, frame: &Frame, response: Response) -> (Rest, Persistence) {
    let (status, fields, content) = response.into_parts();
    let mut persistence = frame.persistence;
    put(out, format_args!("HTTP/1.1 {} {}\r\n", status.0, status.reason()));
    for part in [b"Date: ", frame.date.as_bytes(), b"\r\n", &fields, frame.extra] {
        out.extend_from_slice(part);
    }
    if frame.cors == Cors::AnyOrigin
        && !has_field(&fields, ALLOW_ORIGIN)
        && !has_field(frame.extra, ALLOW_ORIGIN)
    {
        put(out, format_args!("{ALLOW_ORIGIN}: *\r\n{EXPOSED}\r\n"));
    }
    if status == Status::SERVICE_UNAVAILABLE && !has_field(&fields, "Retry-After") {
        out.extend_from_slice(b"Retry-After: 1\r\n");
    }
    // Whatever there is would be taken for the next response.
    let content = if status.has_no_content() { Content::Empty } else { content };
    let (length, rest) = match content {
        Content::Empty => (Some(0), Rest::Nothing),
        Content::Bytes(bytes) => (Some(bytes.len() as u64), Rest::Bytes(bytes, 0)),
        Content::Refusal(refusal) | Content::Failure(refusal) => {
            let (media_type, text) = page(&refusal, frame.fields.as_ref());
            describe(out, &fields, media_type, &text);
            (Some(text.len() as u64), Rest::Bytes(text.into_bytes().into(), 0))
        }
        Content::Stored(stored) => {
            // Content-Length is among them, and a media type that may have been replaced.
            match has_field(&fields, "Content-Type") {
                true => out.extend(without_field(&stored.fields, "Content-Type")),
                false => out.extend_from_slice(&stored.fields),
            }
            (None, Rest::Stored(stored, 0))
        }
        Content::File(parts) => (Some(parts.length()), Rest::file(parts)),
        Content::Stream(reader) => {
            let chunked = frame.version == Version::Http11;
            if chunked {
                out.extend_from_slice(b"Transfer-Encoding: chunked\r\n");
            } else {
                // The end of the connection is the only end that HTTP/1.0 knows for it.
                persistence = Persistence::Close;
            }
            (None, Rest::Stream { reader, chunked })
        }
    };
    if let Some(length) = length.filter(|_| !status.has_no_content()) {
        put(out, format_args!("Content-Length: {length}\r\n"));
    }
    let line: &[u8] = match (persistence, frame.version) {
        (Persistence::Close, _) => b"Connection: close\r\n\r\n",
        // A client of 1.0 reads to the end of the connection unless it is told that there is
        // none.
        (Persistence::Keep, Version::Http10) => b"Connection: keep-alive\r\n\r\n",
        (Persistence::Keep, Version::Http11) => b"\r\n",
    };
    out.extend_from_slice(line);
    let rest = if frame.method == Method::Head { Rest::Nothing } else { rest };
    let known = rest.length().unwrap_or(0);
    log::debug!("{} sending {} bytes {}", frame.name, out.len() as u64 + known, payload(out));
    (rest, persistence)
}

/// The header lines of a page that says what is wrong.
fn describe(out: &mut Vec<u8>, fields: &[u8], media_type: &str, text: &str) {
    put(
        out,
        format_args!(
            "Content-Type: {media_type}\r\nX-Content-Type-Options: nosniff\r\nVary: Accept\r\n"
        ),
    );
    if !has_field(fields, "Cache-Control") {
        out.extend_from_slice(b"Cache-Control: no-store\r\n");
    }
    if media_type.starts_with("text/html") {
        let policy = html::content_security_policy(text);
        put(out, format_args!("Content-Security-Policy: {policy}\r\n"));
    }
}

fn put(out: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // A vector takes everything.
    let _ = out.write_fmt(text);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::content::Stored;
    use super::*;
    use crate::refusal::Refusal;
    use crate::reply::IntoResponse;

    /// A client that meets two takes either.
    #[test]
    fn a_response_has_one_media_type_whatever_is_added_to_it() {
        let types = |response: Response| {
            let mut out = Vec::new();
            let typed = response.header("X-A", "b").header("content-type", "image/png");
            begin(&mut out, &Frame::last(Method::Get, "", ""), typed);
            let head = String::from_utf8(out).unwrap().to_ascii_lowercase();
            assert!(head.contains("\r\nx-a: b\r\n"), "{head}");
            head.lines()
                .filter_map(|line| Some(line.strip_prefix("content-type: ")?.to_string()))
                .collect::<Vec<_>>()
        };
        let fields = b"ETag: \"a\"\r\nContent-Type: text/html\r\nContent-Length: 0\r\n".to_vec();
        let stored = Arc::new(Stored { fields, bytes: Vec::new() });
        let kept = Response::from_parts(Status::OK, Vec::new(), Content::Stored(stored));
        assert_eq!(types(kept), ["image/png"]);
        assert_eq!(types(Response::text("x")), ["image/png"]);
        let refusal = Refusal::new(Status::NOT_FOUND, "x").into_response();
        assert_eq!(types(refusal), ["text/plain; charset=utf-8"]);
    }
}
