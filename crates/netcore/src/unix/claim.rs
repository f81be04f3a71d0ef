//! One server for each name: who holds the lock beside it has it, and may remove what a
//! server that was killed has left there.
//!
//! A look whether somebody listens, a remove and a bind are three steps, and two servers
//! that start at once can come between each other's: both remove, both bind, and one of
//! them listens where no name leads any more. A lock ends with the process that holds it,
//! however that ends.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use socket2::{Domain, SockAddr, Socket, Type};

/// What the name of the lock has behind that of the socket.
const LOCK: &str = ".lock";

/// For nobody else.
const LOCK_MODE: u32 = 0o600;

/// The right to a socket's name, and its file. When this is dropped, the file is removed
/// if it is still the one that was made here.
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    lock_path: PathBuf,
    lock: File,
    made: Option<(u64, u64)>,
}

impl Claim {
    /// Takes the name, and removes the socket of a server that is gone.
    ///
    /// # Errors
    /// `AddrInUse` where a server lives there; `AlreadyExists` where something else does,
    /// which is left as it is.
    pub(super) fn take(path: &Path) -> io::Result<Claim> {
        let mut lock_path = path.as_os_str().to_owned();
        lock_path.push(LOCK);
        let lock_path = PathBuf::from(lock_path);
        let lock = lock(&lock_path)?;
        let claim = Claim { path: path.into(), lock_path, lock, made: None };
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(found) if !found.file_type().is_socket() => {
                let text = "something else has this name, and it is no socket";
                return Err(io::Error::new(ErrorKind::AlreadyExists, text));
            }
            Ok(_) if is_left_behind(path) => fs::remove_file(path)?,
            // A server that knows nothing of our locks.
            Ok(_) => return Err(ErrorKind::AddrInUse.into()),
        }
        Ok(claim)
    }

    /// The file is there, and it is ours.
    pub(super) fn has_made(&mut self) -> io::Result<()> {
        self.made = Some(identity(&self.path)?);
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if self.made.is_some_and(|made| identity(&self.path).is_ok_and(|found| found == made)) {
            remove(&self.path);
        }
        // Under the lock. A file with something in it was there before: it is somebody's. And
        // where ours has been removed, another server has made the one that is there now.
        if is_there(&self.lock, &self.lock_path)
            && self.lock.metadata().is_ok_and(|lock| lock.len() == 0)
        {
            remove(&self.lock_path);
        }
    }
}

/// Opens the lock and takes it, or says that another process has.
fn lock(path: &Path) -> io::Result<File> {
    loop {
        let lock = match OpenOptions::new().write(true).create_new(true).mode(LOCK_MODE).open(path)
        {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                match fs::symlink_metadata(path) {
                    Ok(found) if !found.is_file() => {
                        let text = format!("its lock {} is no file", path.display());
                        return Err(io::Error::new(ErrorKind::AlreadyExists, text));
                    }
                    _ => File::open(path),
                }
            }
            opened => opened,
        };
        let lock = match lock {
            // Whoever had it has removed it between our two looks.
            Err(error) if error.kind() == ErrorKind::NotFound && has_folder(path) => continue,
            lock => lock?,
        };
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ErrorKind::AddrInUse.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        // Or we have the lock of a file that is no longer there, and the next one has another.
        if is_there(&lock, path) {
            return Ok(lock);
        }
    }
}

fn has_folder(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new(".")).is_dir()
}

/// A server that was killed leaves its file behind: a socket that nobody listens on.
fn is_left_behind(path: &Path) -> bool {
    let refused = || {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // One that listens may have no room for us, which is no reason to wait.
        socket.set_nonblocking(true)?;
        socket.connect(&SockAddr::unix(path)?)
    };
    refused().is_err_and(|error: io::Error| error.kind() == ErrorKind::ConnectionRefused)
}

/// Whether `file` is still what this name leads to.
fn is_there(file: &File, path: &Path) -> bool {
    let opened = file.metadata().map(|opened| (opened.dev(), opened.ino()));
    matches!((opened, identity(path)), (Ok(opened), Ok(found)) if opened == found)
}

/// The device, and the number of the file on it.
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|found| (found.dev(), found.ino()))
}

fn remove(path: &Path) {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            log::warn!("cannot remove {}: {error}", path.display());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    use super::*;

    #[test]
    fn a_lock_that_another_server_has_made_is_left_to_it() {
        let path = std::env::temp_dir().join(format!("netcore-removed-{}", std::process::id()));
        let first = Claim::take(&path).unwrap();
        fs::remove_file(&first.lock_path).unwrap();
        let second = Claim::take(&path).unwrap();
        drop(first);
        assert_eq!(Claim::take(&path).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(second);
        assert!(Claim::take(&path).is_ok());
    }

    /// The lock is removed by whoever has it, again and again, under the eyes of the others.
    #[test]
    fn a_name_is_never_had_by_two_and_who_does_not_get_it_is_told_that_it_is_in_use() {
        const THREADS: usize = 4;
        const TRIES: usize = 10_000;
        let path = std::env::temp_dir().join(format!("netcore-claim-{}", std::process::id()));
        let (having, had) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..TRIES {
                        match Claim::take(&path) {
                            Ok(claim) => {
                                assert_eq!(having.fetch_add(1, Ordering::SeqCst), 0);
                                had.fetch_add(1, Ordering::SeqCst);
                                // So that another one has the time to come.
                                thread::yield_now();
                                having.fetch_sub(1, Ordering::SeqCst);
                                drop(claim);
                            }
                            Err(error) => {
                                assert_eq!(error.kind(), ErrorKind::AddrInUse, "{error}");
                            }
                        }
                    }
                });
            }
        });
        assert!(had.into_inner() >= THREADS);
        assert!(Claim::take(&path).is_ok(), "nothing is left behind");
    }
}
