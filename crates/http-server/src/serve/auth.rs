//! A name and a password before anything is shown: Basic authentication
//! ([RFC 7617](https://www.rfc-editor.org/rfc/rfc7617)). They travel as good as readable: it takes TLS to hide them.

use std::hint::black_box;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use httpcore::handler::{Handler, Request};
use httpcore::reply::{IntoResponse, Response};
use httpcore::{Refusal, Status};

/// What is asked for. The character set is that of our comparison; a browser takes it
/// as a hint (section 2.1).
const CHALLENGE: &str = "Basic realm=\"http-server\", charset=\"UTF-8\"";

/// A handler behind a password: whoever does not give it gets 401.
///
/// ```
/// use http_server::{Guarded, Response, Server};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = |_: &mut http_server::Request<'_>| "for you alone\n";
/// let guarded = Guarded::new(secret, &["ada:engine"]).ok_or("no colon")?;
/// let server = Server::bind("127.0.0.1:0")?.mount("/", guarded).spawn()?;
/// # server.stop()?;
/// # Ok(())
/// # }
/// ```
pub struct Guarded<H> {
    handler: H,
    /// Each as it comes in the header, so that nothing a client sends has to be
    /// decoded.
    tokens: Vec<String>,
}

impl<H: Handler> Guarded<H> {
    /// Puts `handler` behind any of `credentials`, each `user:password`; `None` where
    /// one of them has no colon or holds a control character, or there are none.
    pub fn new(handler: H, credentials: &[impl AsRef<str>]) -> Option<Guarded<H>> {
        let tokens: Option<Vec<String>> = credentials
            .iter()
            .map(|pair| {
                let pair = pair.as_ref();
                (pair.contains(':') && !pair.contains(char::is_control))
                    .then(|| STANDARD.encode(pair))
            })
            .collect();
        Some(Guarded { handler, tokens: tokens.filter(|tokens| !tokens.is_empty())? })
    }

    fn lets_in(&self, request: &Request<'_>) -> bool {
        let Some(token) = request.header("authorization").and_then(basic) else { return false };
        // All of them, so that the time says nothing of which one it was.
        self.tokens
            .iter()
            .fold(false, |found, known| found | is_equal(known.as_bytes(), token.as_bytes()))
    }
}

impl<H: Handler> Handler for Guarded<H> {
    fn respond(&self, request: &mut Request<'_>) -> Response {
        match self.lets_in(request) {
            true => self.handler.respond(request),
            false => challenge(),
        }
    }

    fn at_once(&self, request: &mut Request<'_>) -> Option<Response> {
        match self.lets_in(request) {
            true => self.handler.at_once(request),
            false => Some(challenge()),
        }
    }
}

fn challenge() -> Response {
    let why = "this needs a name and a password";
    Refusal::by("RFC 9110 section 15.5.2", Status::UNAUTHORIZED, why)
        .into_response()
        .header("WWW-Authenticate", CHALLENGE)
}

/// What follows the name of the scheme, which has no case.
fn basic(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then(|| token.trim_matches(' '))
}

/// Takes as long for a wrong byte at the front as for one at the end: otherwise a
/// password could be guessed byte by byte.
fn is_equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len()
        && a.iter().zip(b).fold(0, |differs, (a, b)| black_box(differs | (a ^ b))) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_has_no_case_and_the_rest_does() {
        assert_eq!(basic("Basic YTpi"), Some("YTpi"));
        assert_eq!(basic("bAsIc  YTpi"), Some("YTpi"));
        assert_eq!(basic("Bearer YTpi"), None);
        assert_eq!(basic("Basic"), None);
        assert!(
            is_equal(b"YTpi", b"YTpi") && !is_equal(b"YTpi", b"YTpI") && !is_equal(b"YTpi", b"YTp")
        );
    }

    #[test]
    fn credentials_need_a_colon() {
        let new =
            |credentials: &[&str]| Guarded::new(|_: &mut Request<'_>| "in", credentials).is_some();
        assert!(new(&["a:b", "c:"]));
        assert!(!new(&["a"]) && !new(&[]) && !new(&["a:b\n"]));
    }
}
