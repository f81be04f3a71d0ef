//! The entries of a folder by its descriptor. Between two looks by name, the name may come to
//! stand for another folder, outside of the root.

use std::ffi::{CStr, OsStr};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, openat, statat};

use httpcore::Refusal;

use super::super::listing::{Entry, Kind};
use super::super::resolve::{OpenFolder, Root};

/// What has no content of its own to look at need not be opened for reading.
#[cfg(target_os = "linux")]
const LOOK: OFlags = OFlags::PATH.union(OFlags::CLOEXEC);
#[cfg(not(target_os = "linux"))]
const LOOK: OFlags =
    OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC);

/// What stands in `folder` under names that are `shown`, but for what could not be opened.
///
/// # Errors
/// That the folder could not be read.
pub fn entries(
    root: &Root,
    folder: &OpenFolder,
    shown: impl Fn(&[u8]) -> bool,
) -> Result<Vec<Entry>, Refusal> {
    let mut entries = Vec::new();
    for entry in Dir::read_from(&folder.file).map_err(io::Error::from)? {
        let entry = entry.map_err(io::Error::from)?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") || !shown(name.to_bytes()) {
            continue;
        }
        entries.extend(look(root, folder, name));
    }
    Ok(entries)
}

/// Nothing for what was deleted a moment ago, for links that lead out, since what is there is
/// nobody's business, and for what is neither file nor folder.
fn look(root: &Root, folder: &OpenFolder, name: &CStr) -> Option<Entry> {
    let found = statat(&folder.file, name, AtFlags::SYMLINK_NOFOLLOW).ok()?;
    let kind = match FileType::from_raw_mode(found.st_mode) {
        FileType::Directory => Kind::Folder,
        FileType::RegularFile => Kind::File,
        FileType::Symlink => return follow(root, folder, name),
        _ => return None,
    };
    Some(Entry {
        name: name.to_bytes().to_vec(),
        kind,
        size: found.st_size.try_into().unwrap_or(0),
        modified: found.st_mtime.try_into().unwrap_or(0),
    })
}

fn follow(root: &Root, folder: &OpenFolder, name: &CStr) -> Option<Entry> {
    let file = File::from(openat(&folder.file, name, LOOK, Mode::empty()).ok()?);
    let metadata = file.metadata().ok()?;
    root.judge(&file, &metadata, &folder.path.join(OsStr::from_bytes(name.to_bytes()))).ok()?;
    super::entry(name.to_bytes().to_vec(), &metadata)
}
