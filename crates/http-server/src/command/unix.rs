//! A socket that is a file: for a proxy on the same machine, and for whoever may write
//! to that file ([unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html)).

use std::fs;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use netcore::Error;
use netcore::listen::BACKLOG;
use socket2::{Domain, SockAddr, Socket, Type};

/// The file of a listening socket. It is removed when this is dropped, if it is still
/// that one.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// Listens on the socket `path`, and makes its file.
///
/// # Errors
/// [`Error::Failed`]: another server listens there, something else has this name, or the path is too long (about 100
/// bytes).
pub fn listen(path: &Path) -> Result<(Socket, SocketFile), Error> {
    let bound = bind(path).or_else(|error| match error.kind() {
        ErrorKind::AddrInUse if is_left_behind(path) => {
            fs::remove_file(path)?;
            bind(path)
        }
        _ => Err(error),
    });
    let listening = bound.and_then(|socket| {
        socket.listen(BACKLOG)?;
        let metadata = fs::symlink_metadata(path)?;
        Ok((socket, SocketFile { path: path.into(), identity: (metadata.dev(), metadata.ino()) }))
    });
    listening.map_err(Error::failed(format!("listen on unix:{}", path.display())))
}

fn bind(path: &Path) -> io::Result<Socket> {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.bind(&SockAddr::unix(path)?)?;
    Ok(socket)
}

/// A server that was killed leaves its file behind: a socket that nobody listens on.
fn is_left_behind(path: &Path) -> bool {
    let is_socket =
        fs::symlink_metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket());
    is_socket
        && UnixStream::connect(path)
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_ours = fs::symlink_metadata(&self.path)
            .is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == self.identity);
        if is_ours && let Err(error) = fs::remove_file(&self.path) {
            log::warn!("cannot remove {}: {error}", self.path.display());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_left_behind_is_replaced_and_one_in_use_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let (socket, file) = listen(&path).unwrap();
        assert!(
            matches!(listen(&path), Err(Error::Failed { source, .. }) if source.kind() == ErrorKind::AddrInUse)
        );
        // As if it had been killed.
        drop(socket);
        std::mem::forget(file);
        let (_socket, file) = listen(&path).unwrap();
        drop(file);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_no_socket_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes.txt");
        fs::write(&path, "mine").unwrap();
        assert!(listen(&path).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
    }
}
