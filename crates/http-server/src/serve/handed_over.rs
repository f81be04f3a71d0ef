//! Sockets that whoever started this process has opened for it: systemd holds the port, so
//! that a restart loses no client, a port below 1024 takes no privilege, and the server may
//! live without any way out to the network
//! ([sd_listen_fds(3)](https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html)).

#[cfg(target_os = "linux")]
use std::io::{self, ErrorKind};
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;

use netcore::Error;
use socket2::Socket;

/// The sockets that this process was given, the first time that it asks; `None` where there
/// are none. It is to be asked before there are other threads, since what names them is
/// taken out of the environment: a child of ours has no claim to them.
///
/// # Errors
/// When one of them is not a stream socket that listens.
#[cfg(target_os = "linux")]
pub fn handed_over() -> Result<Option<Vec<Socket>>, Error> {
    // The crate takes a count without a process too, which may be meant for our parent.
    let meant_for = std::env::var("LISTEN_PID").ok().and_then(|pid| pid.parse().ok());
    if meant_for != Some(std::process::id()) {
        return Ok(None);
    }
    let mut given = listenfd::ListenFd::from_env();
    let sockets: Result<Vec<Socket>, Error> =
        (0..given.len()).map(|at| take(&mut given, at)).collect();
    Ok(Some(sockets?).filter(|sockets| !sockets.is_empty()))
}

/// Elsewhere nobody hands any over.
///
/// # Errors
/// None.
#[cfg(not(target_os = "linux"))]
pub fn handed_over() -> Result<Option<Vec<Socket>>, Error> {
    Ok(None)
}

#[cfg(target_os = "linux")]
fn take(given: &mut listenfd::ListenFd, at: usize) -> Result<Socket, Error> {
    let descriptor = match given.take_tcp_listener(at) {
        Ok(listener) => listener.map(OwnedFd::from),
        // It is still there then.
        Err(_) => given.take_unix_listener(at).ok().flatten().map(OwnedFd::from),
    };
    // With `Accept=yes` it is a client instead, and with `ListenDatagram=` no stream.
    let listens = |socket: &Socket| rustix::net::sockopt::socket_acceptconn(socket) == Ok(true);
    descriptor.map(Socket::from).filter(listens).ok_or_else(|| {
        let why = "it is no stream socket that listens (ListenStream= without Accept=yes)";
        let attempted = format!("serve on socket {} of those that were handed over", at + 1);
        Error::failed(attempted)(io::Error::new(ErrorKind::InvalidInput, why))
    })
}
