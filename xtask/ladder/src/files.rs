//! Files, with what went wrong in words.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::{Failure, failure};

/// Tells what could not be done, and with which file.
pub trait Doing<T> {
    /// `what` is done with `path`.
    fn doing(self, what: &str, path: &Path) -> Result<T, Failure>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, what: &str, path: &Path) -> Result<T, Failure> {
        self.map_err(|error| failure!("cannot {what} {}: {error}", path.display()))
    }
}

/// As it can be written into a file that every system reads.
pub fn with_slashes(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}

pub fn read(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).doing("read", path)?;
    // On Windows, git may have checked it out with other line ends.
    Ok(text.replace("\r\n", "\n"))
}

pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), Failure> {
    fs::write(path, contents).doing("write", path)
}

/// Makes a folder and those that it is in, where they do not exist.
pub fn create_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).doing("create", path)
}

pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).doing("read", folder)?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

/// Every file in a folder and those inside it, sorted.
pub fn all(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in entries(folder)? {
        match path.is_dir() {
            true => files.extend(all(&path)?),
            false => files.push(path),
        }
    }
    Ok(files)
}

/// Those of a folder's files that have this extension, sorted.
pub fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut files = entries(folder)?;
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    Ok(files)
}
