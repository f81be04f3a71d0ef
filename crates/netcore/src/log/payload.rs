//! Bytes as the log shows them, whoever sent them.

use std::fmt::{self, Write};

/// Bytes of a payload that the log shows; the rest is counted.
const SHOWN: usize = 64;

/// Shows bytes from a peer as quoted text: control characters escaped, what is not UTF-8
/// as `\xNN`, long ones cut.
///
/// The quotes tell where it begins and ends; without them, a peer could go on in the
/// words of the log.
pub fn payload(bytes: &[u8]) -> Payload<'_> {
    Payload(bytes)
}

/// What [`payload`] returns.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a>(&'a [u8]);

impl fmt::Display for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        let mut left = SHOWN;
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.len_utf8() > left {
                    return self.cut(f, left);
                }
                left -= c.len_utf8();
                write!(f, "{}", c.escape_debug())?;
            }
            for byte in chunk.invalid() {
                if left == 0 {
                    return self.cut(f, left);
                }
                left -= 1;
                write!(f, "\\x{byte:02x}")?;
            }
        }
        f.write_char('"')
    }
}

impl Payload<'_> {
    fn cut(&self, f: &mut fmt::Formatter<'_>, left: usize) -> fmt::Result {
        write!(f, "\" and {} more", self.0.len() - (SHOWN - left))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_shown_as_text() {
        assert_eq!(payload("Привет".as_bytes()).to_string(), "\"Привет\"");
    }

    #[test]
    fn nothing_that_a_peer_sends_reaches_the_terminal_as_a_command() {
        assert_eq!(payload(b"a\n\x1b[31m\0\xff\xd0").to_string(), r#""a\n\u{1b}[31m\0\xff\xd0""#);
        assert_eq!(payload("\u{202e}".as_bytes()).to_string(), r#""\u{202e}""#);
    }

    #[test]
    fn a_long_payload_is_cut_and_counted() {
        assert_eq!(
            payload(&[b'a'; 100]).to_string(),
            format!("\"{}\" and 36 more", "a".repeat(64))
        );
        assert_eq!(payload(&[b'a'; 64]).to_string(), format!("\"{}\"", "a".repeat(64)));
        // A character is never cut in half.
        let text = format!("{}я!", "a".repeat(63));
        assert_eq!(
            payload(text.as_bytes()).to_string(),
            format!("\"{}\" and 3 more", "a".repeat(63))
        );
    }
}
