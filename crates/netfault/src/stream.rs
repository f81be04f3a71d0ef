//! A connection of any family, and what the server's log calls its end here.

use std::io;

pub(crate) use socket2::Socket as Stream;

/// What the server's log calls us.
pub(crate) fn name(stream: &Stream) -> io::Result<String> {
    let address = stream.local_addr()?;
    match address.as_socket() {
        Some(address) => Ok(address.to_string()),
        None => own_name(stream),
    }
}

#[cfg(unix)]
fn own_name(stream: &Stream) -> io::Result<String> {
    let stream = std::os::fd::OwnedFd::from(stream.try_clone()?).into();
    Ok(netcore::unix::Peer::ourselves(&stream)?.to_string())
}

#[cfg(not(unix))]
fn own_name(_: &Stream) -> io::Result<String> {
    Err(io::ErrorKind::Unsupported.into())
}
