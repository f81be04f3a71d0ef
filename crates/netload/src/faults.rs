//! What went wrong, counted by kind, with the first of it in words.

use std::fmt;
use std::io::{self, ErrorKind};

use netcore::error::reason;
use serde::Serialize;

/// What ended a connection before its time.
#[derive(Debug)]
pub enum Fault {
    /// A reply was not what it should have been: how.
    Wrong(String),
    /// The server closed the connection with a reply outstanding, or one that was to
    /// stay.
    Closed,
    /// No reply came within the limit.
    TimedOut,
    /// A system call failed.
    Io(io::Error),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Fault {
        Fault::Io(error)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Wrong(how) => f.write_str(how),
            Fault::Closed => f.write_str("the server closed the connection too early"),
            Fault::TimedOut => f.write_str("no reply came in time"),
            Fault::Io(error) => f.write_str(&reason(error)),
        }
    }
}

/// The faults of a run: each ended one connection.
#[derive(Debug, Default, Serialize, Clone)]
pub struct Faults {
    /// Replies that were not what they should have been.
    pub wrong: u64,
    /// Connections that the server closed too early.
    pub closed: u64,
    /// Connections that were reset.
    pub reset: u64,
    /// Connections that were refused.
    pub refused: u64,
    /// Connections on which no reply came in time.
    pub timed_out: u64,
    /// Connections that ended in another way.
    pub other: u64,
    /// The first of all, in words.
    pub first: Option<String>,
}

impl Faults {
    /// Counts `fault`, which ended connection `number`.
    pub fn count(&mut self, number: usize, fault: &Fault) {
        let count = match fault {
            Fault::Wrong(_) => &mut self.wrong,
            Fault::Closed => &mut self.closed,
            Fault::TimedOut => &mut self.timed_out,
            Fault::Io(error) => match error.kind() {
                ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => &mut self.reset,
                ErrorKind::ConnectionRefused => &mut self.refused,
                _ => &mut self.other,
            },
        };
        *count += 1;
        self.first.get_or_insert_with(|| format!("connection {number}: {fault}"));
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.wrong + self.closed + self.reset + self.refused + self.timed_out + self.other
    }
}

/// `2 wrong, 1 reset`, or `none`.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [
            (self.wrong, "wrong"),
            (self.closed, "closed too early"),
            (self.reset, "reset"),
            (self.refused, "refused"),
            (self.timed_out, "without a reply in time"),
            (self.other, "other"),
        ];
        let told: Vec<String> =
            kinds.iter().filter(|(n, _)| *n > 0).map(|(n, kind)| format!("{n} {kind}")).collect();
        f.write_str(if told.is_empty() { "none" } else { "" })?;
        f.write_str(&told.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_counted_by_kind_and_the_first_is_kept() {
        let mut faults = Faults::default();
        assert_eq!(faults.to_string(), "none");
        faults.count(5, &Fault::from(io::Error::from(ErrorKind::ConnectionReset)));
        faults.count(6, &Fault::Wrong("byte 3".into()));
        faults.count(7, &Fault::Wrong("byte 4".into()));
        assert_eq!(faults.to_string(), "2 wrong, 1 reset");
        assert_eq!(faults.total(), 3);
        assert_eq!(faults.first.unwrap(), "connection 5: connection reset by the other end");
    }
}
