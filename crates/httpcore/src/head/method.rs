//! What is wanted of a resource.

use super::empty_line::without_empty_line;
use crate::refusal::Refusal;
use crate::status::Status;

/// The methods of RFC 9110 section 9 and PATCH (RFC 5789). Names are compared with
/// their case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "their names say what they are")]
pub enum Method {
    Get,
    Head,
    Post,
    Put,
    Delete,
    Patch,
    Options,
    Trace,
    Connect,
}

impl Method {
    const ALL: [(Method, &'static str); 9] = [
        (Method::Get, "GET"),
        (Method::Head, "HEAD"),
        (Method::Post, "POST"),
        (Method::Put, "PUT"),
        (Method::Delete, "DELETE"),
        (Method::Patch, "PATCH"),
        (Method::Options, "OPTIONS"),
        (Method::Trace, "TRACE"),
        (Method::Connect, "CONNECT"),
    ];

    /// The method of this name.
    pub fn parse(name: &[u8]) -> Option<Method> {
        Method::ALL.iter().find(|(_, known)| known.as_bytes() == name).map(|(method, _)| *method)
    }

    /// The method of this name.
    ///
    /// # Errors
    /// 501 where it is not known here.
    pub fn named(name: &[u8]) -> Result<Method, Refusal> {
        Method::parse(name).ok_or_else(Method::unknown)
    }

    pub(super) fn unknown() -> Refusal {
        let why = "this method is not known here; methods are written in upper case";
        Refusal::by("RFC 9110 section 15.6.2", Status::NOT_IMPLEMENTED, why)
    }

    /// What a head asks for that is refused: it may be nonsense, and incomplete. But a client
    /// that asks so reads no content (RFC 9110 section 9.3.2).
    pub fn of_refused(head: &[u8]) -> Method {
        if without_empty_line(head).starts_with(b"HEAD ") { Method::Head } else { Method::Get }
    }

    /// As it is written on the wire.
    pub fn name(self) -> &'static str {
        Method::ALL.iter().find(|(method, _)| *method == self).map_or("", |(_, name)| name)
    }
}
