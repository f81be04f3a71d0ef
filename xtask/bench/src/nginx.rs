//! nginx on loopback, with one worker, without a log, in a folder of ours.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ladder::{Failure, files};

pub fn configure(folder: &Path, pages: &Path, address: SocketAddr) -> Result<PathBuf, Failure> {
    let path = folder.join("nginx.conf");
    let (folder, pages) = (folder.display().to_string(), pages.display().to_string());
    let text = include_str!("nginx.conf").replace("{folder}", &folder).replace("{pages}", &pages);
    files::write(&path, text.replace("{address}", &address.to_string()))?;
    Ok(path)
}
