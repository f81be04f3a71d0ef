//! The socket goes from one process to the next: standard input of a worker is the
//! listening socket, and standard output is a connection to the keeper.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Child, Command};

/// Whether the next worker is there before the last one goes.
pub const HANDS_OVER: bool = true;

/// What a worker is held by. It notices when this is gone.
#[derive(Debug)]
pub struct Leash(UnixStream);

/// Starts a worker. What it says can be read until it ends.
pub fn spawn(
    mut command: Command,
    listener: Option<&TcpListener>,
) -> io::Result<(Child, Leash, UnixStream)> {
    let listener = listener.ok_or(io::ErrorKind::NotConnected)?;
    let (ours, theirs) = UnixStream::pair()?;
    command.stdin(OwnedFd::from(listener.try_clone()?)).stdout(OwnedFd::from(theirs));
    let child = command.spawn()?;
    // With it goes our copy of their end: otherwise theirs would never be the last.
    drop(command);
    let said = ours.try_clone()?;
    Ok((child, Leash(ours), said))
}

impl Write for Leash {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        // There is a second descriptor, on which its words are read: closing one tells nothing.
        let _ = self.0.shutdown(Shutdown::Write);
    }
}

/// The keeper's socket, in the worker.
pub fn listener(_: SocketAddr) -> io::Result<TcpListener> {
    Ok(TcpListener::from(io::stdin().as_fd().try_clone_to_owned()?))
}

/// What ends when the keeper lets go, in the worker.
pub fn leash() -> io::Result<UnixStream> {
    Ok(UnixStream::from(io::stdout().as_fd().try_clone_to_owned()?))
}
