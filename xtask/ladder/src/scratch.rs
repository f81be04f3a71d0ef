//! Folders that a tool works in. None of them outlives it: not a normal end, an error, a
//! panic or a signal.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use crate::Failure;
use crate::files::Doing;
use crate::workers::lock;

/// Attempts to remove a folder, and the pause between two.
const REMOVALS: (usize, Duration) = (50, Duration::from_millis(20));

/// Every [`Scratch`] that there is now, for the signal handler.
static SCRATCH: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A folder that is ours alone, and is removed when this is dropped, or by a signal.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// Makes it. What an earlier run has left there is removed.
    pub fn new(folder: PathBuf) -> io::Result<Scratch> {
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut scratch = lock(&SCRATCH);
        fs::create_dir_all(&folder)?;
        scratch.push(folder.clone());
        Ok(Scratch(folder))
    }

    /// A new one among the temporary files of the system, of nobody else's: its path is
    /// short enough for a socket.
    pub fn temporary(name: &str) -> Result<Scratch, Failure> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("netladder-{name}-{}-{number}", process::id()));
        let mut scratch = lock(&SCRATCH);
        // Its owner's alone. On Windows each person has temporary files of their own.
        let builder = &mut DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(builder, 0o700);
        // Fails where it exists: what somebody else has put there is not ours to use.
        builder.create(&folder).doing("create", &folder)?;
        scratch.push(folder.clone());
        Ok(Scratch(folder))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.0);
        let mut scratch = lock(&SCRATCH);
        scratch.retain(|folder| *folder != self.0);
    }
}

/// Removes all of them for good: nobody makes a further one.
pub(crate) fn remove_all() {
    let scratch = lock(&SCRATCH);
    scratch.iter().for_each(|folder| remove(folder));
    std::mem::forget(scratch);
}

/// Removes a folder. Somebody may still write into it, and what comes too late keeps it
/// from being removed.
fn remove(folder: &Path) {
    for _ in 0..REMOVALS.0 {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() != ErrorKind::NotFound => thread::sleep(REMOVALS.1),
            // Gone, or called otherwise by now.
            _ => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scratch_folder_is_empty_at_first_and_gone_with_its_guard() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("scratch");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("old"), "of an earlier run").unwrap();
        let scratch = Scratch::new(folder.clone()).unwrap();
        assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
        drop(scratch);
        assert!(!folder.exists());
    }
    #[cfg(unix)]
    #[test]
    fn a_temporary_one_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::temporary("test").unwrap();
        let path = scratch.path().to_path_buf();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
        drop(scratch);
        assert!(!path.exists());
    }
}
