//! A socket that listens on a file, which nobody can open whom its mode does not let.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use super::{Claim, Peer, check, name};
use crate::Error;
use crate::accept;
use crate::listen::BACKLOG;

/// A client's connection.
pub type Stream = UnixStream;

/// A listener and its file, which is removed when this is dropped.
#[derive(Debug)]
pub struct Listener {
    // Dropped first: as long as the socket is open, no other file can have the number of ours.
    claim: Claim,
    listener: UnixListener,
}

/// Listens on the socket `path`, whose file is made with the permissions `mode`, such as
/// 0o600. What a server that was killed has left there is replaced.
///
/// # Errors
/// [`Error::Listen`]: another server listens there, something else has this name, the
/// path is too long, or the folder does not let us.
pub fn listen(path: &Path, mode: u32) -> Result<Listener, Error> {
    let listening = || {
        check(path)?;
        let mut claim = Claim::take(path)?;
        let listener = place::bind(&mut claim, mode)?;
        Ok(Listener { claim, listener })
    };
    listening().map_err(|source| Error::Listen { address: name(path), source })
}

impl Listener {
    /// Where it listens.
    pub fn path(&self) -> &Path {
        self.claim.path()
    }

    /// The socket, and the claim to its name, which is to be kept for as long.
    pub fn into_parts(self) -> (Socket, Claim) {
        (OwnedFd::from(self.listener).into(), self.claim)
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.listener.as_fd()
    }
}

impl accept::Listener for Listener {
    type Socket = Stream;
    type Peer = Peer;

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.listener.set_nonblocking(nonblocking)
    }

    fn accept(&self) -> io::Result<(Stream, Peer)> {
        let (stream, _) = self.listener.accept()?;
        // Some systems have forgotten a client that is gone already: its error, and not ours.
        let unknown = |error| io::Error::new(ErrorKind::ConnectionAborted, format!("{error}"));
        let peer = Peer::of(&stream).map_err(unknown)?;
        Ok((stream, peer))
    }
}

fn bound(socket: Socket, path: &Path) -> io::Result<UnixListener> {
    socket.bind(&SockAddr::unix(path)?)?;
    Ok(OwnedFd::from(socket).into())
}

fn listening(listener: UnixListener) -> io::Result<UnixListener> {
    let socket = Socket::from(OwnedFd::from(listener));
    socket.listen(BACKLOG)?;
    Ok(OwnedFd::from(socket).into())
}

fn socket() -> io::Result<Socket> {
    Socket::new(Domain::UNIX, Type::STREAM, None)
}

#[cfg(target_os = "linux")]
mod place {
    use std::fs::{File, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use nix::fcntl::AT_FDCWD;
    use nix::sys::stat::{FchmodatFlags, Mode, fchmodat};

    use super::*;

    pub(super) fn bind(claim: &mut Claim, mode: u32) -> io::Result<UnixListener> {
        let listener = bind_narrow(claim.path(), mode)?;
        // At once: what fails from here on leaves no file behind.
        claim.has_made()?;
        // What the umask has taken away is given back; not through a link that somebody has
        // put there meanwhile.
        let mode = Mode::from_bits_truncate(mode);
        fchmodat(AT_FDCWD, claim.path(), mode, FchmodatFlags::NoFollowSymlink)?;
        listening(listener)
    }

    /// The mode of a socket that has no name yet is that of the file which bind makes, but
    /// for what the umask takes away.
    pub(super) fn bind_narrow(path: &Path, mode: u32) -> io::Result<UnixListener> {
        let file = File::from(OwnedFd::from(socket()?));
        file.set_permissions(Permissions::from_mode(mode))?;
        bound(OwnedFd::from(file).into(), path)
    }
}

#[cfg(not(target_os = "linux"))]
mod place {
    use std::fs::{self, DirBuilder, Permissions};
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    use std::process;

    use super::*;

    /// For nobody else.
    const FOLDER_MODE: u32 = 0o700;

    /// A socket has no mode here before it has a name: it gets one in a folder that is
    /// closed to everybody else, and is moved when all is right.
    pub(super) fn bind(claim: &mut Claim, mode: u32) -> io::Result<UnixListener> {
        let path = claim.path().to_owned();
        let mut folder = path.as_os_str().to_owned();
        folder.push(format!(".{}", process::id()));
        let folder = Path::new(&folder);
        DirBuilder::new().mode(FOLDER_MODE).create(folder)?;
        let inside = folder.join("s");
        let moved = check(&inside).and_then(|()| bound(socket()?, &inside)).and_then(|listener| {
            fs::set_permissions(&inside, Permissions::from_mode(mode))?;
            let listener = listening(listener)?;
            fs::rename(&inside, &path)?;
            claim.has_made()?;
            Ok(listener)
        });
        if moved.is_err() {
            let _ = fs::remove_file(&inside);
        }
        let _ = fs::remove_dir(folder);
        moved
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn the_file_is_born_with_no_more_permissions_than_were_asked_for() {
        use std::os::unix::fs::PermissionsExt;

        for mode in [0o600, 0o660, 0o200, 0] {
            let name = format!("netcore-born-{}-{mode:o}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let listener = super::place::bind_narrow(&path, mode);
            let born = std::fs::symlink_metadata(&path).unwrap().permissions().mode() & 0o777;
            std::fs::remove_file(&path).unwrap();
            listener.unwrap();
            assert_eq!(born & !mode, 0, "{born:o} and not {mode:o}");
        }
    }
}
