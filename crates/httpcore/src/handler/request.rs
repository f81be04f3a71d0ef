//! What a handler is given.

use std::cell::OnceCell;
use std::io::Read;
use std::net::SocketAddr;

use crate::body::Body;
use crate::head::target::Path;
use crate::head::{Fields, Head, Method, Target};
use crate::refusal::Refusal;
use crate::status::Status;

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
