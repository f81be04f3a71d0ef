//! What an update asks of Windows, where nobody can write over a program that runs, but
//! move it out of the way.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::Path;

/// A file has the permissions of its folder.
pub fn for_us_alone(_: &mut OpenOptions) {}

/// Nobody tells without unsafe code: where there is no room, the download says so.
pub fn room(_: &Path) -> io::Result<Option<u64>> {
    Ok(None)
}

/// The permissions of the folder hold for both.
pub fn like(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// A file that runs can be removed under none of its names: a copy is wanted.
pub fn second_name(_: &Path, _: &Path) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// In two steps: the program that runs moves aside, and the other takes its name. Who is
/// cut off in between has no program of that name, and `.old` beside it.
pub fn replace(_: &Path, by: &Path) -> io::Result<()> {
    self_replace::self_replace(by)?;
    fs::remove_file(by)
}

/// Windows has no such call.
pub fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
