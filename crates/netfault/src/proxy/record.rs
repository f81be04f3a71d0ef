//! What has passed a proxy, and how it is written down.

use std::fmt::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
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
    /// No bytes: the sender has broken off, and the receiver is reset as well.
    Reset,
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

/// Segments and datagrams that wait to be written down, of 64 KiB at most. A disk that is
/// slower than the network must not cost memory: what comes then is carried, counted and
/// not recorded.
const WAITING: usize = 1_024;

/// Where everything that passes is told. Clones share one queue.
#[derive(Debug, Clone)]
pub struct Recorder {
    to: SyncSender<Passed>,
    missed: Arc<AtomicU64>,
}

/// A recorder, and the end at which what it is told is received.
pub fn recorder() -> (Recorder, Receiver<Passed>) {
    let (to, recorded) = sync_channel(WAITING);
    (Recorder { to, missed: Arc::default() }, recorded)
}

impl Recorder {
    pub(super) fn tell(&self, passed: Passed) {
        // Where nobody wants to know any more, nothing is missed.
        if let Err(TrySendError::Full(_)) = self.to.try_send(passed) {
            self.missed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A count that outlives the recorder: the receiver's queue ends with the last one.
    pub fn missed(&self) -> Missed {
        Missed(self.missed.clone())
    }
}

/// How many segments and datagrams have passed unrecorded.
#[derive(Debug, Clone)]
pub struct Missed(Arc<AtomicU64>);

impl Missed {
    /// Those since this was last asked.
    pub fn take(&self) -> u64 {
        self.0.swap(0, Ordering::Relaxed)
    }
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
    fn a_recorder_that_nobody_reads_counts_what_it_leaves_out() {
        let (recorder, recorded) = recorder();
        let (at, connection, way) = (SystemTime::now(), 0, Way::ToServer);
        for _ in 0..WAITING + 3 {
            recorder.tell(Passed { at, connection, way, fate: Fate::Delivered, bytes: vec![] });
        }
        let missed = recorder.missed();
        drop(recorder);
        assert_eq!((recorded.iter().count(), missed.take(), missed.take()), (WAITING, 3, 0));
    }

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
