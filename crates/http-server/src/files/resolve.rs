//! From the names of a request to a file or folder: inside the root, whatever links
//! say, and never a pipe or a device.

use std::borrow::Cow;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use httpcore::Refusal;

use super::file_system::FileSystem;
use super::open;

/// Where links may lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// To what is inside the root.
    Inside,
    /// Anywhere.
    Anywhere,
}

/// What is there.
#[derive(Debug)]
pub enum Found {
    /// A regular file.
    File(PathBuf),
    /// A folder.
    Folder(PathBuf),
}

/// A folder that has been opened.
#[derive(Debug)]
pub struct OpenFolder {
    /// What its entries are read from, and what keeps it in place on Windows.
    #[cfg_attr(not(unix), allow(dead_code, reason = "entries are read by name there"))]
    pub file: File,
    /// The name that it was opened by.
    pub path: PathBuf,
}

/// What is served, as it is for the length of one request. Its name may be a link that comes
/// to lead elsewhere: a site is put in place of another at one stroke so.
#[derive(Debug)]
pub struct Root {
    /// Without links.
    path: PathBuf,
    links: Links,
}

impl Root {
    /// Where `named` leads now.
    ///
    /// # Errors
    /// As [`find`](Root::find).
    pub fn of(named: &Path, links: Links) -> Result<Root, Refusal> {
        let path = fs::canonicalize(named).map_err(unreachable_is_missing)?;
        Ok(Root { path, links })
    }

    /// The path of something below.
    pub fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// `path`, which [`find`](Root::find) has found, as it is below `named`.
    pub fn renamed(&self, path: &Path, named: &Path) -> PathBuf {
        match path.strip_prefix(&self.path) {
            Ok(below) if below != Path::new("") => named.join(below),
            _ => named.to_path_buf(),
        }
    }

    /// Finds what the names stand for, links followed. Nothing is opened: opening a pipe
    /// would wait for a writer.
    ///
    /// # Errors
    /// 404 for what is not there or is neither file nor folder, 403 for what may not be
    /// looked at.
    pub fn find(&self, names: &[Cow<'_, [u8]>]) -> Result<Found, Refusal> {
        let mut path = self.path.clone();
        for name in names {
            path.push(file_name(name).ok_or_else(Refusal::not_found)?);
        }
        let metadata = fs::metadata(&path).map_err(unreachable_is_missing)?;
        match metadata.file_type() {
            kind if kind.is_dir() => Ok(Found::Folder(path)),
            kind if kind.is_file() => Ok(Found::File(path)),
            _ => Err(Refusal::not_found()),
        }
    }

    /// Opens a regular file, and judges what has really been opened: since
    /// [`find`](Root::find), the name may have come to stand for something else.
    ///
    /// # Errors
    /// As [`find`](Root::find); 404 for what lies outside, where links are not to lead there.
    pub fn open(&self, path: &Path) -> Result<(File, FileSystem, Metadata), Refusal> {
        let file = open::file(path).map_err(unreachable_is_missing)?;
        let (system, metadata) = FileSystem::look(&file)?;
        if !metadata.is_file() {
            return Err(Refusal::not_found());
        }
        self.judge(&file, &metadata, path)?;
        Ok((file, system, metadata))
    }

    /// Opens a folder, likewise.
    ///
    /// # Errors
    /// As [`open`](Root::open).
    pub fn open_folder(&self, path: &Path) -> Result<OpenFolder, Refusal> {
        let file = open::folder(path).map_err(unreachable_is_missing)?;
        let metadata = file.metadata()?;
        if !metadata.is_dir() {
            return Err(Refusal::not_found());
        }
        self.judge(&file, &metadata, path)?;
        Ok(OpenFolder { file, path: path.into() })
    }

    /// Whether what has been opened lies inside, or may lie outside.
    ///
    /// # Errors
    /// As [`open`](Root::open).
    pub fn judge(&self, file: &File, metadata: &Metadata, path: &Path) -> Result<(), Refusal> {
        if self.links == Links::Anywhere || real_path(file, metadata, path)?.starts_with(&self.path)
        {
            return Ok(());
        }
        Err(Refusal::not_found())
    }

    /// Whether what is at `path` lies inside, links followed, or may lie outside. Only for
    /// what is not used afterwards: by then it may be something else.
    ///
    /// # Errors
    /// As [`find`](Root::find).
    pub fn check_inside(&self, path: &Path) -> Result<(), Refusal> {
        if self.links == Links::Anywhere
            || fs::canonicalize(path).map_err(unreachable_is_missing)?.starts_with(&self.path)
        {
            return Ok(());
        }
        Err(Refusal::not_found())
    }
}

/// A link in a circle and a name too long for the file system are as good as missing.
fn unreachable_is_missing(error: io::Error) -> Refusal {
    #[cfg(unix)]
    {
        use rustix::io::Errno;
        if let Some(Errno::LOOP | Errno::NAMETOOLONG | Errno::NOTDIR | Errno::NXIO) =
            Errno::from_io_error(&error)
        {
            return Refusal::not_found();
        }
    }
    Refusal::from(error)
}

/// Where an open file lies. Linux tells; elsewhere its name is resolved again, and has
/// to stand for the same file.
fn real_path(file: &File, metadata: &Metadata, path: &Path) -> Result<PathBuf, Refusal> {
    #[cfg(target_os = "linux")]
    {
        use std::os::fd::AsRawFd;
        if let Ok(real) = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())) {
            return Ok(real);
        }
    }
    #[cfg(not(target_os = "linux"))]
    let _ = file;
    let real = fs::canonicalize(path)?;
    if is_same(&fs::metadata(&real)?, metadata) { Ok(real) } else { Err(Refusal::not_found()) }
}

