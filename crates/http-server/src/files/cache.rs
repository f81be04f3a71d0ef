//! Small files kept in memory, and others kept open. Each use is preceded by one look at
//! the file itself, so that what is sent is what is there: that look replaces opening,
//! reading and closing. What could change without being seen in that look is not kept.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use httpcore::freshness::{Validators, is_unsettled};
use httpcore::reply::Stored;

use super::file_system::FileSystem;
use super::resolve::Links;

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

/// Where a file was found, which may stand for another one at any time.
#[derive(Debug)]
pub struct Location {
    path: PathBuf,
    /// Folders between the root and the file. One that has become a link may lead out
    /// of the root.
    folders: Vec<PathBuf>,
    links: Links,
}

impl Location {
    /// That of the file at `path`, which is below `root`, or is it. The root itself may be a
    /// link in any case.
    pub fn new(root: &Path, path: &Path, links: Links) -> Location {
        let links = if path == root { Links::Anywhere } else { links };
        let is_between = |folder: &&Path| *folder != root && folder.starts_with(root);
        let folders = path.ancestors().skip(1).take_while(is_between);
        Location { path: path.into(), folders: folders.map(PathBuf::from).collect(), links }
    }

    /// What is there now. Where links may not lead out, one on the way is something
    /// else than what was found: whoever opens it finds out where it leads.
    ///
    /// # Errors
    /// That nothing is there, or that it may not be looked at.
    pub fn look(&self) -> io::Result<Identity> {
        let metadata = match self.links {
            Links::Anywhere => fs::metadata(&self.path)?,
            Links::Inside => {
                for folder in &self.folders {
                    if !fs::symlink_metadata(folder)?.is_dir() {
                        return Err(ErrorKind::NotADirectory.into());
                    }
                }
                fs::symlink_metadata(&self.path)?
            }
        };
        Ok(Identity::of(&metadata))
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

/// What changes when a file does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    #[cfg(unix)]
    numbers: [u64; 7],
    #[cfg(not(unix))]
    numbers: (u64, Option<std::time::SystemTime>),
}

impl Identity {
    /// Device, inode, length, and the times of the last change of content and of
    /// anything.
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
mod tests {
    use super::*;
    use httpcore::freshness::Strength;

    fn entry(path: PathBuf, content: Kept) -> Entry {
        let identity = Identity::of(&fs::metadata(&path).unwrap());
        let validators = Validators {
            tag: "t".into(),
            strength: Strength::Strong,
            changed: 0,
            last_modified: 0,
        };
        let location = Location::new(path.parent().unwrap(), &path, Links::Inside);
        Entry { location, identity, validators, content }
    }

    fn in_memory(bytes: &[u8]) -> Kept {
        Kept::InMemory(Arc::new(Stored { fields: Vec::new(), bytes: bytes.to_vec() }))
    }

    #[test]
    fn a_file_that_has_changed_is_not_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let store = Cache::default();
        store.put(b"/a", entry(path.clone(), in_memory(b"one")));
        assert!(store.get(b"/a").is_some());
        assert!(store.get(b"/b").is_none());
        fs::write(&path, "three").unwrap();
        assert!(store.get(b"/a").is_none());
        store.put(b"/a", entry(path.clone(), in_memory(b"three")));
        fs::remove_file(&path).unwrap();
        assert!(store.get(b"/a").is_none());
        assert!(store.kept.read().unwrap().entries.is_empty());
    }

    /// Linux tells when anything about a file was changed, which nobody can set.
    #[cfg(target_os = "linux")]
    #[test]
    fn only_what_leaves_a_sign_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let metadata = fs::metadata(&path).unwrap();
        let after = |seconds| metadata.modified().unwrap() + Duration::from_secs(seconds);
        for (system, seconds, keeping) in [
            (FileSystem::Disk, 1, Keeping::Nothing),
            (FileSystem::Disk, 3, Keeping::Open),
            (FileSystem::Disk, 59, Keeping::Open),
            (FileSystem::Disk, 61, Keeping::InMemory),
            (FileSystem::Memory, 1, Keeping::Nothing),
            (FileSystem::Memory, 3_600, Keeping::Open),
            (FileSystem::Foreign, 3_600, Keeping::Nothing),
            (FileSystem::Made, 3_600, Keeping::Nothing),
        ] {
            assert_eq!(Keeping::of(system, &metadata, after(seconds)), keeping, "{system:?}");
        }
        // A clock that was ahead and has been set right.
        let before = metadata.modified().unwrap() - Duration::from_secs(3_600);
        assert_eq!(Keeping::of(FileSystem::Disk, &metadata, before), Keeping::Nothing);
    }

    #[test]
    fn the_folders_on_the_way_are_those_below_the_root() {
        let folders = |root: &str, path: &str| {
            Location::new(root.as_ref(), path.as_ref(), Links::Inside).folders
        };
        assert_eq!(folders("/r", "/r/a/b/c.txt"), [Path::new("/r/a/b"), Path::new("/r/a")]);
        assert_eq!(folders("/r", "/r/c.txt"), [] as [&Path; 0]);
        assert_eq!(folders("/r/c.txt", "/r/c.txt"), [] as [&Path; 0]);
    }

    #[test]
    fn what_is_kept_has_a_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let store = Cache::default();
        let large = vec![b'x'; FILE_LIMIT as usize];
        for n in 0..TOTAL_LIMIT / large.len() + 10 {
            store.put(format!("/{n}").as_bytes(), entry(path.clone(), in_memory(&large)));
            store.put(b"/again", entry(path.clone(), in_memory(&large)));
        }
        let kept = store.kept.read().unwrap();
        let real: usize = kept.entries.iter().map(|(key, entry)| cost(key, entry).0).sum();
        assert_eq!(kept.bytes, real);
        assert!(kept.bytes <= TOTAL_LIMIT && kept.entries.len() > 1);
    }

    #[test]
    fn only_so_many_files_are_kept_open() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "one").unwrap();
        let open = || {
            let file = Arc::new(File::open(&path).unwrap());
            Kept::Open(Arc::new(Opened { fields: Vec::new(), file, length: 3 }))
        };
        let store = Cache::default();
        store.put(b"/small", entry(path.clone(), in_memory(b"one")));
        for n in 0..3 * OPEN_FILES {
            store.put(format!("/{n}").as_bytes(), entry(path.clone(), open()));
            store.put(b"/again", entry(path.clone(), open()));
            let kept = store.kept.read().unwrap();
            assert!(kept.open <= OPEN_FILES && kept.open + 1 == kept.entries.len());
        }
        assert!(store.get(b"/small").is_some());
    }
}
