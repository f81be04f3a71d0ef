//! A client's connection to a file.

use std::fs;
use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Stream, check};
use crate::Error;

/// Connects to the socket `path`, within `timeout`.
///
/// # Errors
/// [`Error::Connect`]: no such file, nobody listens, or its mode keeps us out.
pub fn connect(path: &Path, timeout: Duration) -> Result<Stream, Error> {
    let connected = connect_socket(path, timeout, Name::None);
    let connected = connected.map(|socket| OwnedFd::from(socket).into());
    connected.map_err(|source| Error::Connect { address: super::name(path), source })
}

/// What a client's own end is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Nothing, as most are.
    None,
    /// By a name that nobody else has: the server's log tells its clients apart by it, where
    /// they are of one process.
    Own,
}

/// As [`connect`], as a socket of any family.
pub(crate) fn connect_socket(path: &Path, timeout: Duration, name: Name) -> io::Result<Socket> {
    check(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if name == Name::Own {
        bind(&socket)?;
    }
    // Linux waits for so long where the server's queue is full; elsewhere that is an error.
    socket.set_write_timeout(Some(timeout))?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            return Err(ErrorKind::TimedOut.into());
        }
        // What is no socket refuses as well, and no server will ever take its place.
        Err(error) if error.kind() == ErrorKind::ConnectionRefused && is_no_socket(path) => {
            return Err(io::Error::other("it is no socket"));
        }
        connected => connected?,
    }
    socket.set_write_timeout(None)?;
    log::debug!("{} connected", super::name(path));
    Ok(socket)
}

/// Whether this name leads to something else, maybe through links.
fn is_no_socket(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.file_type().is_socket())
}

/// The system chooses a name, which is no file.
#[cfg(target_os = "linux")]
fn bind(socket: &Socket) -> io::Result<()> {
    socket.bind(&SockAddr::unix("")?)
}

/// A file has the name, and is gone at once.
#[cfg(not(target_os = "linux"))]
fn bind(socket: &Socket) -> io::Result<()> {
    use std::sync::atomic::{AtomicU32, Ordering};

    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let file = format!("netcore-client-{}-{number}", std::process::id());
    let file = std::env::temp_dir().join(file);
    socket.bind(&SockAddr::unix(&file)?)?;
    std::fs::remove_file(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_socket_is_not_taken_for_one_whose_server_is_gone() {
        // A file and a folder.
        for path in [std::env::current_exe().unwrap(), std::env::temp_dir()] {
            let link = std::env::temp_dir().join(format!("netcore-link-{}", std::process::id()));
            std::os::unix::fs::symlink(path, &link).unwrap();
            let connected = connect(&link, Duration::from_secs(30));
            fs::remove_file(&link).unwrap();
            let error = connected.unwrap_err();
            assert!(error.to_string().ends_with("it is no socket"), "{error}");
            assert_eq!(error.hint(), None);
        }
    }
}
