//! What a handler returns: a value that says everything, and writes nothing.

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use crate::head::is_token;
use crate::refusal::Refusal;
use crate::status::Status;

/// A response. Date, Content-Length, Connection and the framing are added when it is sent.
#[derive(Debug)]
pub struct Response {
    pub(crate) status: Status,
    /// Whole lines, `Name: value\r\n` each.
    pub(crate) fields: Vec<u8>,
    pub(crate) content: Content,
}

/// The body of a response.
pub(crate) enum Content {
    Empty,
    Bytes(Cow<'static, [u8]>),
    /// Its page is made when it is sent, in the form that the client asks for.
    Refusal(Refusal),
    /// A small file that is kept in memory, with its header lines.
    Stored(Arc<Stored>),
    File(Parts),
    Stream(Box<dyn Read + Send>),
}

/// A small file with its header lines ready-made, so that a request for it copies and formats nothing.
#[derive(Debug)]
pub(crate) struct Stored {
    pub(crate) fields: Vec<u8>,
    pub(crate) bytes: Vec<u8>,
}

/// Parts of one file, with text between them where there are several.
#[derive(Debug)]
pub(crate) struct Parts {
    /// Perhaps of several responses at once, so that its own position means nothing.
    pub(crate) file: Arc<File>,
    pub(crate) list: Vec<Part>,
}

#[derive(Debug)]
pub(crate) enum Part {
    Text(Vec<u8>),
    Slice(Range<u64>),
}

impl Parts {
    pub(crate) fn length(&self) -> u64 {
        self.list
            .iter()
            .map(|part| match part {
                Part::Text(text) => text.len() as u64,
                Part::Slice(slice) => slice.end - slice.start,
            })
            .sum()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Content::Empty => "Empty",
            Content::Bytes(_) => "Bytes",
            Content::Refusal(_) => "Refusal",
            Content::Stored(_) => "Stored",
            Content::File(_) => "File",
            Content::Stream(_) => "Stream",
        })
    }
}

impl Response {
    /// A response without content.
    pub fn new(status: Status) -> Response {
        Response { status, fields: Vec::new(), content: Content::Empty }
    }

    /// 200 with plain text in UTF-8.
    pub fn text(text: impl Into<Cow<'static, str>>) -> Response {
        let bytes = match text.into() {
            Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
            Cow::Owned(text) => Cow::Owned(text.into_bytes()),
        };
        Response::new(Status::OK).with_content("text/plain; charset=utf-8", bytes)
    }

    /// 200 with HTML in UTF-8.
    pub fn html(html: impl Into<String>) -> Response {
        Response::new(Status::OK).with_content("text/html; charset=utf-8", html.into().into_bytes())
    }

    /// 200 with JSON that has been written already.
    pub fn json(json: impl Into<String>) -> Response {
        Response::new(Status::OK).with_content("application/json", json.into().into_bytes())
    }

