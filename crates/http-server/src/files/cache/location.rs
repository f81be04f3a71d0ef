//! A name, and what has to be the same for it to stand for the same file.

use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::files::resolve::Links;

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_on_the_way_are_those_below_the_root() {
        let folders = |root: &str, path: &str| {
            Location::new(root.as_ref(), path.as_ref(), Links::Inside).folders
        };
        assert_eq!(folders("/r", "/r/a/b/c.txt"), [Path::new("/r/a/b"), Path::new("/r/a")]);
        assert_eq!(folders("/r", "/r/c.txt"), [] as [&Path; 0]);
        assert_eq!(folders("/r/c.txt", "/r/c.txt"), [] as [&Path; 0]);
    }
}
