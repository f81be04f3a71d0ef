//! What a handler is given.

use std::cell::OnceCell;
use std::io::Read;
use std::net::SocketAddr;

use super::form::Form;
use crate::body::Body;
use crate::head::target::Path;
use crate::head::{Fields, Head, Method, Target};
use crate::refusal::Refusal;
use crate::status::Status;

/// What is said of a media type that is not read.
const MEDIA_TYPES: &str = "RFC 9110 section 15.5.16";

/// One request. Its head has been checked; its body is read when a handler asks for it,
/// and not before.
#[derive(Debug)]
pub struct Request<'a> {
    head: &'a Head<'a>,
    target: &'a Target<'a>,
    peer: Option<SocketAddr>,
    body: Body<'a>,
    body_limit: usize,
    /// Made when it is first asked for.
    path: OnceCell<Result<Path<'a>, Refusal>>,
    params: Vec<(String, String)>,
    mount_depth: usize,
}

impl<'a> Request<'a> {
    /// A request whose head has been read. A handler may read `body_limit` bytes of the
    /// body at once.
    pub fn new(
        head: &'a Head<'a>,
        target: &'a Target<'a>,
        peer: Option<SocketAddr>,
        body: Body<'a>,
        body_limit: usize,
    ) -> Request<'a> {
        Request {
            head,
            target,
            peer,
            body,
            body_limit,
            path: OnceCell::new(),
            params: Vec::new(),
            mount_depth: 0,
        }
    }

    /// What is wanted: GET, POST and so on.
    pub fn method(&self) -> Method {
        self.head.method
    }

    /// The path and query as they were sent.
    pub fn target(&self) -> &Target<'a> {
        self.target
    }

    /// The path, split and decoded, once however often it is asked for.
    ///
    /// # Errors
    /// As [`Path::parse`].
    pub fn path(&self) -> Result<&Path<'a>, Refusal> {
        self.path.get_or_init(|| Path::parse(self.target.path)).as_ref().map_err(Refusal::clone)
    }

    /// How many names at the front of the path belong to the place where this handler
    /// is mounted.
    pub fn mount_depth(&self) -> usize {
        self.mount_depth
    }

    /// The part of the path that stands for `{name}` in the route; empty where the
    /// route has no such part.
    pub fn param(&self, name: &str) -> &str {
        self.params.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// The value of a query parameter.
    pub fn query(&self, name: &str) -> Option<String> {
        self.target.query_value(name)
    }

    /// All query parameters, for names that come more than once.
    pub fn queries(&self) -> Form {
        Form::parse(self.target.query.unwrap_or_default())
    }

    /// The value of a cookie, as it was set. Whoever asks can send what they like: a value
    /// that matters is a long random one that the server looks up.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let pairs = self.head.fields.all("cookie").flat_map(|value| value.split(|&b| b == b';'));
        pairs
            .filter_map(|pair| str::from_utf8(pair).ok()?.trim_matches(' ').split_once('='))
            .find_map(|(known, value)| (known == name).then_some(value))
    }

    /// The value of a header field, if it is there and readable.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.fields.get(name).and_then(|value| str::from_utf8(value).ok())
    }

    /// All header fields.
    pub fn fields(&self) -> &Fields<'a> {
        &self.head.fields
    }

    /// Who asks; `None` on a Unix socket.
    pub fn peer(&self) -> Option<SocketAddr> {
        self.peer
    }

    /// The body, to be read as it comes, within the server's limit of
    /// time.
    /// It ends where the request ends; how much is read is the handler's affair. An
    /// error of it that is returned with `?` is the client's: 400, or 408.
    pub fn body(&mut self) -> &mut Body<'a> {
        &mut self.body
    }

    /// The whole body.
    ///
    /// # Errors
    /// 413 past the limit, which is 1 MiB unless the server was given another; 400
    /// where it is cut short or malformed; 408 where it does not come in time.
    pub fn body_bytes(&mut self) -> Result<Vec<u8>, Refusal> {
        if self.body.remaining().is_some_and(|length| length > self.body_limit as u64) {
            return Err(self.too_large());
        }
        let mut bytes = Vec::new();
        // One byte more than is allowed tells a body of exactly the limit from a longer one.
        (&mut self.body)
            .take((self.body_limit as u64).saturating_add(1))
            .read_to_end(&mut bytes)?;
        if bytes.len() > self.body_limit { Err(self.too_large()) } else { Ok(bytes) }
    }

    /// The whole body as text.
    ///
    /// # Errors
    /// As [`body_bytes`](Request::body_bytes); 400 where it is not UTF-8.
    pub fn body_text(&mut self) -> Result<String, Refusal> {
        String::from_utf8(self.body_bytes()?)
            .map_err(|_| Refusal::new(Status::BAD_REQUEST, "the body is not UTF-8 text"))
    }

    /// The fields of a form, as a browser sends them where a page does not say otherwise.
    ///
    /// Any page of the web can have a browser send one here, with the cookies that it has
    /// for this server unless they are as [`Cookie`](crate::reply::Cookie) makes them.
    ///
    /// # Errors
    /// 415 for another media type than `application/x-www-form-urlencoded`, and as
    /// [`body_bytes`](Request::body_bytes).
    pub fn form(&mut self) -> Result<Form, Refusal> {
        match self.media_type().as_deref() {
            Some("application/x-www-form-urlencoded") => Ok(Form::parse(&self.body_bytes()?)),
            Some("multipart/form-data") => Err(Refusal::by(
                MEDIA_TYPES,
                Status::UNSUPPORTED_MEDIA_TYPE,
                "multipart/form-data is not read here; send fields as \
                 application/x-www-form-urlencoded, and a file as a body of its own",
            )),
            _ => Err(Refusal::by(
                MEDIA_TYPES,
                Status::UNSUPPORTED_MEDIA_TYPE,
                "a form is sent as application/x-www-form-urlencoded",
            )),
        }
    }

    /// The body as a value, from JSON.
    ///
    /// # Errors
    /// 415 where the client does not say that it is JSON: a page of another site can have a
    /// browser send anything else without asking. 400 for what is no JSON, 422 for JSON that
    /// is no `T`, both with the place; and as [`body_bytes`](Request::body_bytes).
    #[cfg(feature = "json")]
    pub fn json<T: serde::de::DeserializeOwned>(&mut self) -> Result<T, Refusal> {
        let media_type = self.media_type();
        if !media_type.is_some_and(|it| it == "application/json" || it.ends_with("+json")) {
            let why = "a value is sent as application/json";
            return Err(Refusal::by(MEDIA_TYPES, Status::UNSUPPORTED_MEDIA_TYPE, why));
        }
        serde_json::from_slice(&self.body_bytes()?).map_err(|error| match error.is_data() {
            true => Refusal::by(
                "RFC 9110 section 15.5.21",
                Status::UNPROCESSABLE_CONTENT,
                format!("the value does not fit: {error}"),
            ),
            false => Refusal::new(Status::BAD_REQUEST, format!("the body is not JSON: {error}")),
        })
    }

    /// The media type of the body in small letters, without what follows it.
    fn media_type(&self) -> Option<String> {
        let media_type = self.header("content-type")?.split(';').next()?;
        Some(media_type.trim_matches([' ', '\t']).to_ascii_lowercase())
    }

    fn too_large(&self) -> Refusal {
        let why = format!("the body is longer than {} bytes", self.body_limit);
        Refusal::by("RFC 9110 section 15.5.14", Status::CONTENT_TOO_LARGE, why)
    }

    pub(super) fn set_route(&mut self, params: Vec<(String, String)>, mount_depth: usize) {
        self.params = params;
        self.mount_depth = mount_depth;
    }

    /// What is left of the body, and the connection that it comes from.
    pub fn into_body(self) -> Body<'a> {
        self.body
    }
}
