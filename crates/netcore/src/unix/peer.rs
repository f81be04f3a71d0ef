//! Who has connected: the system knows, and no client can say otherwise.

use std::fmt;
use std::io;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process;

use nix::unistd::geteuid;

/// Whoever has connected, as it was when it did: a process may hand its end on to another,
/// and be somebody else by now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer {
    /// The user.
    pub uid: u32,
    /// The process, where the system tells and it is one that we can see.
    pub pid: Option<u32>,
    /// The name of its own end, which hardly any client has.
    name: Option<String>,
}

impl Peer {
    /// The other end of a connection.
    ///
    /// # Errors
    /// Where the system has forgotten an end that is gone.
    pub fn of(stream: &UnixStream) -> io::Result<Peer> {
        let (uid, pid) = credentials(stream)?;
        Ok(Peer { uid, pid, name: own_name(&stream.peer_addr()?) })
    }

    /// Our end of a connection, as the other one sees it.
    ///
    /// # Errors
    /// Where the system has forgotten it.
    pub fn ourselves(stream: &UnixStream) -> io::Result<Peer> {
        let pid = credentials(stream)?.1.map(|_| process::id());
        Ok(Peer { uid: geteuid().as_raw(), pid, name: own_name(&stream.local_addr()?) })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid={}", self.uid)?;
        if let Some(pid) = self.pid {
            write!(f, ",pid={pid}")?;
        }
        match &self.name {
            Some(name) => write!(f, ",{name}"),
            None => Ok(()),
        }
    }
}

/// SO_PEERCRED.
#[cfg(target_os = "linux")]
fn credentials(stream: &UnixStream) -> io::Result<(u32, Option<u32>)> {
    use nix::sys::socket::{getsockopt, sockopt};

    let peer = getsockopt(stream, sockopt::PeerCredentials)?;
    // A process outside our container has the number 0 here.
    Ok((peer.uid(), u32::try_from(peer.pid()).ok().filter(|pid| *pid > 0)))
}

#[cfg(not(target_os = "linux"))]
use user_alone as credentials;

/// getpeereid(3), which knows no process.
#[cfg(not(target_os = "linux"))]
fn user_alone(stream: &UnixStream) -> io::Result<(u32, Option<u32>)> {
    let (uid, _) = nix::unistd::getpeereid(stream)?;
    Ok((uid.as_raw(), None))
}

/// One word, whatever the client has chosen.
fn own_name(address: &SocketAddr) -> Option<String> {
    let word = |bytes: &[u8]| bytes.escape_ascii().to_string().replace(' ', r"\x20");
    if let Some(path) = address.as_pathname() {
        return Some(word(path.as_os_str().as_encoded_bytes()));
    }
    abstract_name(address).map(|name| format!("@{}", word(name)))
}

/// Linux has names that are no files.
#[cfg(target_os = "linux")]
fn abstract_name(address: &SocketAddr) -> Option<&[u8]> {
    std::os::linux::net::SocketAddrExt::as_abstract_name(address)
}

#[cfg(not(target_os = "linux"))]
fn abstract_name(_: &SocketAddr) -> Option<&[u8]> {
    None
}
