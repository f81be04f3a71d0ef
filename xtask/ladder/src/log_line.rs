//! The log lines of the rungs: `HH:MM:SS.micros level message`.

use std::net::SocketAddr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;

const DAY: u64 = 24 * 60 * 60 * 1_000_000;

/// A time of the day (UTC) in microseconds, as the log of a rung has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(u64);

impl Time {
    /// The time in the log of a rung that logged now.
    pub fn now() -> Time {
        Time::of(SystemTime::now())
    }

    /// The time in the log of a rung that logged at this one.
    pub fn of(at: SystemTime) -> Time {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Time((since.as_micros() % u128::from(DAY)) as u64)
    }

    /// The time since `start`, over midnight too; zero where this is the earlier one.
    pub fn since(self, start: Time) -> Duration {
        let micros = (self.0 + DAY - start.0) % DAY;
        // Half a day ago rather than half a day from now: nothing here takes so long.
        Duration::from_micros(if micros < DAY / 2 { micros } else { 0 })
    }

    pub fn earlier(self, other: Time) -> Time {
        if self.since(other).is_zero() { self } else { other }
    }

    pub fn later(self, other: Time) -> Time {
        if self.since(other).is_zero() { other } else { self }
    }

    fn parse(text: &str) -> Option<Time> {
        let (hours, rest) = text.split_once(':')?;
        let (minutes, rest) = rest.split_once(':')?;
        let (seconds, micros) = rest.split_once('.')?;
        let number = |digits: &str, length: usize| -> Option<u64> {
            let right = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
            if right { digits.parse().ok() } else { None }
        };
        let minutes = number(hours, 2)? * 60 + number(minutes, 2)?;
        Some(Time((minutes * 60 + number(seconds, 2)?) * 1_000_000 + number(micros, 6)?))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The program cannot go on.
    Error,
    /// One client could not be served.
    Warn,
    #[serde(rename = "info")]
    Other,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    pub at: Time,
    pub level: Level,
    pub message: String,
    /// The whole line without its time.
    pub text: String,
}

/// Whether a word is what a log calls a peer: its address, its user and process, or the
/// file that it listens on.
pub fn is_peer(word: &str) -> bool {
    without_name(word).parse::<SocketAddr>().is_ok()
        || ["uid=", "unix:"].iter().any(|it| word.starts_with(it))
}

/// Behind an address, the log has the name that somebody has proven:
/// `127.0.0.1:55286/ann`. A file has no such name, and may have slashes.
fn without_name(peer: &str) -> &str {
    let address = peer.split_once('/').map(|(address, _)| address);
    address.filter(|address| address.parse::<SocketAddr>().is_ok()).unwrap_or(peer)
}

/// What a message says, where it is one of those that all rungs share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// `PEER connected`
    Connected(&'a str),
    /// `PEER received N bytes "text"`: the peer, and the part after it.
    Received(&'a str, &'a str),
    /// `PEER sending N bytes "text"`
    Sending(&'a str, &'a str),
    /// `PEER closed`, or `PEER dropped: reason`
    Left(&'a str, &'a str),
    /// `PEER refused: reason`
    Refused(&'a str, &'a str),
    /// Another line.
    Other,
}

impl<'a> Event<'a> {
    /// Whose it is; `None` for another line.
    pub fn peer(self) -> Option<&'a str> {
        match self {
            Event::Connected(peer)
            | Event::Received(peer, _)
            | Event::Sending(peer, _)
            | Event::Left(peer, _)
            | Event::Refused(peer, _) => Some(peer),
            Event::Other => None,
        }
    }
}

impl LogLine {
    /// `None` for a line that is not of the log, such as `error: ...` or the message of
    /// a panic.
    pub fn parse(line: &str) -> Option<LogLine> {
        let (time, rest) = line.split_once(' ')?;
        let (level, message) = rest.split_once(' ')?;
        let text = rest.to_string();
        let level = match level {
            "error" => Level::Error,
            "warn" => Level::Warn,
            "info" | "debug" | "trace" => Level::Other,
            _ => return None,
        };
        // The level is padded to five.
        let message = message.strip_prefix(' ').unwrap_or(message).to_string();
        Some(LogLine { at: Time::parse(time)?, level, message, text })
    }

    pub fn event(&self) -> Event<'_> {
        let Some((peer, rest)) = self.message.split_once(' ') else { return Event::Other };
        if !is_peer(peer) {
            return Event::Other;
        }
        let peer = without_name(peer);
        match rest.split_once([' ', ':']).map_or(rest, |(verb, _)| verb) {
            "connected" => Event::Connected(peer),
            "received" => Event::Received(peer, rest),
            "sending" => Event::Sending(peer, rest),
            "closed" | "dropped" => Event::Left(peer, rest),
            "refused" => Event::Refused(peer, rest),
            _ => Event::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Time {
        LogLine::parse(&format!("{time} info  then")).unwrap().at
    }

    #[test]
    fn the_lines_of_a_real_log_are_understood() {
        let peer = "127.0.0.1:55286";
        let understood = |text: &str, level, event| {
            let line = LogLine::parse(&format!("11:34:24.235190 {text}")).unwrap();
            assert_eq!((line.text.as_str(), line.level, line.event()), (text, level, event));
        };
        let (info, received, sending) =
            (Level::Other, "received 2 bytes \"м\"", "sending 0 bytes \"\"");
        let (dropped, refused) = ("dropped: timed out", "refused: too deep");
        understood("info  127.0.0.1:55286 connected", info, Event::Connected(peer));
        understood(&format!("debug {peer} {received}"), info, Event::Received(peer, received));
        understood(&format!("debug {peer} {sending}"), info, Event::Sending(peer, sending));
        understood(&format!("warn  {peer} {dropped}"), Level::Warn, Event::Left(peer, dropped));
        understood(&format!("debug {peer} {refused}"), info, Event::Refused(peer, refused));
        understood("info  127.0.0.1:55286/ann closed", info, Event::Left(peer, "closed"));
        let peer = "[::1]:55286";
        understood("info  [::1]:55286 closed", info, Event::Left(peer, "closed"));
        let peer = "uid=1000,pid=7";
        understood(&format!("info  {peer} connected"), info, Event::Connected(peer));
        let peer = "unix:echo.sock";
        understood(&format!("debug {peer} {sending}"), info, Event::Sending(peer, sending));
        understood("info  waiting for a client", info, Event::Other);
        understood("error it is over", Level::Error, Event::Other);
    }

    #[test]
    fn other_lines_are_no_log_lines() {
        let others = "
error: cannot connect to 127.0.0.1:9: connection refused
hint: no server is listening there
thread 'main' panicked at src/main.rs:1:1:
11:34:24.23519 info  five digits
11:34:24.-35190 info  a sign
11:34:24.235190 shout nothing";
        for line in others.lines() {
            assert_eq!(LogLine::parse(line), None, "{line}");
        }
    }

    #[test]
    fn times_are_ordered_over_midnight() {
        let (before, after) = (at("23:59:59.999000"), at("00:00:00.001000"));
        assert_eq!(after.since(before), Duration::from_millis(2));
        assert_eq!(before.since(after), Duration::ZERO);
    }
}
