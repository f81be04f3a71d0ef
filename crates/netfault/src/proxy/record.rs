//! What has passed a proxy, and how it is written down.

use std::fmt::Write;
use std::time::SystemTime;

/// Which way something goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    /// From the client.
    ToServer,
    /// From the server.
    ToClient,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was handed on.
    Delivered,
    /// It was handed on once more.
    Repeated,
    /// It was lost.
    Lost,
    /// No bytes: the sender has closed its side, which was handed on.
    Ended,
    /// No bytes: the connection was cut here.
    Cut,
}

/// One segment or datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// When it was handed on or lost.
    pub at: SystemTime,
    /// The number of the connection, or of the client, from 0.
    pub connection: u64,
    /// Which way.
    pub way: Way,
    /// What became of it.
    pub fate: Fate,
    /// All of it.
    pub bytes: Vec<u8>,
}

/// Bytes in a line of a dump.
pub const COLUMNS: usize = 16;

/// The bytes as people read them: sixteen a line, their offset, their values, and what
/// is ASCII.
pub fn hexdump(bytes: &[u8]) -> Vec<String> {
    let line = |(number, chunk): (usize, &[u8])| {
        let mut line = format!("{:04x} ", number * COLUMNS);
        for at in 0..COLUMNS {
            let gap = if at == COLUMNS / 2 { " " } else { "" };
            let _ = match chunk.get(at) {
                Some(byte) => write!(line, "{gap} {byte:02x}"),
                None => write!(line, "{gap}   "),
            };
        }
        let ascii = |byte: &u8| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' };
        let _ = write!(line, "  {}", chunk.iter().map(ascii).collect::<String>());
        line
    };
    bytes.chunks(COLUMNS).enumerate().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_dumped_as_every_tool_does() {
        let dump = hexdump("\0\0\0\x05hello, Привет!".as_bytes());
        let wanted = [
            "0000  00 00 00 05 68 65 6c 6c  6f 2c 20 d0 9f d1 80 d0  ....hello, .....",
            "0010  b8 d0 b2 d0 b5 d1 82 21                           .......!",
        ];
        assert_eq!(dump, wanted);
        assert!(hexdump(b"").is_empty());
    }
}
