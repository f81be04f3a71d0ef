//! A file of secrets, which nobody but its owner should be able to read.
//!
//! One of ours is refused otherwise, and one that we are given is used with a warning.
//! The file that has been opened is judged, and not what has its name by then: between two
//! looks at a name, another file may have taken it.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

/// Opens a file with a secret that somebody else has put there, and warns where others can
/// read it.
///
/// It is not refused: what is mounted into a container has the mode that is common there, such
/// as 644, which whoever runs the container cannot always change, and nobody else is in it.
///
/// # Errors
/// What the system says.
pub fn open_given(path: &Path) -> io::Result<File> {
    let file = File::open(path)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;

        use crate::log::warn_early;

        let found = file.metadata()?;
        // A pipe is for whoever holds its other end.
        if found.is_file() && is_for_others(found.mode(), found.uid()) {
            warn_early(format!("{}: others can read the secret in it", path.display()));
        }
    }
    Ok(file)
}

/// A group may read what root owns: it is how root gives a secret to a program that is not
/// root itself.
#[cfg(unix)]
fn is_for_others(mode: u32, owner: u32) -> bool {
    let wrong = if owner == 0 { 0o037 } else { 0o077 };
    mode & wrong != 0
}

/// Reads it.
///
/// # Errors
/// What the system says; as [`for_owner_alone`].
pub fn read(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    for_owner_alone(&file)?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// Refuses a file that others can read: before it is believed, and before a secret is
/// written into it. Windows has no such modes.
///
/// # Errors
/// `PermissionDenied`; what the system says.
pub fn for_owner_alone(file: &File) -> io::Result<()> {
    #[cfg(unix)]
    if std::os::unix::fs::MetadataExt::mode(&file.metadata()?) & 0o077 != 0 {
        let why = "others on this machine can read it (chmod 600 mends that)";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    #[cfg(not(unix))]
    let _ = file;
    Ok(())
}

/// Puts `lines` behind the `text` that is in the file, all of them or none, and returns when
/// they are on the disk. Two who do so at once have the file's lock, one after the other.
///
/// # Errors
/// What the system says, as of a disk that is full.
pub fn append(file: &mut File, text: &str, lines: &str) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    // A person may have left the last line without an end.
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    let written = file.write_all([end, lines].concat().as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        // A part of a line is none, or one with a secret that can be guessed.
        let _ = file.set_len(text.len() as u64);
    }
    written
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::thread;
    use std::time::{Duration, Instant};

    use super::*;

    /// Ends a test that would otherwise go on; no correct run comes near it.
    const GENEROUS: Duration = Duration::from_secs(30);

    /// Looks at a name that changes hands all the time.
    const LOOKS: usize = 20_000;

    #[test]
    fn a_secret_is_for_others_that_more_than_its_owner_can_read() {
        for (mode, of_a_user, of_root) in [
            (0o100_600, false, false),
            (0o100_400, false, false),
            (0o100_640, true, false),
            (0o100_440, true, false),
            (0o100_660, true, true),
            (0o100_644, true, true),
            (0o100_604, true, true),
        ] {
            assert_eq!(is_for_others(mode, 1000), of_a_user, "{mode:o}");
            assert_eq!(is_for_others(mode, 0), of_root, "{mode:o}");
        }
    }

    #[test]
    fn the_file_that_is_read_is_the_one_that_is_judged() {
        let folder = std::env::temp_dir().join(format!("netcore-secrets-{}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let [path, other] = ["secrets", "other"].map(|name| folder.join(name));
        let [open, shut] = [("open", 0o644), ("shut", 0o600)].map(|(name, mode)| {
            let file = folder.join(name);
            fs::write(&file, name).unwrap();
            fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            file
        });
        fs::hard_link(&shut, &path).unwrap();
        let over = AtomicBool::new(false);
        let looked = thread::scope(|scope| {
            scope.spawn(|| {
                for file in [&open, &shut].into_iter().cycle() {
                    fs::hard_link(file, &other).unwrap();
                    fs::rename(&other, &path).unwrap();
                    if over.load(Ordering::Relaxed) {
                        return;
                    }
                }
            });
            let (mut looked, started) = (Vec::new(), Instant::now());
            // On a machine that is busy, the other thread may come to nothing for a while.
            let both = |looked: &[Result<_, _>]| {
                looked.iter().any(Result::is_ok) && looked.iter().any(Result::is_err)
            };
            while looked.len() < LOOKS || !both(&looked) && started.elapsed() < GENEROUS {
                looked.push(read(&path).map_err(|error| error.kind()));
            }
            over.store(true, Ordering::Relaxed);
            looked
        });
        fs::remove_dir_all(&folder).unwrap();
        let (read, refused): (Vec<_>, Vec<_>) = looked.into_iter().partition(Result::is_ok);
        assert!(read.iter().all(|text| text.as_ref().is_ok_and(|text| text == "shut")));
        assert!(refused.iter().all(|why| *why == Err(io::ErrorKind::PermissionDenied)));
        assert!(!read.is_empty() && !refused.is_empty(), "{} and {}", read.len(), refused.len());
    }
}
