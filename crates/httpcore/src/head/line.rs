//! The first line of a request: method, target, version. It is read once, as soon as it
//! is there.

use std::ops::Range;

use super::method::Method;
use crate::refusal::Refusal;
use crate::status::Status;

/// What the version means for the reply. 1.2 and later minor versions are answered as
/// 1.1 (RFC 9110 section 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Closes unless asked to stay, knows no chunks and no 100.
    Http10,
    /// Stays unless asked to close.
    Http11,
}

/// What the line says, and where its target lies in the head that it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestLine {
    /// `None` for a name that is not known here.
    pub(super) method: Option<Method>,
    target_start: usize,
    target_end: usize,
    pub(super) version: Version,
    /// Bytes of the head up to the end of the line.
    pub(super) length: usize,
}

impl RequestLine {
    /// What is wanted; `None` for a name that is not known here.
    pub fn method(&self) -> Option<Method> {
        self.method
    }

    /// Method, target and version with one space between them (RFC 9112 section 3).
    /// `place` is that of the line in the head, up to its line feed.
    pub(super) fn parse(head: &[u8], place: Range<usize>) -> Result<RequestLine, Refusal> {
        let Range { start, end: newline } = place;
        let line = without_cr(&head[start..newline]);
        let mut parts = line.split(|&byte| byte == b' ');
        let (method, target, version) =
            match (parts.next(), parts.next(), parts.next(), parts.next()) {
                (Some(method), Some(target), Some(version), None) => (method, target, version),
                (Some(_), Some(_), None, None) => {
                    return Err(Refusal::bad(
                        "RFC 9112 section 3",
                        "the request line has no version: HTTP/0.9 is not spoken",
                    ));
                }
                _ => {
                    return Err(Refusal::bad(
                        "RFC 9112 section 3",
                        "the request line is not: method, target, version",
                    ));
                }
            };
        if method.is_empty() || !method.iter().all(|&byte| is_token(byte)) {
            return Err(Refusal::bad("RFC 9110 section 9.1", "the method is not a name"));
        }
        if target.is_empty() || target.iter().any(|&byte| byte < b' ' || byte == 0x7f) {
            return Err(Refusal::bad(
                "RFC 9112 section 3.2",
                "the request target is empty or holds a control character",
            ));
        }
        let target_start = start + method.len() + 1;
        Ok(RequestLine {
            method: Method::parse(method),
            target_start,
            target_end: target_start + target.len(),
            version: parse_version(version)?,
            length: newline + 1,
        })
    }

    /// The target as it was sent, out of the head that the line belongs to.
    pub(super) fn target<'b>(&self, head: &'b [u8]) -> &'b [u8] {
        &head[self.target_start..self.target_end]
    }
}

fn parse_version(version: &[u8]) -> Result<Version, Refusal> {
    match version {
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'0'..=b'9'] => Ok(Version::Http11),
        [b'H', b'T', b'T', b'P', b'/', b'2'..=b'9', b'.', b'0'..=b'9'] => {
            let why = "this server speaks HTTP/1.1";
            Err(Refusal::by("RFC 9110 section 15.6.6", Status::VERSION_NOT_SUPPORTED, why))
        }
        _ => Err(Refusal::bad(
            "RFC 9112 section 2.3",
            "the request line does not end with a version such as HTTP/1.1",
        )),
    }
}

/// A line without the CR before its line feed. A bare line feed ends a line too
/// (RFC 9112 section 2.2).
pub(super) fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// The letters of names in HTTP (RFC 9110 section 5.6.2).
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
