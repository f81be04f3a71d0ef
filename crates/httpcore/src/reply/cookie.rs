//! A cookie that is set, with what keeps it from others unless one says otherwise
//! ([RFC 6265](https://www.rfc-editor.org/rfc/rfc6265), and SameSite of its successor).

use std::io;
use std::time::Duration;

use crate::head::is_token;

/// A cookie for [`Response::cookie`](super::Response::cookie).
///
/// Unless told otherwise it goes back to every path of this server and to no other, ends
/// with the browser, is out of reach of scripts (`HttpOnly`), is not sent with what a page
/// of another site makes the browser send, following a link apart (`SameSite=Lax`), and
/// goes over TLS alone (`Secure`). Chrome, Firefox and curl take 127.0.0.1 and localhost
/// for as good as TLS; for a network without it, see [`Cookie::in_clear_text`].
///
/// ```
/// use std::time::Duration;
/// use httpcore::reply::{Cookie, Response};
///
/// let session = Cookie::new("session", "b7c4").max_age(Duration::from_secs(3600));
/// let response = Response::redirect("/").cookie(session);
/// ```
#[derive(Debug, Clone)]
pub struct Cookie {
    name: String,
    value: String,
    path: String,
    max_age: Option<Duration>,
    same_site: SameSite,
    http_only: bool,
    secure: bool,
}

/// Whether a cookie goes with requests that a page of another site has begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SameSite {
    /// Never: whoever follows a link to this server is not known at first.
    Strict,
    /// Where a person follows a link here, and not where a page sends a form.
    Lax,
    /// Always, and only with `Secure`. Every form then needs a guard of its own.
    None,
}

impl Cookie {
    /// A cookie of this name and value. The value is of printable ASCII without a space, a
    /// comma, a semicolon, a quotation mark or a backslash; anything else is to be encoded.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Cookie {
        Cookie {
            name: name.into(),
            value: value.into(),
            path: "/".into(),
            max_age: None,
            same_site: SameSite::Lax,
            http_only: true,
            secure: true,
        }
    }

    /// What takes the cookie of this name away. Its path, where it has one of its own, is
    /// to be said again.
    pub fn removal(name: impl Into<String>) -> Cookie {
        Cookie::new(name, "").max_age(Duration::ZERO)
    }

    /// It outlives the browser, and ends after this time, in whole seconds.
    pub fn max_age(self, time: Duration) -> Cookie {
        Cookie { max_age: Some(time), ..self }
    }

    /// It goes back to this path and those below it. That keeps nothing apart: a script of
    /// another path of the same server gets at it.
    pub fn path(self, path: impl Into<String>) -> Cookie {
        Cookie { path: path.into(), ..self }
    }

    /// With which requests of other sites it goes.
    pub fn same_site(self, same_site: SameSite) -> Cookie {
        Cookie { same_site, ..self }
    }

    /// Scripts of the page see it, and so does one that somebody has smuggled in.
    pub fn shown_to_scripts(self) -> Cookie {
        Cookie { http_only: false, ..self }
    }

    /// It goes over connections without TLS too, where whoever is on the way can read it.
    pub fn in_clear_text(self) -> Cookie {
        Cookie { secure: false, ..self }
    }

    /// What stands behind `Set-Cookie:`.
    pub(super) fn field_value(&self) -> io::Result<String> {
        // cookie-octet of RFC 6265 section 4.1.1.
        let is_octet = |byte: u8| byte.is_ascii_graphic() && !br#"",;\"#.contains(&byte);
        let is_path = self.path.starts_with('/')
            && self.path.bytes().all(|byte| byte.is_ascii_graphic() && byte != b';');
        if self.name.is_empty()
            || !self.name.bytes().all(is_token)
            || !self.value.bytes().all(is_octet)
            || !is_path
        {
            // Not the value: what a log shows, more people read than a secret is for.
            let why = format!("the cookie {:?} for {:?} cannot be sent", self.name, self.path);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        }
        let mut text = format!("{}={}; Path={}", self.name, self.value, self.path);
        if let Some(time) = self.max_age {
            text.push_str(&format!("; Max-Age={}", time.as_secs()));
        }
        text.push_str(match self.same_site {
            SameSite::Strict => "; SameSite=Strict",
            SameSite::Lax => "; SameSite=Lax",
            SameSite::None => "; SameSite=None",
        });
        for (set, word) in [(self.http_only, "; HttpOnly"), (self.secure, "; Secure")] {
            text.push_str(if set { word } else { "" });
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_it_from_others_is_there_unless_one_says_otherwise() {
        let value = |cookie: Cookie| cookie.field_value().unwrap();
        assert_eq!(value(Cookie::new("a", "b")), "a=b; Path=/; SameSite=Lax; HttpOnly; Secure");
        assert_eq!(
            value(Cookie::removal("a").path("/x").same_site(SameSite::Strict)),
            "a=; Path=/x; Max-Age=0; SameSite=Strict; HttpOnly; Secure"
        );
        let open = Cookie::new("a", "b").shown_to_scripts().in_clear_text();
        assert_eq!(value(open), "a=b; Path=/; SameSite=Lax");
        let other = Cookie::new("a", "b").same_site(SameSite::None);
        assert_eq!(value(other), "a=b; Path=/; SameSite=None; HttpOnly; Secure");
    }

    #[test]
    fn what_would_be_read_as_something_else_is_refused_without_its_value() {
        for (name, value, path) in [
            ("", "b", "/"),
            ("a=", "b", "/"),
            ("a b", "b", "/"),
            ("a", "hidden; Domain=test", "/"),
            ("a", "hidden\r\nA: b", "/"),
            ("a", "hidden,", "/"),
            ("a", "\"hidden\"", "/"),
            ("a", "\u{44f}", "/"),
            ("a", "b", "/; Domain=test"),
            ("a", "b", ""),
        ] {
            let error = Cookie::new(name, value).path(path).field_value().unwrap_err();
            assert!(!error.to_string().contains("hidden"), "{error}");
        }
    }
}
