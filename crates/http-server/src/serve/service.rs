//! What every connection of one server shares: its routes, its limits, and what it adds
//! to each response.

use std::time::Duration;

use httpcore::handler::{Request, Router};
use httpcore::head::{Method, host};
use httpcore::reply::{Cors, Response};
use httpcore::{Refusal, Status};

use super::metrics::Metrics;
use super::tls::Tls;

/// Times and sizes that no client can stretch.
#[derive(Debug, Clone)]
pub struct Limits {
    /// For a whole head, from its first byte; past it 408.
    pub head: Duration,
    /// For a whole body, whatever its pace; past it 408. A handler that takes large
    /// uploads needs more.
    pub body_time: Duration,
    /// Between two requests of one connection; past it the connection is closed.
    pub idle: Duration,
    /// Without any progress in sending, and not zero; past it the connection is closed.
    pub write: Duration,
    /// For what is under way when the server is told to stop.
    pub drain: Duration,
    /// Bytes of a body that a handler reads; past it 413.
    pub body: usize,
    /// Connections at a time. When they are all taken, the one that has been idle
    /// longest is closed.
    pub clients: usize,
    /// Threads for handlers, and for whatever else may take its time. They are started when
    /// they are needed.
    pub workers: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            head: Duration::from_secs(10),
            body_time: Duration::from_secs(60),
            idle: Duration::from_secs(30),
            write: Duration::from_secs(60),
            drain: Duration::from_secs(10),
            body: 1 << 20,
            clients: default_clients(),
            workers: 128,
        }
    }
}

/// Connections at most, unless told otherwise.
const CLIENTS: usize = 10_000;

/// Descriptors that are kept for listeners, the log and files that are being sent.
#[cfg(unix)]
const SPARE_DESCRIPTORS: u64 = 64;

/// As many as the descriptors of this process allow, [`CLIENTS`] at most.
fn default_clients() -> usize {
    connections().clamp(1, CLIENTS)
}

/// Clients that may be let in beyond so many, to be told that there is no place for them.
pub fn lobby(clients: usize) -> usize {
    connections().saturating_sub(clients).clamp(32, 256)
}

/// As many connections as the descriptors of this process allow.
fn connections() -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit};
        let descriptors = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        usize::try_from(descriptors.saturating_sub(SPARE_DESCRIPTORS)).unwrap_or(usize::MAX)
    }
    #[cfg(not(unix))]
    {
        CLIENTS
    }
}

/// Which names in Host are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// All: the server is meant for other machines, which know it by whatever name.
    Any,
    /// Local ones and these: the server listens on loopback, and a page of the web must
    /// not reach it by a name of its own. `*` is every name. Clients of a socket
    /// file are not asked.
    LocalAnd(Vec<String>),
}

/// Whether each response leaves a line on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccessLog {
    /// It does.
    Shown,
    /// It does not.
    Hidden,
}

/// Who runs the server, and so what an error can advise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    /// Somebody who writes a program with this library.
    Library,
    /// Somebody who has started `http-server`.
    CommandLine,
}

/// All of it.
pub struct Service {
    /// Which handler answers.
    pub router: Router,
    /// What no client can stretch.
    pub limits: Limits,
    /// Which names are answered.
    pub hosts: Hosts,
    /// Whether each response is logged.
    pub access_log: AccessLog,
    /// Who may read what is served.
    pub cors: Cors,
    /// What connections are encrypted with, if they are.
    pub tls: Option<Tls>,
    /// Header lines that every response has.
    pub extra: Vec<u8>,
    /// What counts connections and responses, if anything does.
    pub metrics: Option<Metrics>,
    /// Who reads what an error advises.
    pub operator: Operator,
}

impl Service {
    /// Answers one request.
    pub fn respond(&self, request: &mut Request<'_>) -> Response {
        if self.cors == Cors::AnyOrigin && is_preflight(request) {
            return preflight(request);
        }
        self.router.respond(request)
    }

    /// As [`Router::at_once`].
    pub fn at_once(&self, request: &mut Request<'_>) -> Option<Response> {
        if self.cors == Cors::AnyOrigin && is_preflight(request) {
            return Some(preflight(request));
        }
        self.router.at_once(request)
    }

    /// The refusal of a Host that this server does not answer to, and what makes it do so.
    pub fn strange_host(&self, host: &[u8]) -> Refusal {
        let host = String::from_utf8_lossy(host::without_port(host));
        let advice = match self.operator {
            Operator::Library => format!("Server::allow_host({host:?})"),
            Operator::CommandLine => format!("--allow-host {host}"),
        };
        let why = format!("this server does not answer to {host:?}; {advice} makes it");
        Refusal::by("RFC 9110 section 15.5.20", Status::MISDIRECTED_REQUEST, why)
    }
}

/// What a browser asks before it lets a page of another origin send anything out of the
/// ordinary ([Fetch, CORS-preflight](https://fetch.spec.whatwg.org/#cors-preflight-fetch)).
fn is_preflight(request: &Request<'_>) -> bool {
    request.method() == Method::Options
        && request.header("origin").is_some()
        && request.header("access-control-request-method").is_some()
}

fn preflight(request: &Request<'_>) -> Response {
    let response = Response::new(Status::NO_CONTENT)
        .header("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, DELETE, PATCH, OPTIONS")
        .header("Access-Control-Max-Age", "86400")
        .header("Vary", "Access-Control-Request-Headers");
    match request.header("access-control-request-headers") {
        Some(names) => response.header("Access-Control-Allow-Headers", names),
        None => response,
    }
}
