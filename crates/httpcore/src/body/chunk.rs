//! The lines of a chunked body, by the letter of
//! [RFC 9112 section 7.1](https://www.rfc-editor.org/rfc/rfc9112#section-7.1). A reader that takes more than that may
//! end the body elsewhere than the proxy in front of it.

use std::io;

use super::source::{CHUNKED, malformed};
use crate::head::is_token;

const EXTENSION: &str = "RFC 9112 section 7.1.1";
const TRAILER: &str = "RFC 9112 section 7.1.2";

/// The size of a chunk, from the line before it: hexadecimal digits, then extensions, which
/// nobody uses and which are only looked at.
pub(super) fn size(line: &[u8]) -> io::Result<u64> {
    let count = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, extensions) = line.split_at(count);
    // More digits than 64 bits have are an error of from_str_radix, and so is none.
    let size = str::from_utf8(digits).ok().and_then(|text| u64::from_str_radix(text, 16).ok());
    let size =
        size.ok_or_else(|| malformed(CHUNKED, "the size of a chunk is not a hexadecimal number"))?;
    if !are_extensions(extensions) {
        return Err(malformed(EXTENSION, "what follows the size of a chunk is no extension"));
    }
    Ok(size)
}

/// Any number of `;name`, `;name=token` and `;name="any text"`, with white space around the
/// signs.
fn are_extensions(mut rest: &[u8]) -> bool {
    while !rest.is_empty() {
        let Some(name) = after_sign(rest, b';').and_then(after_token) else { return false };
        rest = match after_sign(name, b'=') {
            None => name,
            Some(value) => match after_token(value).or_else(|| after_quoted(value)) {
                Some(rest) => rest,
                None => return false,
            },
        };
    }
    true
}

/// What follows `sign` and the white space around it.
fn after_sign(text: &[u8], sign: u8) -> Option<&[u8]> {
    Some(without_space(without_space(text).strip_prefix(&[sign])?))
}

fn without_space(text: &[u8]) -> &[u8] {
    let space = text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &text[space..]
}

fn after_token(text: &[u8]) -> Option<&[u8]> {
    let length = text.iter().take_while(|&&byte| is_token(byte)).count();
    (length > 0).then(|| &text[length..])
}

/// RFC 9110 section 5.6.4.
fn after_quoted(text: &[u8]) -> Option<&[u8]> {
    let mut rest = text.strip_prefix(b"\"")?;
    loop {
        rest = match rest {
            [b'"', rest @ ..] => return Some(rest),
            // Whatever follows a backslash stands for itself, a quotation mark too.
            [b'\\', byte, rest @ ..] if is_text(*byte) => rest,
            [byte, rest @ ..] if *byte != b'\\' && is_text(*byte) => rest,
            _ => return None,
        };
    }
}

/// Whether `line` is a field of the trailer section.
pub(super) fn check_trailer(line: &[u8]) -> io::Result<()> {
    match after_token(line) {
        Some([b':', value @ ..]) if value.iter().all(|&byte| is_text(byte)) => Ok(()),
        _ => Err(malformed(TRAILER, "a line behind the last chunk is not: name, colon, value")),
    }
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || !byte.is_ascii_control()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(checked: io::Result<impl std::fmt::Debug>) -> String {
        checked.unwrap_err().to_string()
    }

    #[test]
    fn a_size_is_hexadecimal_digits() {
        for (line, expected) in
            [("0", 0), ("a", 10), ("Ff", 255), ("00003", 3), ("ffffffffffffffff", u64::MAX)]
        {
            assert_eq!(size(line.as_bytes()).ok(), Some(expected), "{line:?}");
        }
        for line in ["", ";a", " 3", "+3", "-3", "0x3", "g", "10000000000000000", "\t3"] {
            let why = why(size(line.as_bytes()));
            assert!(why.contains("section 7.1"), "{line:?}: {why}");
        }
    }

    #[test]
    fn an_extension_has_a_name_and_perhaps_a_value() {
        for line in [
            "3;a",
            "3;a=b",
            "3;a=b;c;d=e",
            "3 ; a = b",
            "3\t;a",
            "3;a=\"b c;d=\\\"\\\\\"",
            "3;a=\"\";b",
            "3;a=\"я\"",
        ] {
            assert_eq!(size(line.as_bytes()).ok(), Some(3), "{line:?}");
        }
        for line in [
            "3;",
            "3 ",
            "3;;",
            "3;a;",
            "3;=b",
            "3;a=",
            "3;a b",
            "3 a",
            "3;a=b c",
            "3;a=\"b",
            "3;a=\"b\\",
            "3;a=\"b\\\"",
            "3;a=\"b\"c",
            "3;a\0",
            "3;a=\"\0\"",
            "3;a=\"\\\0\"",
            "3;a=\"\x7f\"",
            "3,a",
            "3;я",
            "3;a ",
        ] {
            let why = why(size(line.as_bytes()));
            assert!(why.contains("(RFC 9112 section 7.1.1)"), "{line:?}: {why}");
        }
    }

    #[test]
    fn a_trailer_is_a_field() {
        for line in ["a: b", "a:", "a:b\tc", "a: я", "a: b: c"] {
            check_trailer(line.as_bytes()).unwrap();
        }
        for line in ["a", ": b", " a: b", "\ta: b", "a : b", "a b: c", "a: b\0", "a: \x01", "я: b"]
        {
            let why = why(check_trailer(line.as_bytes()));
            assert!(why.contains("(RFC 9112 section 7.1.2)"), "{line:?}: {why}");
        }
    }
}
