//! What redb writes to: a file as redb has it, but room is taken when it grows, and one that was
//! only begun is made anew.

use std::fs::{File, OpenOptions};
use std::io;
use std::ops::Bound;
use std::path::Path;

use redb::backends::{FileBackend, InMemoryBackend};
use redb::{BackendError, DatabaseError, StorageBackend};

/// What the library begins a file with, last of all: until then, zeros are in its place.
const MAGIC: usize = 9;

/// Bytes of its first header, which may stand there without that.
const HEADER: usize = 320;

/// Where the header has the size of a page, and which.
const PAGE_SIZE: (usize, [u8; 4]) = (12, 4096_u32.to_le_bytes());

/// Bytes of a file that was only begun.
const BEGUN: u64 = 73_728;

/// Whether somebody else may have changed the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// All of it is read and compared with its checksums: a file that is damaged is told at
    /// the start, and not in the middle of something.
    Checked,
    /// We have had it all the time. Where its disk is gone, another one would be an empty one.
    Ours,
}

/// A file for a store, or memory.
#[derive(Debug)]
pub struct Disk {
    inner: Box<dyn StorageBackend>,
    /// The same file once more; `None` for memory.
    file: Option<File>,
}

impl Disk {
    /// Opens the file, or makes it, unless it was there.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path, trust: Trust) -> Result<Disk, DatabaseError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).truncate(false);
        options.create(trust == Trust::Checked);
        // What people have written is for nobody else on this machine.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        #[cfg(unix)]
        if file.metadata()?.len() == 0 {
            // Not everybody may read the folder, and not every file system can.
            let _ = name_to_disk(path);
        }
        let inner = Box::new(FileBackend::new(file.try_clone()?)?);
        Ok(Disk { inner, file: Some(file) })
    }

    /// No file: everything is gone at the end.
    pub fn memory() -> Disk {
        Disk { inner: Box::new(InMemoryBackend::new()), file: None }
    }

    /// Takes room for the file up to `length`. Otherwise it has holes, and the disk is found
    /// to be full in the middle of a commit, or of the repair after it.
    fn reserve(&self, length: u64) -> io::Result<()> {
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{FallocateFlags, fallocate};
            use rustix::io::Errno;
            let Some(file) = &self.file else { return Ok(()) };
            let from = file.metadata()?.len();
            if length > from {
                match fallocate(file, FallocateFlags::empty(), from, length - from) {
                    // A file system that cannot.
                    Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        // Elsewhere there is no such call.
        let _ = (&self.file, length);
        Ok(())
    }
}

/// What is written into a new file is lost in a crash if its name is not on the disk: that is
/// in its folder, which a commit does not write
/// ([fsync(2)](https://man7.org/linux/man-pages/man2/fsync.2.html)).
#[cfg(unix)]
fn name_to_disk(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
}

/// Whether whoever was making this file has been cut off: the library takes such a one for
/// somebody else's. There was never anything in it.
fn was_only_begun(store: &dyn StorageBackend) -> io::Result<bool> {
    if store.len()? != BEGUN {
        return Ok(false);
    }
    let mut bytes = vec![0; BEGUN as usize];
    store.read(0, &mut bytes)?;
    let is_zero = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    let (header, rest) = bytes.split_at(HEADER);
    let (at, size) = PAGE_SIZE;
    let is_ours = is_zero(header) || header[at..].starts_with(&size);
    Ok(is_zero(&header[..MAGIC]) && is_zero(rest) && is_ours)
}

impl StorageBackend for Disk {
    // The library asks for it when it has the locks, and before everything else.
    fn len(&self) -> io::Result<u64> {
        if self.file.is_some() && was_only_begun(&*self.inner)? {
            log::warn!("the store was only begun, and is made anew");
            self.inner.set_len(0)?;
        }
        self.inner.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.inner.read(offset, out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.reserve(length)?;
        self.inner.set_len(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.inner.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.inner.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.inner.close()
    }

    // A second server on the file is kept away by these.
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.try_lock_range(start, end)
    }

    fn try_lock_shared_range(
        &self,
        start: Bound<u64>,
        end: Bound<u64>,
    ) -> Result<bool, BackendError> {
        self.inner.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.inner.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.inner.query_lock_range(start, end)
    }
}
