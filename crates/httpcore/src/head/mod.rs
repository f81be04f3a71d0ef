//! The head of a request: what it says, by the strict reading of
//! [RFC 9112](https://www.rfc-editor.org/rfc/rfc9112).
//!
//! Two readers that understand one head differently are how requests are smuggled past
//! a proxy. So whatever the RFC leaves a choice about is refused here, with a sentence
//! that says what was wrong.

mod empty_line;
mod fields;
mod framing;
pub mod host;
mod line;
mod method;
mod reply;
mod scanner;
pub mod target;

use httparse::Header;

use self::framing::Framed;
use self::line::without_cr;
use crate::refusal::Refusal;
use crate::status::Status;

pub use self::empty_line::{EMPTY_LINE, without_empty_line};
pub use self::fields::Fields;
pub use self::framing::{Framing, Persistence};
pub use self::line::{RequestLine, Version, is_token};
pub use self::method::Method;
pub use self::reply::ReplyHead;
pub use self::scanner::{Extent, HEAD_LIMIT, LINE_LIMIT, Scanner};
pub use self::target::Target;

/// Fields of a head. Past it: 431.
pub const FIELD_LIMIT: usize = 100;

/// Room for the fields of one head.
pub type FieldSlots<'b> = [Header<'b>; FIELD_LIMIT];

/// Empty room for the fields of one head.
pub fn slots<'b>() -> FieldSlots<'b> {
    [httparse::EMPTY_HEADER; FIELD_LIMIT]
}

/// A head that has passed every check.
#[derive(Debug)]
pub struct Head<'b> {
    /// What is wanted of the target.
    pub method: Method,
    /// The target as it was sent; [`Target`] reads it.
    pub target: &'b [u8],
    /// What the client can understand.
    pub version: Version,
    /// The header fields.
    pub fields: Fields<'b>,
    /// Where the body ends.
    pub framing: Framing,
    /// Whether the connection may go on.
    pub persistence: Persistence,
    /// Whether the client waits for 100 (Continue) before it sends the body.
    pub expects_continue: bool,
}

impl<'b> Head<'b> {
    /// Reads a whole head and nothing behind it, as [`Scanner::find_end`] delimits it;
    /// `line` is what that has read already.
    ///
    /// # Errors
    /// The status that the RFC asks for, with the reason.
    pub fn parse(
        bytes: &'b [u8],
        line: &RequestLine,
        slots: &'b mut FieldSlots<'b>,
    ) -> Result<Head<'b>, Refusal> {
        let rest = &bytes[line.length..];
        let list = match httparse::parse_headers(rest, slots) {
            Ok(httparse::Status::Complete((_, list))) => list,
            Err(httparse::Error::TooManyHeaders) => {
                let why = format!("more than {FIELD_LIMIT} header fields");
                return Err(Refusal::by("RFC 6585 section 5", Status::FIELDS_TOO_LARGE, why));
            }
            Ok(httparse::Status::Partial) | Err(_) => return Err(what_is_wrong(rest)),
        };
        let framed = Framed::of(list, line.version)?;
        let method = line.method.ok_or_else(Method::unknown)?;
        Ok(Head {
            method,
            target: line.target(bytes),
            version: line.version,
            fields: Fields::new(list),
            framing: framed.framing,
            persistence: framed.persistence,
            expects_continue: framed.expects_continue,
        })
    }
}

/// The parser has refused a line; says which rule it breaks.
fn what_is_wrong(fields: &[u8]) -> Refusal {
    for line in fields.split(|&byte| byte == b'\n').map(without_cr) {
        if line.contains(&0) {
            return Refusal::bad("RFC 9110 section 5.5", "a header field holds a NUL");
        }
        if line.contains(&b'\r') {
            return Refusal::bad("RFC 9112 section 2.2", "a bare CR in a header field");
        }
        if matches!(line.first(), Some(b' ' | b'\t')) {
            return Refusal::bad("RFC 9112 section 5.2", "a folded header line");
        }
        let name = line.split(|&byte| byte == b':').next().unwrap_or_default();
        if name.len() == line.len() && !line.is_empty() {
            return Refusal::bad("RFC 9112 section 5", "a header line without a colon");
        }
        if matches!(name.last(), Some(b' ' | b'\t')) {
            return Refusal::bad(
                "RFC 9112 section 5.1",
                "white space before the colon of a header field",
            );
        }
    }
    Refusal::bad("RFC 9112 section 5", "a header field that is not: name, colon, value")
}

#[cfg(test)]
mod tests;
