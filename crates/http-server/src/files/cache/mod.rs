//! Small files kept in memory, and others kept open. Each use is preceded by one look at
//! the file itself, so that what is sent is what is there: that look replaces opening,
//! reading and closing. What could change without being seen in that look is not kept.

mod location;

use std::collections::HashMap;
use std::fs::{File, Metadata};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use httpcore::freshness::{Validators, is_unsettled};
use httpcore::reply::Stored;

use super::file_system::FileSystem;

pub use self::location::{Identity, Location};

/// Files up to this size are kept in memory; larger ones are sent by the system without
/// a copy.
pub const FILE_LIMIT: u64 = 64 << 10;

/// Files up to this size are kept open. With larger ones, opening is a small part of
/// the work; and a file that is open takes up its room on the disk even when it has
/// been deleted.
pub const OPEN_LIMIT: u64 = 1 << 20;

/// Files that are kept open at most; with one more, the others are closed. They come
/// out of the descriptors that connections leave.
const OPEN_FILES: usize = 16;

/// Bytes of all that is kept. When there is no room left, everything is dropped: what
/// is used comes back.
const TOTAL_LIMIT: usize = 32 << 20;

/// What an entry costs beside its bytes, at a guess; without it, a million empty files
/// would cost nothing.
const OVERHEAD: usize = 512;

/// A file changed less than this ago may change again within the same stamp, on disks that
/// stamp in seconds.
const STAMPED: Duration = Duration::from_secs(2);

/// A program that has mapped a file and writes to a page of it gives the file a new stamp
/// once, and then no more until the page has been written to the disk. Linux does that within
/// 35 seconds, unless it is told otherwise. Until then the bytes are taken from the file.
const WRITTEN_BACK: Duration = Duration::from_secs(60);

/// How a file may be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// Its bytes with it. A look tells every change.
    InMemory,
    /// Its bytes are read each time.
    Open,
    /// It may be another one without being seen to be.
    Nothing,
}

impl Keeping {
    /// How a file is kept that was looked at `now`.
    pub fn of(system: FileSystem, metadata: &Metadata, now: SystemTime) -> Keeping {
        match system {
            FileSystem::Foreign | FileSystem::Made => Keeping::Nothing,
            _ if is_unsettled(metadata, now, STAMPED) => Keeping::Nothing,
            FileSystem::Disk if !is_unsettled(metadata, now, WRITTEN_BACK) => Keeping::InMemory,
            FileSystem::Disk | FileSystem::Memory => Keeping::Open,
        }
    }
}

/// A file that has been read.
#[derive(Debug)]
pub struct Entry {
    /// Where it was found.
    pub location: Location,
    /// What the file was like when it was read.
    pub identity: Identity,
    /// Its version.
    pub validators: Validators,
    /// What is sent.
    pub content: Kept,
}

/// How a file is kept.
#[derive(Debug, Clone)]
pub enum Kept {
    InMemory(Arc<Stored>),
    Open(Arc<Opened>),
}

/// An open file with its header lines.
#[derive(Debug)]
pub struct Opened {
    pub fields: Vec<u8>,
    pub file: Arc<File>,
    pub length: u64,
}

/// What is kept, by the path of the request as it was sent: whoever sends the same
/// bytes means the same file.
#[derive(Debug, Default)]
pub struct Cache {
    kept: RwLock<Entries>,
}

#[derive(Debug, Default)]
struct Entries {
    entries: HashMap<Box<[u8]>, Arc<Entry>>,
    bytes: usize,
    open: usize,
}

impl Cache {
    /// The entry for a path, if the file is still the one that was read.
    pub fn get(&self, path: &[u8]) -> Option<Arc<Entry>> {
        let entry =
            self.kept.read().unwrap_or_else(PoisonError::into_inner).entries.get(path)?.clone();
        // By now the name may stand for another file, or for none; then the long way finds out
        // what.
        let is_same = entry.location.look().is_ok_and(|identity| identity == entry.identity);
        if !is_same {
            // At once: what has been deleted would stay open.
            self.kept.write().unwrap_or_else(PoisonError::into_inner).remove(path);
        }
        is_same.then_some(entry)
    }

    /// Keeps an entry.
    pub fn put(&self, path: &[u8], entry: Entry) {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.remove(path);
        let (bytes, open) = cost(path, &entry);
        if kept.bytes + bytes > TOTAL_LIMIT {
            *kept = Entries::default();
        }
        if kept.open + open > OPEN_FILES {
            kept.close_all();
        }
        kept.bytes += bytes;
        kept.open += open;
        kept.entries.insert(path.into(), Arc::new(entry));
    }
}

impl Entries {
    /// What is in memory stays.
    fn close_all(&mut self) {
        let open = self.entries.iter().filter(|(_, entry)| matches!(entry.content, Kept::Open(_)));
        let paths: Vec<Box<[u8]>> = open.map(|(path, _)| path.clone()).collect();
        for path in paths {
            self.remove(&path);
        }
    }

    fn remove(&mut self, path: &[u8]) {
        if let Some(entry) = self.entries.remove(path) {
            let (bytes, open) = cost(path, &entry);
            self.bytes -= bytes;
            self.open -= open;
        }
    }
}

/// Bytes of memory and open files.
fn cost(path: &[u8], entry: &Entry) -> (usize, usize) {
    match &entry.content {
        Kept::InMemory(stored) => (stored.bytes.len() + path.len() + OVERHEAD, 0),
        Kept::Open(_) => (path.len() + OVERHEAD, 1),
    }
}

#[cfg(test)]
mod tests;
