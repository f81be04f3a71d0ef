//! An error that teaches: the status, what was wrong in one sentence, and the section
//! of the RFC that says so.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind};

use crate::status::Status;

/// Why a request is not served. Reads as `400: two Host headers (RFC 9112 section
/// 3.2)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the response.
    pub status: Status,
    why: Cow<'static, str>,
    section: &'static str,
}

impl Refusal {
    /// A refusal that needs no reference.
    pub fn new(status: Status, why: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { status, why: why.into(), section: "" }
    }

    /// A refusal that a section of an RFC asks for: `RFC 9112 section 3.2`.
    pub fn by(section: &'static str, status: Status, why: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal { status, why: why.into(), section }
    }

    /// 400, by a section of an RFC.
    pub fn bad(section: &'static str, why: impl Into<Cow<'static, str>>) -> Refusal {
        Refusal::by(section, Status::BAD_REQUEST, why)
    }

    /// What was wrong.
    pub fn why(&self) -> &str {
        &self.why
    }

    /// 404 in the words that every missing thing gets, whatever the reason: a stranger
    /// learns nothing more.
    pub fn not_found() -> Refusal {
        Refusal::new(Status::NOT_FOUND, "there is nothing at this address")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.status.0, self.why)?;
        if self.section.is_empty() { Ok(()) } else { write!(f, " ({})", self.section) }
    }
}

impl std::error::Error for Refusal {}

impl From<io::Error> for Refusal {
    /// NotFound is 404, PermissionDenied 403, a want of descriptors 503, a body that
    /// could not be read 400 or 408, everything else 500. The error's own text
    /// stays in the log: it may name paths of this machine.
    fn from(error: io::Error) -> Refusal {
        if let Some(refusal) = error.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>()) {
            return refusal.clone();
        }
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::InvalidFilename => {
                Refusal::not_found()
            }
            ErrorKind::PermissionDenied => Refusal::by(
                "RFC 9110 section 15.5.4",
                Status::FORBIDDEN,
                "the server may not read this",
            ),
            _ if is_shortage(&error) => Refusal::by(
                "RFC 9110 section 15.6.4",
                Status::SERVICE_UNAVAILABLE,
                "too many files are open; try again soon",
            ),
            _ => {
                log::warn!("a request failed: {error}");
                Refusal::new(Status::INTERNAL_SERVER_ERROR, "the server failed; its log says why")
            }
        }
    }
}

/// Whether the process or the machine has run out of descriptors.
fn is_shortage(error: &io::Error) -> bool {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        matches!(Errno::from_io_error(error), Some(Errno::MFILE | Errno::NFILE))
    }
    #[cfg(not(unix))]
    {
        let _ = error;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_rule() {
        let refusal = Refusal::by("RFC 9112 section 3.2", Status::BAD_REQUEST, "two Host headers");
        assert_eq!(refusal.to_string(), "400: two Host headers (RFC 9112 section 3.2)");
    }

    #[test]
    fn an_input_error_becomes_its_status_and_hides_its_text() {
        let status = |kind: ErrorKind| Refusal::from(io::Error::new(kind, "/secret")).status;
        assert_eq!(status(ErrorKind::NotFound), Status::NOT_FOUND);
        assert_eq!(status(ErrorKind::PermissionDenied), Status::FORBIDDEN);
        assert_eq!(status(ErrorKind::Other), Status::INTERNAL_SERVER_ERROR);
        assert!(!Refusal::from(io::Error::other("/secret")).to_string().contains("secret"));
    }
}
