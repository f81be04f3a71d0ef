//! What is asked of the place where releases are: bounded in bytes and in time, and never
//! led from an encrypted place to an open one.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ring::digest::{Context, SHA256};
use rustls::crypto::ring::default_provider;
use ureq::http::Response;
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body};
use url::Url;

use crate::manifest::hex;

/// Redirects that are followed. Further ones lead nowhere.
const MOST_HOPS: usize = 5;

/// Bytes of a release that are in memory at once.
const PIECE: usize = 64 << 10;

/// A place on the command line.
///
/// # Errors
/// A sentence for clap to show.
pub fn place(text: &str) -> Result<Url, String> {
    let url: Url = text.parse().map_err(|error| format!("{error}"))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        scheme => Err(format!("releases come over http or https, and not over {scheme}")),
    }
}

/// A place where releases are.
#[derive(Debug)]
pub struct Releases {
    agent: Agent,
    base: Url,
}

impl Releases {
    /// Those below `base`.
    pub fn at(base: &Url) -> Releases {
        let mut base = base.clone();
        // Names are appended, and do not take the place of the last one.
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        let tls = TlsConfig::builder()
            .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            // What follows from a status, or from a place to go, is decided here.
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        Releases { agent, base }
    }

    /// Whether others on the way can see and hold back what is asked for.
    pub fn are_in_the_open(&self) -> bool {
        let here = match self.base.host() {
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            Some(url::Host::Domain(name)) => name == "localhost",
            None => false,
        };
        self.base.scheme() == "http" && !here
    }

    /// A small file as a whole.
    ///
    /// # Errors
    /// `InvalidData` where it has more than `limit` bytes; `TimedOut` at `deadline`; what
    /// the server and the network say.
    pub fn read(&self, name: &str, limit: u64, deadline: Instant) -> io::Result<Vec<u8>> {
        let body = self.get(name, deadline)?.into_body();
        let mut bytes = Vec::new();
        body.into_reader().take(limit + 1).read_to_end(&mut bytes)?;
        match bytes.len() as u64 > limit {
            true => Err(wrong(format!("{name} has more than {limit} bytes"))),
            false => Ok(bytes),
        }
    }

    /// A file of exactly `size` bytes, written to `to`. Returns its SHA-256.
    ///
    /// # Errors
    /// `InvalidData` where it is shorter or longer; otherwise as [`Releases::read`], and
    /// what the disk says.
    pub fn download(
        &self,
        name: &str,
        size: u64,
        to: &mut impl Write,
        deadline: Instant,
    ) -> io::Result<String> {
        let response = self.get(name, deadline)?;
        let length = response.headers().get("content-length");
        let length = length.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
        if let Some(length) = length.filter(|&length| length != size) {
            return Err(wrong(format!("{name} has {length} bytes, and {size} were signed")));
        }
        let mut body = response.into_body().into_reader();
        let (mut digest, mut received) = (Context::new(&SHA256), 0);
        let mut buf = vec![0; PIECE];
        loop {
            let n = body.read(&mut buf)?;
            if n == 0 {
                break;
            }
            received += n as u64;
            // Before it is written: no more of it reaches the disk than was signed.
            if received > size {
                return Err(wrong(format!("{name} does not end after the {size} signed bytes")));
            }
            digest.update(&buf[..n]);
            to.write_all(&buf[..n])?;
        }
        match received == size {
            true => Ok(hex(digest.finish().as_ref())),
            false => Err(wrong(format!("{name} ends after {received} of {size} bytes"))),
        }
    }

    fn get(&self, name: &str, deadline: Instant) -> io::Result<Response<Body>> {
        let mut url = follow(&self.base, name).map_err(wrong)?;
        for _ in 0..=MOST_HOPS {
            log::debug!("GET {url}");
            // One deadline for names, connections, redirects and the body. A time of 0
            // would be none at all.
            let left = deadline.saturating_duration_since(Instant::now());
            let left = left.max(Duration::from_millis(1));
            let request = self.agent.get(url.as_str());
            let response = request.config().timeout_global(Some(left)).build().call();
            let response = response.map_err(ureq::Error::into_io)?;
            let location = response.headers().get("location").and_then(|it| it.to_str().ok());
            match (response.status().as_u16(), location) {
                (200, _) => return Ok(response),
                (301 | 302 | 303 | 307 | 308, Some(location)) => {
                    url = follow(&url, location).map_err(wrong)?;
                }
                (status, _) => return Err(wrong(format!("{url} answered {status}"))),
            }
        }
        Err(wrong("a chain of redirects does not end".into()))
    }
}

/// Where `location` leads from `url`.
///
/// # Errors
/// Why it is not followed.
fn follow(url: &Url, location: &str) -> Result<Url, String> {
    let next = url.join(location).map_err(|error| format!("{location:?}: {error}"))?;
    match (url.scheme(), next.scheme()) {
        // What is signed stays signed, but whoever sits there can hold it back, and sees
        // who has which version.
        ("https", "http") => Err("a redirect leads from an encrypted place to an open one".into()),
        (_, "http" | "https") => Ok(next),
        (_, scheme) => Err(format!("a redirect leads to {scheme:?}")),
    }
}

fn wrong(why: String) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_never_leads_from_an_encrypted_place_to_an_open_one() {
        let from = |url: &str, to: &str| follow(&url.parse().unwrap(), to).map(String::from);
        let (safe, open) = ("https://a.example/x/", "http://a.example/x/");
        assert_eq!(from(safe, "y"), Ok("https://a.example/x/y".into()));
        assert_eq!(from(safe, "https://b.example/"), Ok("https://b.example/".into()));
        assert_eq!(from(safe, "//b.example/"), Ok("https://b.example/".into()));
        assert_eq!(from(open, "https://b.example/"), Ok("https://b.example/".into()));
        assert_eq!(from(open, "/y"), Ok("http://a.example/y".into()));
        for location in
            ["http://a.example/x/y", "HTTP://b.example", "file:///etc/passwd", "http://"]
        {
            assert!(from(safe, location).is_err(), "{location}");
        }
        assert!(from(open, "file:///etc/passwd").is_err());
    }

    #[test]
    fn a_place_that_no_release_can_come_from_is_told_at_the_start() {
        for text in ["file:///srv/releases", "ftp://a.example/", "mailto:a@a.example", "/srv"] {
            assert!(place(text).is_err(), "{text}");
        }
        for text in ["http://127.0.0.1:8000", "HTTPS://a.example/x"] {
            assert!(place(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn who_is_asked_in_the_open_is_told() {
        for (url, open) in [
            ("http://releases.example", true),
            ("http://192.0.2.1:8000/", true),
            ("http://127.0.0.1:8000/", false),
            ("http://[::1]/", false),
            ("https://releases.example/", false),
        ] {
            assert_eq!(Releases::at(&url.parse().unwrap()).are_in_the_open(), open, "{url}");
        }
    }
}
