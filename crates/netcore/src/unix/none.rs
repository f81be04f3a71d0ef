//! A system without UNIX sockets, which says so. Nothing here can be had, so nothing of it
//! is ever called.

use std::fmt;
use std::io::{self, IoSlice};
use std::net::Shutdown as Side;
use std::os::windows::io::{AsSocket, BorrowedSocket};
use std::path::Path;
use std::time::Duration;

use crate::Error;
use crate::accept;
use crate::connection::Socket;

#[derive(Debug)]
enum Never {}

/// There is none.
#[derive(Debug)]
pub struct Listener(Never);

/// There is none.
#[derive(Debug)]
pub struct Claim(Never);

/// There is none.
#[derive(Debug)]
pub struct Stream(Never);

/// What a client's own end would be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Name {
    /// Nothing, as most are.
    None,
    /// By a name that nobody else has.
    Own,
}

/// Nobody has connected.
#[derive(Debug, Clone)]
pub struct Peer {
    /// The user.
    pub uid: u32,
}

/// There is nowhere to listen.
///
/// # Errors
/// Always [`Error::Usage`].
pub fn listen(_: &Path, _: u32) -> Result<Listener, Error> {
    Err(not_here())
}

/// There is nowhere to connect to.
///
/// # Errors
/// Always [`Error::Usage`].
pub fn connect(_: &Path, _: Duration) -> Result<Stream, Error> {
    Err(not_here())
}

pub(crate) fn connect_socket(_: &Path, _: Duration, _: Name) -> io::Result<socket2::Socket> {
    Err(io::Error::new(io::ErrorKind::Unsupported, not_here().to_string()))
}

fn not_here() -> Error {
    Error::Usage("UNIX sockets are for Unix, and this system is none".into())
}

impl Listener {
    /// Nowhere.
    pub fn path(&self) -> &Path {
        match self.0 {}
    }

    /// There are none.
    pub fn into_parts(self) -> (socket2::Socket, Claim) {
        match self.0 {}
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid={}", self.uid)
    }
}

impl AsSocket for Listener {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        match self.0 {}
    }
}

impl accept::Listener for Listener {
    type Socket = Stream;
    type Peer = Peer;

    fn set_nonblocking(&self, _: bool) -> io::Result<()> {
        match self.0 {}
    }

    fn accept(&self) -> io::Result<(Stream, Peer)> {
        match self.0 {}
    }
}

impl AsSocket for Stream {
    fn as_socket(&self) -> BorrowedSocket<'_> {
        match self.0 {}
    }
}

impl Socket for Stream {
    fn set_nonblocking(&self, _: bool) -> io::Result<()> {
        match self.0 {}
    }

    fn read(&self, _: &mut [u8]) -> io::Result<usize> {
        match self.0 {}
    }

    fn write_vectored(&self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        match self.0 {}
    }

    fn shutdown(&self, _: Side) -> io::Result<()> {
        match self.0 {}
    }

    fn send_at_once(&self) -> io::Result<()> {
        match self.0 {}
    }

    fn peer_name(&self) -> io::Result<String> {
        match self.0 {}
    }
}
