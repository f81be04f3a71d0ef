//! What the page is told, one event after the other.

use ladder::log_line::Level;
use ladder::process::Held;
use netfault::proxy::{Fate, Passed, Way};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Bytes of a segment or datagram that the page is told. Of a longer one it is told the
/// length.
const SHOWN: usize = 256;

/// Characters of a line. A longer one is cut.
const LINE: usize = 600;

/// One of the boxes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Who {
    Server,
    Client1,
    Client2,
    /// Whoever misbehaves.
    Peer,
}

/// Whose the lines to the server are: the first two the clients', the third that of whoever
/// misbehaves.
pub const LINES: [Who; 3] = [Who::Client1, Who::Client2, Who::Peer];

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub enum What {
    /// A rung plays, and all that was before is over.
    Session(Value),
    Process {
        who: Who,
        /// `started`, `ready` where it listens, or `ended`.
        stage: &'static str,
        text: String,
    },
    /// A line of a log, or another one on standard error.
    Log {
        who: Who,
        level: Level,
        text: String,
    },
    Printed {
        who: Who,
        text: String,
    },
    Passed(Value),
    /// Those of each box, where the system tells.
    Sockets {
        told: bool,
        rows: Vec<SocketRow>,
    },
    /// What the server holds.
    Load(Held),
    Crowd {
        asked: usize,
        came: usize,
        refused: usize,
        here: bool,
    },
    Network(NetworkNow),
    /// A word of ours.
    Note {
        text: String,
        bad: bool,
    },
    /// How a fault has ended, by the same trial as in `cargo xtask faults`.
    Verdict {
        fault: String,
        survived: Option<bool>,
        expected: bool,
        text: String,
    },
    /// So many events were too many to be shown.
    Missed {
        number: u64,
    },
}

/// The sockets of one box that are in one state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SocketRow {
    pub who: Who,
    pub state: &'static str,
    pub number: usize,
    /// One of them: its own end, and the other one.
    pub ends: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct NetworkNow {
    /// Of a hundred.
    pub loss: u8,
    /// Milliseconds one way.
    pub delay: u16,
    /// Of a hundred.
    pub reorder: u8,
}

/// What has passed on the line of `who`. Of its bytes, the first are told, two digits each.
pub fn segment(who: Who, passed: &Passed) -> Value {
    let shown = &passed.bytes[..passed.bytes.len().min(SHOWN)];
    let way = match passed.way {
        Way::ToServer => "there",
        Way::ToClient => "back",
    };
    let fate = match passed.fate {
        Fate::Delivered => "delivered",
        Fate::Repeated => "repeated",
        Fate::Lost => "lost",
        Fate::Ended => "ended",
        Fate::Reset => "reset",
        Fate::Cut => "cut",
    };
    let digits: String = shown.iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "who": who, "connection": passed.connection, "way": way, "fate": fate,
        "length": passed.bytes.len(), "bytes": digits,
    })
}

/// As much of a line as the page shows.
pub fn shown(line: &str) -> String {
    match line.char_indices().nth(LINE) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_line_is_cut_between_two_characters() {
        assert_eq!(shown("Привет"), "Привет");
        assert_eq!(shown(&"я".repeat(LINE + 1)), format!("{} …", "я".repeat(LINE)));
    }
}
