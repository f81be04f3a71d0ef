//! The log on standard error: one line an event, its time first, everything that is not
//! plain text made harmless, and never in anybody's way.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::panic;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use env_logger::{Builder, Env, Target};
#[cfg(unix)]
use rustix::event::{PollFd, PollFlags, Timespec, poll};

mod early;
mod payload;

pub use early::warn_early;
pub use payload::{Payload, payload};

/// Bytes of a line that the log writes; the rest is cut. So many a pipe takes as a whole
/// once it is ready ([pipe(7)](https://man7.org/linux/man-pages/man7/pipe.7.html),
/// PIPE_BUF), but for some systems, which take 512.
const LONGEST_LINE: usize = 4096;

/// Libraries whose finer words are whole requests, with the secrets in them: a log is read
/// by more people than a secret is for.
const TELL_SECRETS: [&str; 2] = ["ureq", "ureq_proto"];

/// The first control beyond the text of ASCII.
const DELETE: u8 = 0x7f;

/// The target of what a panic says.
const PANIC: &str = "panic";

/// Starts the log: `info` and above, everything that is sent and received with `-v`, all
/// with `-vv`. `RUST_LOG` overrides both ([its syntax](https://docs.rs/env_logger)),
/// unless it is empty.
///
/// Times are UTC, in microseconds, so that the lines of two processes can be put in
/// order. A line that standard error has no room for is dropped and counted: a log that
/// nobody reads must not hold the service up, nor its end.
pub fn init(verbose: u8) {
    let level = match verbose {
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let set = std::env::var_os("RUST_LOG").is_some_and(|filter| !filter.is_empty());
    let mut builder = match set {
        true => Builder::from_env(Env::default()),
        false => Builder::new(),
    };
    if !set {
        builder.parse_filters(level);
    }
    builder.format(|out, record| {
        let level = record.level().as_str().to_ascii_lowercase();
        let text = record.args().to_string();
        writeln!(out, "{} {level:<5} {}", time_of_day(SystemTime::now()), harmless(&text))
    });
    builder.target(Target::Pipe(Box::new(NeverWaits { dropped: 0 })));
    // Whatever the filter.
    builder.filter_module(PANIC, log::LevelFilter::Error);
    for module in TELL_SECRETS {
        builder.filter_module(module, log::LevelFilter::Info);
    }
    // A second start, as in a test with several servers, leaves the first as it is.
    if builder.try_init().is_ok() {
        // std's own words about a panic would wait for room, with the lock of standard error in
        // hand: one bug in a reply, and nobody gets any further, not even for a stop.
        panic::set_hook(Box::new(|panic| log::error!(target: PANIC, "{panic}")));
        early::tell();
    }
}

/// Standard error, as far as it has room. env_logger writes a whole line in each call.
struct NeverWaits {
    dropped: u64,
}

impl io::Write for NeverWaits {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Whoever has the lock has the room as well.
        let mut stderr = io::stderr().lock();
        if !has_room() {
            self.dropped += 1;
            return Ok(line.len());
        }
        if self.dropped > 0 {
            let now = time_of_day(SystemTime::now());
            writeln!(stderr, "{now} warn  {} lines of this log had no room", self.dropped)?;
            self.dropped = 0;
            if !has_room() {
                self.dropped = 1;
                return Ok(line.len());
            }
        }
        match line.len() {
            0..=LONGEST_LINE => stderr.write_all(line)?,
            _ => stderr.write_all(&[&line[..LONGEST_LINE - 1], b"\n"].concat())?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether standard error takes a line now without a wait. What cannot be asked, as a
/// terminal of macOS and a handle of Windows, is written to and may wait.
#[cfg(unix)]
pub fn has_room() -> bool {
    let stderr = io::stderr();
    let mut fds = [PollFd::new(&stderr, PollFlags::OUT)];
    match poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })) {
        Ok(0) => false,
        Ok(_) => !fds[0].revents().is_empty(),
        Err(_) => true,
    }
}

/// Whether standard error takes a line now without a wait, which nobody can tell here.
#[cfg(windows)]
pub fn has_room() -> bool {
    true
}

fn time_of_day(now: SystemTime) -> String {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let seconds = since.as_secs() % (24 * 60 * 60);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:06}", seconds % 60, since.subsec_micros())
}

/// One line of text and no commands to a terminal, whoever brought it: an error's text,
/// a name, a handler. What is escaped already stays as it is.
pub fn harmless(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        match is_plain(c) {
            true => line.push(c),
            // Writing to a String cannot fail.
            false => drop(write!(line, "{}", c.escape_debug())),
        }
    }
    line
}

/// The same JSON, for whoever reads it as JSON, and no command to a terminal: what is not
/// plain in its texts is written `\u009b`. JSON itself wants that of the first 32 only.
pub fn harmless_json(json: String) -> String {
    if json.bytes().all(|byte| byte < DELETE) {
        return json;
    }
    let mut harmless = String::with_capacity(json.len());
    for c in json.chars() {
        // The first 32 stand between its values, and in no text.
        match c < ' ' || is_plain(c) {
            true => harmless.push(c),
            false => drop(write!(harmless, "\\u{:04x}", u32::from(c))),
        }
    }
    harmless
}

/// Whether it is text and nothing else: no control, and nothing that cannot be seen and
/// turns the direction of the text around it.
pub fn is_plain(c: char) -> bool {
    !(c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_error_is_one_line_and_no_command() {
        assert_eq!(harmless("no\nroot closed\x1b[2J\u{202e}"), r"no\nroot closed\u{1b}[2J\u{202e}");
        assert_eq!(harmless(r#"sent "a\n" Привет"#), r#"sent "a\n" Привет"#);
    }

    #[test]
    fn json_stays_what_it_is_and_is_no_command() {
        let plain = "{\n  \"text\": \"Привет, \\u0007 💡\"\n}";
        assert_eq!(harmless_json(plain.into()), plain);
        let sent = "[\"\u{9b}31m\u{7f}\u{85}\u{202e}\u{2066}\u{200f}\u{61c}\u{2028}\u{feff}\"]";
        assert_eq!(
            harmless_json(sent.into()),
            r#"["\u009b31m\u007f\u0085\u202e\u2066\u200f\u061c\u2028\ufeff"]"#
        );
    }

    #[test]
    fn the_time_is_that_of_the_day() {
        let at = UNIX_EPOCH + Duration::new(86_400 * 20_000 + 3_661, 7_000);
        assert_eq!(time_of_day(at), "01:01:01.000007");
    }
}
