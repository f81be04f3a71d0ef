//! The API as a caller has it: one request, and within one deadline its answer or the reason
//! why there is none.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

use serde_json::Value;
use ureq::config::Config;
use ureq::http::{Response, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{DefaultConnector, NextTimeout};
use ureq::{Agent, Body, Timeout};
use url::Url;

use crate::policy::{Budget, Next, Pace, Tries, Trouble, Why, retry_after};
use crate::redirect::{Hop, Method};

/// Bytes of an answer. A longer one is refused, so that nobody can fill our memory.
pub const ANSWER_LIMIT: u64 = 1 << 20;

/// The API of one third party.
#[derive(Debug)]
pub struct Api {
    agent: Agent,
    base: Url,
    secret: Option<Secret>,
    patience: Duration,
    pace: Pace,
    budget: Budget,
    /// What the time of [`crate::policy`] is counted from.
    began: Instant,
}

/// What says who we are: a field of the request. It is not printed, also not by `{:?}`.
pub struct Secret {
    /// The name of the field.
    pub field: String,
    /// Its value.
    pub value: String,
}

/// One request.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Where, below the address of the API.
    pub path: &'a str,
    /// What is sent; `None` for a request that only reads.
    pub body: Option<&'a Value>,
    /// By which the other side knows it again: the same in all tries.
    pub key: Option<&'a str>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// The other side does not want it, and will not want it later.
    Refused(String),
    /// It may be different later.
    GaveUp(String),
}

/// A try without an answer: what to decide by, and what to tell.
struct Failed {
    trouble: Trouble,
    told: String,
}

impl Api {
    /// The API below `base`. Each request has `patience` in all, and no more than
    /// `per_second` go out.
    pub fn new(base: Url, secret: Option<Secret>, patience: Duration, per_second: u32) -> Api {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(provider)
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            // What follows from a status, or from a place to go, is decided here.
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = Agent::with_parts(agent, DefaultConnector::default(), Names::default());
        let (pace, budget) = (Pace::new(per_second), Budget::default());
        Api { agent, base, secret, patience, pace, budget, began: Instant::now() }
    }

