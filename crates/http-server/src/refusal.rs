//! An error that teaches: the status, what was wrong in one sentence, and the section
//! of the RFC that says so.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, ErrorKind};

use crate::fields::Fields;
use crate::html;
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

    /// What was wrong.
    pub(crate) fn why(&self) -> &str {
        &self.why
    }

    /// 404 in the words that every missing thing gets, whatever the reason: a stranger
    /// learns nothing more.
    pub fn not_found() -> Refusal {
        Refusal::new(Status::NOT_FOUND, "there is nothing at this address")
    }

    /// The page that shows this refusal, with its media type, in the form that the
    /// client asks for.
    pub(crate) fn page(&self, fields: Option<&Fields>) -> (&'static str, String) {
        match fields.map_or(Form::Text, Form::preferred) {
            Form::Text => ("text/plain; charset=utf-8", format!("{self}\n")),
            Form::Json => (
                "application/json",
                format!(
                    "{{\"status\":{},\"error\":{}}}\n",
                    self.status.0,
                    html::json(&self.to_string())
                ),
            ),
            Form::Html => ("text/html; charset=utf-8", self.html()),
        }
    }

    fn html(&self) -> String {
        let title = format!("{} {}", self.status.0, self.status.reason());
        let body = format!(
            "<h1>{}</h1>\n<p>{}</p>\n",
            html::escape(&title),
            html::escape(&self.to_string())
        );
        html::page(&title, &body)
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

/// The forms in which pages are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For a person at a terminal, and for whoever does not say.
    Text,
    /// For a program.
    Json,
    /// For a browser.
    Html,
}

impl Form {
    /// What the Accept field asks for by name. `*/*` is what curl and scripts send:
    /// they get text.
    pub fn preferred(fields: &Fields) -> Form {
        let mut best = (0, Form::Text);
        for (name, form) in [
            ("text/plain", Form::Text),
            ("application/json", Form::Json),
            ("text/html", Form::Html),
        ] {
            let weight = fields.weight("accept", name);
            if weight > best.0 {
                best = (weight, form);
            }
        }
        best.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(accept: &str) -> Form {
        Form::preferred(&Fields::new(&[httparse::Header {
            name: "Accept",
            value: accept.as_bytes(),
        }]))
    }

    #[test]
    fn a_refusal_names_the_rule() {
        let refusal = Refusal::by("RFC 9112 section 3.2", Status::BAD_REQUEST, "two Host headers");
        assert_eq!(refusal.to_string(), "400: two Host headers (RFC 9112 section 3.2)");
        assert_eq!(refusal.page(None).1, "400: two Host headers (RFC 9112 section 3.2)\n");
    }

    #[test]
    fn the_form_of_a_page_follows_accept() {
        assert_eq!(
            accepting("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            Form::Html
        );
        assert_eq!(accepting("application/json"), Form::Json);
        assert_eq!(accepting("text/html;q=0.1, application/json;q=0.5"), Form::Json);
        assert_eq!(accepting("*/*"), Form::Text);
        assert_eq!(accepting("image/png"), Form::Text);
        assert_eq!(accepting("text/html;q=0"), Form::Text);
    }

    #[test]
    fn an_input_error_becomes_its_status_and_hides_its_text() {
        let status = |kind: ErrorKind| Refusal::from(io::Error::new(kind, "/secret")).status;
        assert_eq!(status(ErrorKind::NotFound), Status::NOT_FOUND);
        assert_eq!(status(ErrorKind::PermissionDenied), Status::FORBIDDEN);
        assert_eq!(status(ErrorKind::Other), Status::INTERNAL_SERVER_ERROR);
        assert!(!Refusal::from(io::Error::other("/secret")).to_string().contains("secret"));
    }

    #[test]
    fn what_is_shown_in_html_is_escaped() {
        let (_, page) = Refusal::new(Status::BAD_REQUEST, "<script>")
            .page(Some(&Fields::new(&[httparse::Header { name: "Accept", value: b"text/html" }])));
        assert!(page.contains("&lt;script&gt;") && !page.contains("<script"));
    }
}
