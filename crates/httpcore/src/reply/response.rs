//! What a handler returns: a value that says everything, and writes nothing.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use netcore::log::harmless_json;
use percent_encoding::{AsciiSet, utf8_percent_encode};

use super::content::{Content, Part, Parts};
use super::cookie::Cookie;
use crate::head::is_token;
use crate::refusal::Refusal;
use crate::status::Status;

/// A response. Date, Content-Length, Connection and the framing are added when it is
/// sent.
#[derive(Debug)]
pub struct Response {
    status: Status,
    /// Whole lines, `Name: value\r\n` each.
    fields: Vec<u8>,
    content: Content,
}

impl Response {
    /// A response without content. The status is as
    /// [`with_status`](Response::with_status) says.
    pub fn new(status: Status) -> Response {
        Response { status: Status::OK, fields: Vec::new(), content: Content::Empty }
            .with_status(status)
    }

    /// A response out of its parts. `fields` are whole lines, `Name: value\r\n` each:
    /// nobody looks at them again.
    pub fn from_parts(status: Status, fields: Vec<u8>, content: Content) -> Response {
        Response { status, fields, content }
    }

    /// Its parts. One of 205 has no content, whatever it was given, and a length that says
    /// so ([RFC 9110 section 15.3.6](https://www.rfc-editor.org/rfc/rfc9110#section-15.3.6)).
    /// The page of a refusal has a media type of its own, whatever it was given.
    pub fn into_parts(mut self) -> (Status, Vec<u8>, Content) {
        if self.status == Status::RESET_CONTENT {
            self.content = Content::Empty;
            self.remove("content-type");
        }
        if matches!(self.content, Content::Refusal(_)) {
            self.remove("content-type");
        }
        (self.status, self.fields, self.content)
    }

    fn failure(why: String) -> Response {
        let refusal = Refusal::from(io::Error::new(io::ErrorKind::InvalidInput, why));
        Response { status: refusal.status, fields: Vec::new(), content: Content::Failure(refusal) }
    }