    /// Asks until there is an answer, or none is to be expected.
    ///
    /// # Errors
    /// [`NoAnswer`], within the patience that the API was given.
    pub fn ask(&mut self, request: Request) -> Result<Value, NoAnswer> {
        let deadline = self.now() + self.patience;
        let mut tries = Tries::new(request.body.is_none() || request.key.is_some(), deadline);
        self.budget.count_request(self.now());
        // Of any of the tries: a person who asks again does so under another key.
        let mut may_be_done = false;
        loop {
            let Some(turn) = self.pace.wait(self.now(), deadline) else {
                let told = "our own rate leaves no turn in time".into();
                return Err(NoAnswer::GaveUp(ended(told, may_be_done)));
            };
            sleep(turn);
            let Failed { trouble, told } = match self.ask_once(request, deadline) {
                Ok(answer) => return Ok(answer),
                Err(failed) => failed,
            };
            may_be_done |= request.body.is_some() && trouble.leaves_open();
            match tries.next(trouble, self.now(), chance(), &mut self.budget) {
                Next::AskAgain(wait) => {
                    log::warn!("{told}; asking again in {} ms", wait.as_millis());
                    sleep(wait);
                }
                Next::Refused => return Err(NoAnswer::Refused(ended(told, may_be_done))),
                Next::GiveUp(why) => {
                    return Err(NoAnswer::GaveUp(ended(reason(&told, why), may_be_done)));
                }
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn ask_once(&self, request: Request, deadline: Duration) -> Result<Value, Failed> {
        let nonsense = |told: String| Failed { trouble: Trouble::Nonsense, told };
        let method = if request.body.is_some() { Method::Post } else { Method::Get };
        let first = Hop::below(&self.base, request.path, method);
        let mut hop = first.map_err(|why| nonsense(format!("the path {why}")))?;
        let mut response = loop {
            let mut response =
                self.send(&hop, request, deadline).map_err(|error| failed(&error, &hop))?;
            let location = field(&response, "location").map(str::to_string);
            match (response.status().as_u16(), location) {
                (status @ (301..=303 | 307 | 308), Some(location)) => {
                    read_away(&mut response);
                    let next = hop.follow(status, &location);
                    hop = next.map_err(|why| nonsense(format!("the redirect {why}")))?;
                }
                _ => break response,
            }
        };
        let status = response.status();
        if !status.is_success() {
            let after = field(&response, "retry-after");
            let after = after.and_then(|value| retry_after(value, SystemTime::now()));
            let told = format!("the other side answered {status}");
            read_away(&mut response);
            return Err(Failed { trouble: Trouble::Status(status.as_u16(), after), told });
        }
        let body = response.into_body().into_with_config().limit(ANSWER_LIMIT).read_to_vec();
        let body = body.map_err(|error| failed(&error, &hop))?;
        serde_json::from_slice(&body).map_err(|_| nonsense("the answer is no JSON".into()))
    }

    fn send(
        &self,
        hop: &Hop,
        request: Request,
        deadline: Duration,
    ) -> Result<Response<Body>, ureq::Error> {
        // One deadline for names, connection, answer and its body, of all tries and hops. A
        // time of 0 would be none at all.
        let left = deadline.saturating_sub(self.now()).max(Duration::from_millis(1));
        let mut fields = vec![("accept", "application/json")];
        // The key says who asks as well: like the secret, it is for one place only.
        if hop.trusted {
            fields.extend(request.key.map(|key| ("idempotency-key", key)));
            fields.extend(self.secret.as_ref().map(|it| (it.field.as_str(), it.value.as_str())));
        }
        log::debug!("{:?} {}", hop.method, hop.url);
        match (hop.method, request.body) {
            (Method::Post, Some(body)) => {
                let sent = self.agent.post(hop.url.as_str()).content_type("application/json");
                let sent =
                    fields.into_iter().fold(sent, |sent, (name, value)| sent.header(name, value));
                sent.config().timeout_global(Some(left)).build().send(body.to_string())
            }
            _ => {
                let sent = self.agent.get(hop.url.as_str());
                let sent =
                    fields.into_iter().fold(sent, |sent, (name, value)| sent.header(name, value));
                sent.config().timeout_global(Some(left)).build().call()
            }
        }
    }
}

/// Looks names up as ureq does. It tells a name without an address by what it tells a broken
/// connection by, and nothing was sent where there is no address.
#[derive(Debug, Default)]
struct Names(DefaultResolver);

impl Resolver for Names {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.0.resolve(uri, config, timeout).map_err(|error| match error {
            ureq::Error::Io(_) => ureq::Error::HostNotFound,
            other => other,
        })
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Secret({})", self.field)
    }
}

/// What nobody looks at is read all the same, so that the connection can be used again; in
/// vain where it is too long.
fn read_away(response: &mut Response<Body>) {
    let _ = response.body_mut().with_config().limit(ANSWER_LIMIT).read_to_vec();
}

/// A name for a request that no other has.
///
/// # Errors
/// When the system has no random numbers.
pub fn new_key() -> io::Result<String> {
    Ok(format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?))
}

/// From 0 to 1. Without random numbers, the longest wait is the right one.
fn chance() -> f64 {
    getrandom::u32().map_or(1.0, |number| f64::from(number) / f64::from(u32::MAX))
}

fn field<'a>(response: &'a Response<Body>, name: &str) -> Option<&'a str> {
    response.headers().get(name).and_then(|value| value.to_str().ok())
}

/// How far a try came that ended in an error: what may be asked again depends on it.
fn failed(error: &ureq::Error, hop: &Hop) -> Failed {
    let trouble = match error {
        ureq::Error::ConnectionFailed
        | ureq::Error::HostNotFound
        | ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect) => Trouble::NotSent,
        ureq::Error::Io(error) if is_of_certificate(error) => Trouble::Nonsense,
        ureq::Error::Io(error) => match error.kind() {
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable => Trouble::NotSent,
            _ => Trouble::Lost,
        },
        ureq::Error::Timeout(_) => Trouble::Lost,
        // An answer that is none, or is too long: the same again would come.
        _ => Trouble::Nonsense,
    };
    // What was redirected had been sent.
    let trouble = if trouble == Trouble::NotSent && hop.hops > 0 { Trouble::Lost } else { trouble };
    let told = match error {
        ureq::Error::Io(error) => netcore::error::reason(error),
        other => other.to_string(),
    };
    Failed { trouble, told }
}

/// Whether the other side has proved to be somebody else. That comes before anything is sent.
fn is_of_certificate(error: &io::Error) -> bool {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    matches!(tls, Some(rustls::Error::InvalidCertificate(_)))
}

fn reason(told: &str, why: Why) -> String {
    let why = match why {
        Why::NoTimeLeft(Some(after)) if !after.is_zero() => {
            format!("come back in {} s", after.as_secs())
        }
        Why::NoTimeLeft(_) => "the time is up".into(),
        Why::NotSafe => "without a key, asking again could do it twice".into(),
        Why::TooManyRepeats => "too many requests were repeated already".into(),
    };
    format!("{told}; {why}")
}

fn ended(told: String, may_be_done: bool) -> String {
    match may_be_done {
        true => told + "; whether it took effect is not known",
        false => told,
    }
}
