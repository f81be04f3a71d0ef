//! Opening what a name stands for, without waiting for anybody.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Opens a file for reading.
///
/// # Errors
/// As open(2).
#[cfg(unix)]
pub fn file(path: &Path) -> io::Result<File> {
    with(path, rustix::fs::OFlags::empty())
}

/// Opens a folder, and nothing else, for reading its entries.
///
/// # Errors
/// As open(2); `NotADirectory` for what is none.
#[cfg(unix)]
pub fn folder(path: &Path) -> io::Result<File> {
    with(path, rustix::fs::OFlags::DIRECTORY)
}

#[cfg(unix)]
fn with(path: &Path, flags: rustix::fs::OFlags) -> io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    // Without O_NONBLOCK, a pipe that has taken the file's place would be waited for.
    let flags = flags | OFlags::NONBLOCK | OFlags::NOCTTY;
    OpenOptions::new().read(true).custom_flags(flags.bits() as i32).open(path)
}

/// Opens a file for reading.
///
/// # Errors
/// As CreateFile.
#[cfg(not(unix))]
pub fn file(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

/// Opens a folder. Windows opens one only when asked to by this flag.
///
/// # Errors
/// As CreateFile.
#[cfg(not(unix))]
pub fn folder(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
    OpenOptions::new().read(true).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path)
}
