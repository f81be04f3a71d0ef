//! The log on standard error: one line an event, its time first, what a peer sent made
//! harmless.

use std::fmt::{self, Write as _};
use std::io::Write as _;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use env_logger::{Builder, Env};

/// Bytes of a payload that the log shows; the rest is counted.
const SHOWN: usize = 64;

/// Starts the log: `info` and above, everything that is sent and received with `-v`,
/// all with `-vv`. `RUST_LOG` overrides both ([its syntax](https://docs.rs/env_logger)).
///
/// Times are UTC, in microseconds, so that the lines of two processes can be put in
/// order.
pub fn init(verbose: u8) {
    let level = match verbose {
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let mut builder = Builder::from_env(Env::default().default_filter_or(level));
    builder.format(|out, record| {
        let level = record.level().as_str().to_ascii_lowercase();
        writeln!(out, "{} {level:<5} {}", time_of_day(SystemTime::now()), record.args())
    });
    // A second start, as in a test with several servers, leaves the first as it is.
    let _ = builder.try_init();
}

fn time_of_day(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = since.as_secs() % (24 * 60 * 60);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:06}", seconds % 60, since.subsec_micros())
}

/// Shows bytes from a peer as quoted text: control characters escaped, what is not
/// UTF-8 as `\xNN`, long ones cut.
///
/// A peer could otherwise write lines of its own into the log, or commands to the
/// terminal that shows it.
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

    #[test]
    fn the_time_is_that_of_the_day() {
        let at = UNIX_EPOCH + Duration::new(86_400 * 20_000 + 3_661, 7_000);
        assert_eq!(time_of_day(at), "01:01:01.000007");
    }
}