    fn has_failed(&self) -> bool {
        matches!(self.content, Content::Failure(_))
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

    /// 200 with JSON that has been written already. A terminal may be where it ends: what is
    /// a command there is written in JSON's own words for it.
    pub fn json(json: impl Into<String>) -> Response {
        let json = harmless_json(json.into());
        Response::new(Status::OK).with_content("application/json", json.into_bytes())
    }

    /// 303: the client gets `location` next, whatever its method was, as is right behind a
    /// form. Where it is to send the same request there,
    /// `.with_status(Status::PERMANENT_REDIRECT)` or `TEMPORARY_REDIRECT` says so.
    ///
    /// What is not ASCII in `location` is escaped, and `%` is left as it is. A path begins
    /// with **one** slash: `//name` is another server, so a location that a client has sent
    /// is to be looked at before it is sent back.
    pub fn redirect(location: &str) -> Response {
        Response::new(Status::SEE_OTHER).header("Location", &ascii_url(location))
    }

    /// 200 with bytes of any type.
    pub fn bytes(media_type: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Response {
        Response::new(Status::OK).with_content(media_type, bytes)
    }

    /// 200 with the whole of a file, as long as it is now. Its type is to be added.
    ///
    /// # Errors
    /// When the file does not tell its length.
    pub fn file(file: File) -> io::Result<Response> {
        let list = vec![Part::Slice(0..file.metadata()?.len())];
        let content = Content::File(Parts { file: Arc::new(file), list });
        Ok(Response::from_parts(Status::OK, Vec::new(), content))
    }

    /// 206 with one part of a file that has `length` bytes. Its type is to be added.
    pub fn part_of_file(file: File, part: Range<u64>, length: u64) -> Response {
        let range = format!("bytes {}-{}/{length}", part.start, part.end.saturating_sub(1));
        let content = Content::File(Parts { file: Arc::new(file), list: vec![Part::Slice(part)] });
        Response::from_parts(Status::PARTIAL_CONTENT, Vec::new(), content)
            .header("Content-Range", &range)
    }

    /// 200 with content whose length is not known: sent in chunks, or to the end of the
    /// connection on HTTP/1.0.
    pub fn stream(reader: impl Read + Send + 'static) -> Response {
        Response { content: Content::Stream(Box::new(reader)), ..Response::new(Status::OK) }
    }

    /// The same with another status, which is one of 200 to 599: others make it a 500,
    /// and their reason is in the log. A status before 200 would announce another
    /// response, and a client would wait for it.
    pub fn with_status(self, status: Status) -> Response {
        match status.0 {
            _ if self.has_failed() => self,
            200..600 => Response { status, ..self },
            _ => Response::failure(format!("{} is no status of a response", status.0)),
        }
    }

    /// The same with content of a media type.
    pub fn with_content(self, media_type: &str, bytes: impl Into<Cow<'static, [u8]>>) -> Response {
        let typed = self.header("Content-Type", media_type);
        if typed.has_failed() {
            typed
        } else {
            Response { content: Content::Bytes(bytes.into()), ..typed }
        }
    }

    /// The same with one more header field. Content-Type replaces the one that is
    /// there.
    ///
    /// A value that holds a line end would smuggle in further fields, and a length of
    /// one's own would make the client lose track of where the response ends; so
    /// these make the whole response a 500. Their reason is in the log.
    pub fn header(mut self, name: &str, value: &str) -> Response {
        match field_line(name, value) {
            _ if self.has_failed() => self,
            Ok(line) => {
                if name.eq_ignore_ascii_case("content-type") {
                    self.remove(name);
                }
                self.fields.extend_from_slice(line.as_bytes());
                self
            }
            Err(error) => Response::failure(error.to_string()),
        }
    }

    /// The same with a cookie set, beside others. One that cannot be sent makes the whole
    /// response a 500, as [`header`](Response::header) says.
    pub fn cookie(self, cookie: Cookie) -> Response {
        match cookie.field_value() {
            Ok(value) => self.header("Set-Cookie", &value),
            Err(_) if self.has_failed() => self,
            Err(error) => Response::failure(error.to_string()),
        }
    }

    fn remove(&mut self, name: &str) {
        self.fields = without_field(&self.fields, name);
    }

    /// The status that it has now.
    pub fn status(&self) -> Status {
        self.status
    }
}

/// What a header can hold of a URL: a space and what is not ASCII are escaped. Control
/// characters stay, and are refused as in any header.
fn ascii_url(url: &str) -> Cow<'_, str> {
    const SPACE: &AsciiSet = &AsciiSet::EMPTY.add(b' ');
    utf8_percent_encode(url, SPACE).into()
}

/// Whether one of these lines is the field of this name.
pub fn has_field(fields: &[u8], name: &str) -> bool {
    lines(fields).any(|line| is_field(line, name))
}

/// These lines but for the fields of this name.
pub(super) fn without_field(fields: &[u8], name: &str) -> Vec<u8> {
    lines(fields).filter(|line| !is_field(line, name)).collect::<Vec<_>>().concat()
}

fn lines(fields: &[u8]) -> impl Iterator<Item = &[u8]> {
    fields.split_inclusive(|&byte| byte == b'\n')
}

fn is_field(line: &[u8], name: &str) -> bool {
    line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()))
        && line.get(name.len()) == Some(&b':')
}

/// The fields that say where a response ends and what becomes of the connection: the
/// server's own.
const RESERVED: [&str; 6] =
    ["connection", "content-length", "date", "keep-alive", "trailer", "transfer-encoding"];

/// `Name: value\r\n`, checked.
///
/// # Errors
/// `InvalidInput` for what could be taken for more than one field, and for those that
/// only the server sets.
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
        let response = Response::new(self.status);
        if response.has_failed() {
            response
        } else {
            Response { content: Content::Refusal(self), ..response }
        }
    }
}

impl IntoResponse for io::Error {
    fn into_response(self) -> Response {
        Refusal::from(self).into_response()
    }
}

