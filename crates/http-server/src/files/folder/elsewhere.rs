//! The entries of a folder by its name.

use std::fs;

use httpcore::Refusal;

use super::super::listing::Entry;
use super::super::resolve::{OpenFolder, Root, name_bytes};

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
    for entry in fs::read_dir(&folder.path)? {
        let entry = entry?;
        let name = name_bytes(&entry.file_name());
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        // Where it leads could not be opened, and what is there is nobody's business.
        if !shown(&name) || (is_link && root.check_inside(&entry.path()).is_err()) {
            continue;
        }
        // What cannot be looked at could not be opened either: something just deleted.
        let Ok(metadata) = fs::metadata(entry.path()) else { continue };
        entries.extend(super::entry(name, &metadata));
    }
    Ok(entries)
}