#[cfg(unix)]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &Metadata, other: &Metadata) -> bool {
    (one.len(), one.modified().ok()) == (other.len(), other.modified().ok())
}

/// A name of any bytes.
#[cfg(unix)]
fn file_name(name: &[u8]) -> Option<&Path> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    Some(Path::new(OsStr::from_bytes(name)))
}

/// A name that means the same on Windows.
#[cfg(not(unix))]
fn file_name(name: &[u8]) -> Option<&Path> {
    str::from_utf8(name).ok().filter(|name| is_plain_on_windows(name)).map(Path::new)
}

/// Whether Windows takes a name for itself. `file:stream`, `file.` and `CON` would be
/// other names for other things; so would `GIT~1`, the short name of `.git`, which would
/// not look hidden.
#[cfg(any(test, not(unix)))]
fn is_plain_on_windows(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_ascii_lowercase();
    let is_numbered =
        (stem.starts_with("com") || stem.starts_with("lpt")) && stem.chars().count() == 4;
    let is_digits = |end: &str| !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit());
    let is_short = stem.len() <= 8 && stem.rsplit_once('~').is_some_and(|(_, end)| is_digits(end));
    !name.contains([':', '*', '?', '"', '<', '>', '|'])
        && !name.ends_with(['.', ' '])
        && !is_numbered
        && !is_short
        && !DEVICES.contains(&stem.as_str())
}

/// The bytes of a name.
#[cfg(unix)]
pub fn name_bytes(name: &std::ffi::OsStr) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(name).to_vec()
}

/// The bytes of a name.
#[cfg(not(unix))]
pub fn name_bytes(name: &std::ffi::OsStr) -> Vec<u8> {
    name.to_string_lossy().into_owned().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_windows_takes_for_another_is_none_there() {
        for name in ["a:b", "a.", "a ", "con", "NUL.txt", "com1", "GIT~1", "htacce~1.bak", "a~12"] {
            assert!(!is_plain_on_windows(name), "{name}");
        }
        for name in ["a", ".git", "a.b.c", "console", "com10", "~1a", "a~", "a~b", "long-name~1"] {
            assert!(is_plain_on_windows(name), "{name}");
        }
    }
}
