//! Small files kept in memory. Each use is preceded by one look at the file itself, so that what is sent is what is
//! there: that look replaces opening, reading and closing.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use crate::response::Stored;
use crate::validators::Validators;

/// Files up to this size are kept; larger ones are sent by the system without a copy.
pub const FILE_LIMIT: u64 = 64 << 10;

/// Bytes of all that is kept. When there is no room left, everything is dropped: what is used comes back.
const TOTAL_LIMIT: usize = 32 << 20;

/// What an entry costs beside its bytes, at a guess; without it, a million empty files would cost nothing.
const OVERHEAD: usize = 512;

/// A file that has been read.
#[derive(Debug)]
pub struct KeptFile {
    /// Where it was found.
    pub path: PathBuf,
    /// What the file was like when it was read.
    pub identity: Identity,
    /// Its version.
    pub validators: Validators,
    /// What is sent.
    pub(crate) stored: Arc<Stored>,
}

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    #[cfg(unix)]
    numbers: [u64; 7],
    #[cfg(not(unix))]
    numbers: (u64, Option<std::time::SystemTime>),
}

impl Identity {
    /// Device, inode, length, and the times of the last change of content and of anything.
    #[cfg(unix)]
    pub fn of(metadata: &Metadata) -> Identity {
        use std::os::unix::fs::MetadataExt;
        let signed = |number: i64| number as u64;
        Identity {
            numbers: [
                metadata.dev(),
                metadata.ino(),
                metadata.len(),
                signed(metadata.mtime()),
                signed(metadata.mtime_nsec()),
                signed(metadata.ctime()),
                signed(metadata.ctime_nsec()),
            ],
        }
    }

    /// Length and time of the last change.
    #[cfg(not(unix))]
    pub fn of(metadata: &Metadata) -> Identity {
        Identity { numbers: (metadata.len(), metadata.modified().ok()) }
    }
}

/// What is kept, by the path of the request as it was sent: whoever sends the same bytes means the same file.
#[derive(Debug, Default)]
pub struct Store {
    kept: RwLock<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    entries: HashMap<Box<[u8]>, Arc<KeptFile>>,
    bytes: usize,
}

impl Store {
    /// The entry for a path, if the file is still the one that was read.
    pub fn get(&self, path: &[u8]) -> Option<Arc<KeptFile>> {
        let entry = self.kept.read().unwrap_or_else(PoisonError::into_inner).entries.get(path)?.clone();
        // By now the name may stand for another file, or for none; then the long way finds out what.
        let metadata = fs::metadata(&entry.path).ok()?;
        (Identity::of(&metadata) == entry.identity).then_some(entry)
    }

    /// Keeps an entry.
    pub fn put(&self, path: &[u8], entry: KeptFile) {
        let cost = |entry: &KeptFile, path: &[u8]| entry.stored.bytes.len() + path.len() + OVERHEAD;
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += cost(&entry, path);
        if kept.bytes > TOTAL_LIMIT {
            *kept = Kept { bytes: cost(&entry, path), ..Kept::default() };
        }
        if let Some(replaced) = kept.entries.insert(path.into(), Arc::new(entry)) {
            kept.bytes -= cost(&replaced, path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::validators::Strength;

    fn entry(path: PathBuf, bytes: &[u8]) -> KeptFile {
        let identity = Identity::of(&fs::metadata(&path).unwrap());
        let validators =
            Validators { tag: "t".into(), strength: Strength::Strong, changed: 0, last_modified: 0 };
        let stored = Arc::new(Stored { fields: Vec::new(), bytes: bytes.to_vec() });
        KeptFile { path, identity, validators, stored }
    }

    #[test]
    fn a_file_that_has_changed_is_not_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let store = Store::default();
        store.put(b"/a", entry(path.clone(), b"one"));
        assert_eq!(store.get(b"/a").unwrap().stored.bytes, b"one");
        assert!(store.get(b"/b").is_none());
        fs::write(&path, "three").unwrap();
        assert!(store.get(b"/a").is_none());
        fs::remove_file(&path).unwrap();
        assert!(store.get(b"/a").is_none());
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let store = Store::default();
        let large = vec![b'x'; FILE_LIMIT as usize];
        for n in 0..TOTAL_LIMIT / large.len() + 10 {
            store.put(format!("/{n}").as_bytes(), entry(path.clone(), &large));
            store.put(b"/again", entry(path.clone(), &large));
        }
        let kept = store.kept.read().unwrap();
        let real: usize =
            kept.entries.iter().map(|(key, entry)| key.len() + entry.stored.bytes.len() + OVERHEAD).sum();
        assert_eq!(kept.bytes, real);
        assert!(kept.bytes <= TOTAL_LIMIT && kept.entries.len() > 1);
    }
}
