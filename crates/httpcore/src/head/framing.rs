//! What the fields of a head say about the message itself: where its body ends, whether
//! the connection stays, and whether the client waits for leave to send.

use httparse::Header;

use super::host;
use super::line::Version;
use crate::refusal::Refusal;
use crate::status::Status;

/// How the end of the request's body is found (RFC 9112 section 6.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By its length; 0 where there is no body.
    Length(u64),
    /// By its last chunk.
    Chunked,
}

/// What the client wants to happen to the connection after the response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persistence {
    /// More requests may follow.
    Keep,
    /// This was the last one.
    Close,
}

/// What the fields say about the message itself.
pub(super) struct Framed {
    pub(super) framing: Framing,
    pub(super) persistence: Persistence,
    pub(super) expects_continue: bool,
}

impl Framed {
    pub(super) fn of(list: &[Header<'_>], version: Version) -> Result<Framed, Refusal> {
        let mut host = None;
        let mut ends = Ends::default();
        let mut expects_continue = false;
        for Header { name, value } in list {
            // The lengths first: most fields are told apart without a look at their letters.
            match name.len() {
                4 if name.eq_ignore_ascii_case("host") => {
                    if host.replace(value).is_some() {
                        return Err(Refusal::bad("RFC 9112 section 3.2", "two Host headers"));
                    }
                    if !host::is_valid(value) {
                        return Err(Refusal::bad(
                            "RFC 9112 section 3.2",
                            "the Host header is not a host and port",
                        ));
                    }
                }
                6 if name.eq_ignore_ascii_case("expect") => {
                    if !value.eq_ignore_ascii_case(b"100-continue") {
                        let why = "only 100-continue can be expected";
                        return Err(Refusal::by(
                            "RFC 9110 section 10.1.1",
                            Status::EXPECTATION_FAILED,
                            why,
                        ));
                    }
                    // A client of 1.0 does not know 100, and its Expect is ignored.
                    expects_continue = version == Version::Http11;
                }
                _ => ends.read(name, value)?,
            }
        }
        if host.is_none() && version == Version::Http11 {
            return Err(Refusal::bad("RFC 9112 section 3.2", "the Host header is missing"));
        }
        let framing = ends.framing(version)?.unwrap_or(Framing::Length(0));
        let expects_continue = expects_continue && framing != Framing::Length(0);
        Ok(Framed { framing, persistence: ends.persistence(version), expects_continue })
    }
}

/// What the fields of a request or of a response say about its end, and about that of the
/// connection.
#[derive(Debug, Default)]
pub(super) struct Ends {
    length: Option<u64>,
    codings: Codings,
    close: bool,
    keep: bool,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Codings {
    #[default]
    None,
    Chunked,
}

impl Ends {
    pub(super) fn read(&mut self, name: &str, value: &[u8]) -> Result<(), Refusal> {
        match name.len() {
            14 if name.eq_ignore_ascii_case("content-length") => {
                let this = parse_length(value)?;
                if self.length.replace(this).is_some_and(|other| other != this) {
                    return Err(Refusal::bad(
                        "RFC 9112 section 6.3",
                        "two Content-Length headers that differ",
                    ));
                }
            }
            17 if name.eq_ignore_ascii_case("transfer-encoding") => {
                if self.codings == Codings::Chunked {
                    return Err(Refusal::bad(
                        "RFC 9112 section 6.1",
                        "two Transfer-Encoding headers",
                    ));
                }
                parse_coding(value)?;
                self.codings = Codings::Chunked;
            }
            10 if name.eq_ignore_ascii_case("connection") => {
                for option in value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii) {
                    self.close |= option.eq_ignore_ascii_case(b"close");
                    self.keep |= option.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Nothing where no field tells the end.
    pub(super) fn framing(&self, version: Version) -> Result<Option<Framing>, Refusal> {
        match (&self.codings, self.length) {
            (Codings::Chunked, Some(_)) => Err(Refusal::bad(
                "RFC 9112 section 6.1",
                "both Content-Length and Transfer-Encoding",
            )),
            (Codings::Chunked, None) if version == Version::Http10 => Err(Refusal::bad(
                "RFC 9112 section 6.1",
                "Transfer-Encoding in a message of HTTP/1.0",
            )),
            (Codings::Chunked, None) => Ok(Some(Framing::Chunked)),
            (Codings::None, length) => Ok(length.map(Framing::Length)),
        }
    }

    pub(super) fn persistence(&self, version: Version) -> Persistence {
        let stays = match version {
            Version::Http11 => !self.close,
            Version::Http10 => self.keep && !self.close,
        };
        if stays { Persistence::Keep } else { Persistence::Close }
    }
}

fn parse_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::bad("RFC 9112 section 6.3", "Content-Length is not a number"));
    }
    // More than 64 bits is as good as without end: no limit lets it pass.
    let digits = value.iter().map(|digit| u64::from(digit - b'0'));
    Ok(digits.fold(0, |number: u64, digit| number.saturating_mul(10).saturating_add(digit)))
}

fn parse_coding(value: &[u8]) -> Result<(), Refusal> {
    if value.eq_ignore_ascii_case(b"chunked") {
        return Ok(());
    }
    let mut codings = value.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    if codings.clone().any(|coding| !coding.is_empty() && !coding.eq_ignore_ascii_case(b"chunked"))
    {
        let last = codings.next_back().unwrap_or_default();
        if codings.any(|coding| coding.eq_ignore_ascii_case(b"chunked"))
            && !last.eq_ignore_ascii_case(b"chunked")
        {
            return Err(Refusal::bad(
                "RFC 9112 section 6.3",
                "chunked is not the last transfer coding",
            ));
        }
        let why = "chunked is the only transfer coding known here";
        return Err(Refusal::by("RFC 9112 section 6.1", Status::NOT_IMPLEMENTED, why));
    }
    let why = if codings.any(<[u8]>::is_empty) {
        "Transfer-Encoding has an empty coding in it"
    } else {
        "chunked may stand in Transfer-Encoding once"
    };
    Err(Refusal::bad("RFC 9112 section 6.1", why))
}