    /// 200 with bytes of any type.
    pub fn bytes(media_type: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Response {
        Response::new(Status::OK).with_content(media_type, bytes)
    }

    /// 200 with content whose length is not known: sent in chunks, or to the end of the connection on HTTP/1.0.
    pub fn stream(reader: impl Read + Send + 'static) -> Response {
        Response { content: Content::Stream(Box::new(reader)), ..Response::new(Status::OK) }
    }

    /// The same with another status.
    pub fn with_status(self, status: Status) -> Response {
        Response { status, ..self }
    }

    /// The same with content of a media type.
    pub fn with_content(self, media_type: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Response {
        let typed = self.header("Content-Type", media_type);
        Response { content: Content::Bytes(bytes.into()), ..typed }
    }

    /// The same with one more header field. Content-Type replaces the one that is there.
    ///
    /// A value that holds a line end would smuggle in further fields, and a length of one's own would make the client
    /// lose track of where the response ends; so these make the whole response a 500. Their reason is in the log.
    pub fn header(mut self, name: &str, value: &str) -> Response {
        match field_line(name, value) {
            Ok(line) => {
                if name.eq_ignore_ascii_case("content-type") {
                    self.remove(name);
                }
                self.fields.extend_from_slice(line.as_bytes());
                self
            }
            Err(error) => error.into_response(),
        }
    }

    fn remove(&mut self, name: &str) {
        let is_other = |line: &&[u8]| {
            !line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
                || line.get(name.len()) != Some(&b':')
        };
        self.fields =
            self.fields.split_inclusive(|&byte| byte == b'\n').filter(is_other).collect::<Vec<_>>().concat();
    }

    /// The status that it has now.
    pub fn status(&self) -> Status {
        self.status
    }
}

/// The fields that say where a response ends and what becomes of the connection: the server's own.
const RESERVED: [&str; 6] =
    ["connection", "content-length", "date", "keep-alive", "trailer", "transfer-encoding"];

/// `Name: value\r\n`, checked.
///
/// # Errors
/// `InvalidInput` for what could be taken for more than one field, and for those that only the server sets.
pub fn field_line(name: &str, value: &str) -> io::Result<String> {
    let is_value = !value.bytes().any(|byte| (byte < b' ' && byte != b'\t') || byte == 0x7f);
    if name.is_empty() || !name.bytes().all(is_token) || !is_value {
        let why = format!("{name:?}: {value:?} is not a header field");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    if RESERVED.iter().any(|reserved| name.eq_ignore_ascii_case(reserved)) {
        let why = format!("{name} is set by the server itself");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(format!("{name}: {value}\r\n"))
}

/// What can be returned from a handler.
pub trait IntoResponse {
    /// Makes the response.
    fn into_response(self) -> Response;
}

impl IntoResponse for Response {
    fn into_response(self) -> Response {
        self
    }
}

impl IntoResponse for &'static str {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for String {
    fn into_response(self) -> Response {
        Response::text(self)
    }
}

impl IntoResponse for Vec<u8> {
    fn into_response(self) -> Response {
        Response::bytes("application/octet-stream", self)
    }
}

impl IntoResponse for Status {
    /// A status of an error gets a page that says so.
    fn into_response(self) -> Response {
        if self.0 < 400 {
            Response::new(self)
        } else {
            Refusal::new(self, self.reason().to_lowercase()).into_response()
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        Response { content: Content::Refusal(self.clone()), ..Response::new(self.status) }
    }
}

impl IntoResponse for io::Error {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}

impl<T: IntoResponse, E: IntoResponse> IntoResponse for Result<T, E> {
    fn into_response(self) -> Response {
        match self {
            Ok(value) => value.into_response(),
            Err(error) => error.into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_would_be_two_makes_the_response_a_500() {
        for (name, value) in [
            ("A", "b\r\nC: d"),
            ("A", "b\nc"),
            ("A b", "c"),
            ("A:", "b"),
            ("", "b"),
            ("A", "\0"),
            ("content-length", "1"),
            ("Transfer-Encoding", "chunked"),
        ] {
            assert_eq!(
                Response::text("x").header(name, value).status(),
                Status::INTERNAL_SERVER_ERROR,
                "{name:?}"
            );
        }
        let response = Response::new(Status::OK).header("X-Tab", "a\tb\u{44f}");
        assert_eq!(response.fields, "X-Tab: a\tb\u{44f}\r\n".as_bytes());
    }

    #[test]
    fn a_media_type_replaces_the_one_before() {
        let response = Response::text("a,b").header("X-A", "b").header("content-type", "text/csv");
        assert_eq!(response.fields, b"X-A: b\r\ncontent-type: text/csv\r\n");
    }

    #[test]
    fn values_become_responses() {
        assert_eq!("text".into_response().status(), Status::OK);
        assert_eq!(Status::NO_CONTENT.into_response().status(), Status::NO_CONTENT);
        let failed: Result<&'static str, io::Error> = Err(io::ErrorKind::NotFound.into());
        assert_eq!(failed.into_response().status(), Status::NOT_FOUND);
        let refused: Result<String, Refusal> = Err(Refusal::new(Status::CONFLICT, "twice"));
        assert_eq!(refused.into_response().status(), Status::CONFLICT);
    }
}
