//! HTTP, with [ureq](https://docs.rs/ureq): what the page in the browser does.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::net::Shutdown;
use std::time::Duration;

use netcore::Error;
use netcore::cli::ClientArgs;
use serde_json::Value;
use ureq::http::Response;
use ureq::{Agent, Body};

use super::Channel;
use crate::PORT;
use crate::message::{Ask, Change, Draft, Reply, Secret, Why};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a stream of events is read before a new one is asked for: a server that is gone
/// without a word is noticed so soon.
const STREAM: Duration = Duration::from_secs(60);

/// Bytes of an answer, and of a line of events. A text is shorter, also as JSON.
const LONGEST: u64 = 16 << 20;

/// The channel.
pub struct Http {
    agent: Agent,
    base: String,
    token: Secret,
}

impl Http {
    /// Sees whether somebody is there.
    ///
    /// # Errors
    /// As [`ClientArgs::connect`].
    pub fn new(args: &ClientArgs<PORT>, token: Secret) -> Result<Http, Error> {
        let mut there = args.connect()?;
        // Seen off, so that the log of the server has one visit after the other.
        let seen_off = there.shutdown(Shutdown::Write).and_then(|()| {
            there.set_read_timeout(Some(PATIENCE))?;
            there.read(&mut [0])
        });
        log::debug!("somebody is there: {}", seen_off.is_ok());
        let base = format!("http://{}", netcore::listen::join(&args.host, args.port));
        let config = Agent::config_builder().http_status_as_error(false).max_redirects(0);
        Ok(Http { agent: config.build().new_agent(), base, token })
    }

    fn send(&self, key: Option<&str>, ask: &Ask) -> Result<Response<Body>, ureq::Error> {
        let path = if matches!(ask, Ask::Follow { .. }) { "changes" } else { "draft" };
        let url = format!("{}/{path}", self.base);
        let mut fields = vec![("Authorization", format!("Bearer {}", self.token.0))];
        fields.extend(key.map(|key| ("Idempotency-Key", key.to_string())));
        match ask {
            Ask::Put { revision, .. } | Ask::Delete { revision } => {
                fields.push(("If-Match", format!("\"{revision}\"")));
            }
            Ask::Follow { since } => fields.push(("Last-Event-ID", since.to_string())),
            _ => {}
        }
        match ask {
            Ask::Put { text, .. } => {
                let sent = self.agent.put(url).content_type("text/plain; charset=utf-8");
                let sent = fields.into_iter().fold(sent, |sent, (name, it)| sent.header(name, it));
                sent.config().timeout_global(Some(PATIENCE)).build().send(text)
            }
            _ => {
                let sent = match ask {
                    Ask::Delete { .. } => self.agent.delete(url),
                    _ => self.agent.get(url),
                };
                let sent = fields.into_iter().fold(sent, |sent, (name, it)| sent.header(name, it));
                let within = if path == "changes" { STREAM } else { PATIENCE };
                sent.config().timeout_global(Some(within)).build().call()
            }
        }
    }
}

impl Channel for Http {
    fn ask(&mut self, key: Option<&str>, ask: &Ask) -> io::Result<Reply> {
        let response = self.send(key, ask).map_err(in_words)?;
        let status = response.status().as_u16();
        let field = |name: &str| response.headers().get(name).and_then(|it| it.to_str().ok());
        let tag = field("etag").map(|tag| tag.trim_matches('"').parse());
        let has_text = field("draft") == Some("yes");
        let body = response.into_body().into_with_config().limit(LONGEST).read_to_string();
        let body = body.map_err(in_words)?;
        Ok(match (status, tag) {
            (200, Some(Ok(revision))) => {
                Reply::Draft(Draft { revision, text: has_text.then_some(body) })
            }
            (204, Some(Ok(revision))) => Reply::Done(revision),
            (412, Some(Ok(revision))) => {
                Reply::Conflict(Draft { revision, text: has_text.then_some(body) })
            }
            (401, _) => Reply::Refused(Why::NotProven),
            (422, _) => Reply::Refused(Why::KeyReused),
            (503, _) => Reply::Refused(Why::Unavailable),
            _ => {
                // Ours begins with it.
                let number = format!("{status}: ");
                let why = body.trim().trim_start_matches(&number);
                return Err(io::Error::new(ErrorKind::InvalidInput, number + why));
            }
        })
    }

    fn follow(&mut self, since: u64, each: &mut dyn FnMut(&Change) -> bool) -> io::Result<()> {
        let response = self.send(None, &Ask::Follow { since }).map_err(in_words)?;
        let refused = match response.status().as_u16() {
            200 => None,
            401 => Some(Why::NotProven),
            409 => Some(Why::OtherStore),
            status => return Err(io::Error::other(format!("the server answered {status}"))),
        };
        if let Some(why) = refused {
            return Err(io::Error::new(ErrorKind::PermissionDenied, why.to_string()));
        }
        let mut lines = BufReader::new(response.into_body().into_reader());
        let (mut line, mut heard) = (String::new(), false);
        loop {
            line.clear();
            if (&mut lines).take(LONGEST).read_line(&mut line)? == 0 {
                // Who follows is always told something.
                return if heard { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) };
            }
            heard = true;
            let Some(data) = line.trim_end().strip_prefix("data: ") else { continue };
            let data: Value = serde_json::from_str(data)?;
            let revision = data["revision"].as_u64().ok_or(ErrorKind::InvalidData)?;
            let draft = Draft { revision, text: data["text"].as_str().map(String::from) };
            if !each(&Change { position: 0, account: String::new(), draft }) {
                return Ok(());
            }
        }
    }
}

fn in_words(error: ureq::Error) -> io::Error {
    match error {
        ureq::Error::Io(error) => error,
        // A key that no field of HTTP can hold: it would be the same again.
        ureq::Error::Http(error) => io::Error::new(ErrorKind::InvalidInput, error.to_string()),
        other => io::Error::other(other.to_string()),
    }
}
