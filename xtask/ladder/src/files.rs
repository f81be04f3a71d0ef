//! Files, with what went wrong in words.

use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

pub fn read(path: &Path) -> Result<String, Failure> {
    let text = fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))?;
    // On Windows, git may have checked it out with other line ends.
    Ok(text.replace("\r\n", "\n"))
}

pub fn write(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), Failure> {
    fs::write(path, contents).map_err(|error| Failure::file("write", path, &error))
}

/// Makes a folder and those that it is in, where they do not exist.
pub fn create_folder(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| Failure::file("create", path, &error))
}

pub fn entries(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let entries = fs::read_dir(folder).map_err(|error| Failure::file("read", folder, &error))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    Ok(paths)
}

/// Those of a folder's files that have this extension, sorted.
pub fn with_extension(folder: &Path, extension: &str) -> Result<Vec<PathBuf>, Failure> {
    let mut files = entries(folder)?;
    files.retain(|path| path.extension().is_some_and(|found| found == extension));
    Ok(files)
}
