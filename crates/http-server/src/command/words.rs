//! Single words of the command line, and what to say where one makes no sense.

use std::net::IpAddr;

use httpcore::head::host;
use httpcore::reply::field_line;

/// Whether a word is digits alone.
pub fn is_number(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit())
}

/// A name that may stand in Host, as it is compared; `*` for any.
///
/// # Errors
/// What to write instead of one that no client will ever send.
pub fn host_name(text: &str) -> Result<String, String> {
    if text == "*" {
        return Ok(text.into());
    }
    if let Some((_, rest)) = text.split_once("://") {
        let name = rest.split(['/', ':']).next().unwrap_or_default();
        return Err(format!("this is an address, and Host has only the name in it: {name}"));
    }
    if text.starts_with('[') || text.parse::<IpAddr>().is_ok() {
        return Err("numeric addresses are answered in any case".into());
    }
    if let Some((name, _)) = text.split_once(':') {
        return Err(format!("the port is not looked at: {name}"));
    }
    if text.contains('*') {
        return Err("* is every name; a part of a name cannot be left open".into());
    }
    if !text.is_ascii() {
        return Err("browsers send such a name in ASCII, as in xn--e1afmkfd.example".into());
    }
    // A dot at the end makes no other name (RFC 9110 leaves it to DNS).
    let name = text.strip_suffix('.').unwrap_or(text);
    if !host::is_plain_name(name) {
        return Err("a name has letters, digits, dots and dashes".into());
    }
    Ok(name.into())
}

/// A header field of one's own.
///
/// # Errors
/// What it is not, and which option sets it where one does.
pub fn header(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once(':').ok_or("a header is written as 'Name: value'")?;
    let value = value.trim_matches([' ', '\t']);
    if name.eq_ignore_ascii_case("cache-control") {
        let why = "files have a Cache-Control already; --cache SECONDS says for how long they may be kept";
        return Err(why.into());
    }
    field_line(name, value).map_err(|error| error.to_string())?;
    Ok((name.into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_can_never_match_is_told_with_what_to_write_instead() {
        for (text, name) in [("my.test", "my.test"), ("My.Test.", "My.Test"), ("*", "*")] {
            assert_eq!(host_name(text).as_deref(), Ok(name));
        }
        for (text, why) in [
            ("http://my.test:8000/", ": my.test"),
            ("my.test:8000", ": my.test"),
            ("*.my.test", "every name"),
            ("127.0.0.1", "in any case"),
            ("[::1]:80", "in any case"),
            ("::1", "in any case"),
            ("пример.рф", "xn--"),
            ("my.test/", "letters"),
            ("my test", "letters"),
            ("user@my.test", "letters"),
            ("", "letters"),
            (".", "letters"),
        ] {
            let told = host_name(text).unwrap_err();
            assert!(told.contains(why), "{text:?}: {told}");
        }
    }

    #[test]
    fn a_header_that_an_option_sets_names_the_option() {
        assert_eq!(header("X-A:\tb "), Ok(("X-A".into(), "b".into())));
        assert!(header("cache-control: public").unwrap_err().contains("--cache SECONDS"));
        for text in ["X-A", "X A: b", "X-A: b\r\nX-B: c", "Content-Length: 5"] {
            assert!(header(text).is_err(), "{text:?}");
        }
    }
}
