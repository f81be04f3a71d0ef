//! A file of secrets, which nobody but its owner may be able to read.
//!
//! The file that has been opened is judged, and not what has its name by then: between two
//! looks at a name, another file may have taken it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

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
