//! A folder to serve, inside another one, so that there is something outside of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::http::HttpServer;

/// Sun, 06 Nov 1994 08:49:37 GMT, in seconds since 1970: when the files of a [`Site`]
/// were changed.
pub const CHANGED: u64 = 784_111_777;

/// A folder called `site`, and a file called `secret` beside it. It is gone when this
/// is dropped.
#[derive(Debug)]
pub struct Site {
    folder: tempfile::TempDir,
}

impl Site {
    /// An empty one.
    ///
    /// # Panics
    /// When it cannot be made; so for all that follow.
    #[allow(clippy::new_without_default, reason = "it makes a folder")]
    pub fn new() -> Site {
        let site = Site { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(site.path()).unwrap();
        fs::write(site.outside().join("secret"), "secret").unwrap();
        site
    }

    /// What is served.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("site")
    }

    /// The folder around it.
    pub fn outside(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file, with the folders on the way, that was changed long ago. Whatever
    /// changes it from now on gets another stamp.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> &Site {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        set_changed(&path, CHANGED);
        #[cfg(unix)]
        wait_for_another_stamp(&path);
        self
    }

    /// Serves it.
    #[track_caller]
    pub fn start(&self, args: &[&str]) -> HttpServer {
        HttpServer::start(&[&[self.path().to_str().unwrap()], args].concat())
    }
}

/// The clock of files ticks every few milliseconds, and a date that is set back does not hide
/// when that was done. No event tells that it has ticked: so the wait is for the age itself.
#[cfg(unix)]
fn wait_for_another_stamp(path: &Path) {
    use std::os::unix::fs::MetadataExt;
    const TICK: i64 = 20_000_000;
    let metadata = fs::metadata(path).unwrap();
    let (seconds, nanoseconds) = (metadata.ctime(), metadata.ctime_nsec());
    let age = || {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        (now.as_secs() as i64 - seconds) * 1_000_000_000 + i64::from(now.subsec_nanos())
            - nanoseconds
    };
    while age() < TICK {
        std::thread::yield_now();
    }
}

/// Sets the time of a file's last change, in seconds since 1970.
///
/// # Panics
/// When the file cannot be written to.
pub fn set_changed(path: &Path, seconds: u64) {
    let file = fs::File::options().write(true).open(path).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
}
