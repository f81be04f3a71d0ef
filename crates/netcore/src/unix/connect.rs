//! A client's connection to a file.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Stream, check, name};
use crate::Error;

/// Connects to the socket `path`, within `timeout`.
///
/// # Errors
/// [`Error::Connect`]: no such file, nobody listens, or its mode keeps us out.
pub fn connect(path: &Path, timeout: Duration) -> Result<Stream, Error> {
    try_connect(path, timeout).map_err(|source| Error::Connect { address: name(path), source })
}

fn try_connect(path: &Path, timeout: Duration) -> io::Result<Stream> {
    check(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Linux waits for so long where the server's queue is full; elsewhere that is an error.
    socket.set_write_timeout(Some(timeout))?;
    match socket.connect(&SockAddr::unix(path)?) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            return Err(ErrorKind::TimedOut.into());
        }
        connected => connected?,
    }
    socket.set_write_timeout(None)?;
    log::debug!("{} connected", name(path));
    Ok(OwnedFd::from(socket).into())
}