impl<T: IntoResponse> IntoResponse for (Status, T) {
    /// The same with this status.
    fn into_response(self) -> Response {
        self.1.into_response().with_status(self.0)
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
            let failed = Response::text("x").header(name, value);
            assert_eq!(failed.status(), Status::INTERNAL_SERVER_ERROR, "{name:?}");
            // And it stays one.
            let failed =
                failed.with_status(Status::OK).header("A", "b").with_content("text/plain", b"x");
            assert_eq!(failed.status(), Status::INTERNAL_SERVER_ERROR, "{name:?}");
            assert!(failed.has_failed() && failed.fields.is_empty(), "{name:?}");
        }
        assert!(Response::bytes("text/x\r\nA: b", b"x").has_failed());
        let response = Response::new(Status::OK).header("X-Tab", "a\tb\u{44f}");
        assert_eq!(response.fields, "X-Tab: a\tb\u{44f}\r\n".as_bytes());
    }

    #[test]
    fn json_is_no_command_to_the_terminal_that_it_ends_on() {
        let (.., content) = Response::json("[\"\u{9b}2J\u{202e}я\"]").into_parts();
        assert!(
            matches!(&content, Content::Bytes(json) if **json == *r#"["\u009b2J\u202eя"]"#.as_bytes())
        );
    }

    #[test]
    fn what_is_no_status_of_a_response_makes_it_a_500() {
        for status in [0, 9, 100, 199, 600, 1000].map(Status) {
            assert!(Response::new(status).has_failed(), "{status:?}");
            assert!(Refusal::new(status, "x").into_response().has_failed(), "{status:?}");
            assert!(Response::stream(io::empty()).with_status(status).has_failed(), "{status:?}");
        }
        assert_eq!(Response::new(Status(299)).status(), Status(299));
    }

    #[test]
    fn a_reset_has_no_content_whatever_it_was_given() {
        for response in [Response::text("x"), Response::stream(io::empty()), Response::text("")] {
            let reset = response.header("X-A", "b").with_status(Status::RESET_CONTENT);
            let (status, fields, content) = reset.into_parts();
            assert_eq!((status, fields.as_slice()), (Status(205), b"X-A: b\r\n".as_slice()));
            assert!(matches!(content, Content::Empty), "{content:?}");
        }
    }

    #[test]
    fn a_media_type_replaces_the_one_before() {
        let response = Response::text("a,b").header("X-A", "b").header("content-type", "text/csv");
        assert_eq!(response.fields, b"X-A: b\r\ncontent-type: text/csv\r\n");
    }

    #[test]
    fn a_redirect_is_one_line_of_ascii() {
        let fields = |location| {
            let response = Response::redirect(location);
            assert_eq!(response.status(), Status::SEE_OTHER);
            String::from_utf8(response.fields).unwrap()
        };
        assert_eq!(fields("/a b?q=%2F"), "Location: /a%20b?q=%2F\r\n");
        assert_eq!(fields("/\u{44f}"), "Location: /%D1%8F\r\n");
        assert!(Response::redirect("/\r\nSet-Cookie: a=b").has_failed());
    }

    #[test]
    fn cookies_are_added_and_one_that_is_none_makes_a_500() {
        let response =
            Response::text("x").cookie(Cookie::new("a", "1")).cookie(Cookie::new("b", "2"));
        let fields = String::from_utf8(response.fields).unwrap();
        assert_eq!(fields.matches("Set-Cookie: ").count(), 2, "{fields}");
        assert!(Response::text("x").cookie(Cookie::new("a", "1; Domain=test")).has_failed());
    }

    #[test]
    fn values_become_responses() {
        assert_eq!("text".into_response().status(), Status::OK);
        assert_eq!((Status::CREATED, "text").into_response().status(), Status::CREATED);
        assert_eq!(Status::NO_CONTENT.into_response().status(), Status::NO_CONTENT);
        let failed: Result<&'static str, io::Error> = Err(io::ErrorKind::NotFound.into());
        assert_eq!(failed.into_response().status(), Status::NOT_FOUND);
        let refused: Result<String, Refusal> = Err(Refusal::new(Status::CONFLICT, "twice"));
        assert_eq!(refused.into_response().status(), Status::CONFLICT);
    }
}
