//! What an update asks of a system with permissions, owners and rename(2).

use std::fs::{self, File, Metadata, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::Path;

/// All bits of a mode that are permissions.
const PERMISSIONS: u32 = 0o7777;

pub fn for_us_alone(options: &mut OpenOptions) {
    options.mode(0o600);
}

/// Bytes that the file system of `folder` has for us:
/// [statvfs(3)](https://man7.org/linux/man-pages/man3/statvfs.3.html).
pub fn room(folder: &Path) -> io::Result<Option<u64>> {
    let found = rustix::fs::statvfs(folder)?;
    Ok(Some(found.f_bavail.saturating_mul(found.f_frsize)))
}

/// Owner, group and mode as `old` has them.
pub fn like(new: &File, old: &Metadata) -> io::Result<()> {
    let found = new.metadata()?;
    if (found.uid(), found.gid()) != (old.uid(), old.gid()) {
        fchown(new, Some(old.uid()), Some(old.gid()))?;
    }
    // Last: a change of the owner takes set-user-ID away.
    new.set_permissions(Permissions::from_mode(old.mode() & PERMISSIONS))
}

/// Both names stand for one file: [link(2)](https://man7.org/linux/man-pages/man2/link.2.html).
pub fn second_name(program: &Path, name: &Path) -> io::Result<()> {
    fs::hard_link(program, name)
}

/// One step for whoever looks, and for a crash:
/// [rename(2)](https://man7.org/linux/man-pages/man2/rename.2.html).
pub fn replace(program: &Path, by: &Path) -> io::Result<()> {
    fs::rename(by, program)
}

/// A rename is a change of the folder, which is on the disk when this returns.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
