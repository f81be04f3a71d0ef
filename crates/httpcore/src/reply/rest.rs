//! What follows the head of a response.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use super::content::{Part, Parts, Stored};

/// What follows the buffer.
pub(super) enum Rest {
    Nothing,
    /// From a place in them on.
    Bytes(Cow<'static, [u8]>, usize),
    /// The same of a file that is kept in memory.
    Stored(Arc<Stored>, usize),
    File {
        file: Arc<File>,
        parts: VecDeque<Part>,
        way: Way,
    },
    Stream {
        reader: Box<dyn Read + Send>,
        chunked: bool,
    },
}

/// How bytes of a file get to the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    BySystem,
    /// Where the system cannot.
    Copied,
}

impl Rest {
    pub(super) fn file(Parts { file, list }: Parts) -> Rest {
        let is_empty = |part: &Part| matches!(part, Part::Slice(slice) if slice.is_empty());
        let parts = list.into_iter().filter(|part| !is_empty(part)).collect();
        Rest::File { file, parts, way: Way::BySystem }
    }

    /// Bytes of content, where that is known.
    pub(super) fn length(&self) -> Option<u64> {
        match self {
            Rest::File { parts, .. } => Some(parts.iter().map(Part::length).sum()),
            Rest::Stream { .. } => None,
            _ => Some(self.in_memory().len() as u64),
        }
    }

    /// Whether a file is still to be sent from.
    pub(super) fn is_file(&self) -> bool {
        matches!(self, Rest::File { parts, .. } if !parts.is_empty())
    }

    pub(super) fn in_memory(&self) -> &[u8] {
        match self {
            Rest::Bytes(bytes, at) => &bytes[*at..],
            Rest::Stored(stored, at) => &stored.bytes[*at..],
            _ => b"",
        }
    }

    pub(super) fn drop_front(&mut self, n: usize) {
        if let Rest::Bytes(_, at) | Rest::Stored(_, at) = self {
            *at += n;
        }
    }
}

impl fmt::Debug for Rest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rest({:?})", self.length())
    }
}
