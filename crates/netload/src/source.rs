//! The address that a new connection comes from.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use mio::net::TcpStream;
use netcore::address::Address;
use netcore::unix::Name;
use socket2::{Domain, Protocol, Socket, Type};

/// How long the queue of a server on a file may be full.
const PATIENCE: Duration = Duration::from_secs(60);

/// Begins the `nth` new connection to `address` and does not wait for it.
///
/// The side that closes first holds its port for a minute. With one source address,
/// some 28,000 such ports are all there are, and soon the search for a free one is all
/// that is measured. The whole of 127.0.0.0/8 is this machine on Linux, so that
/// connections to it can come from another address each.
///
/// # Errors
/// What the system says.
pub fn connect(address: &Address, nth: u64) -> io::Result<TcpStream> {
    let Address::Inet(address) = *address else { return connect_file(address) };
    let Some(source) = source(address.ip(), nth) else { return TcpStream::connect(address) };
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    socket.bind(&SocketAddr::from((source, 0)).into())?;
    match socket.connect(&address.into()) {
        Err(error) if !in_progress(&error) => return Err(error),
        _ => {}
    }
    Ok(TcpStream::from_std(socket.into()))
}

/// A connection to a file is there or refused at once, but for a full queue.
///
/// What std and mio call a TcpStream is any stream socket here: reading, writing and
/// waiting are the same for all of them.
///
/// # Errors
/// What the system says.
pub fn connect_file(address: &Address) -> io::Result<TcpStream> {
    let socket = address.connect(PATIENCE, Name::None)?;
    socket.set_nonblocking(true)?;
    Ok(TcpStream::from_std(socket.into()))
}

/// 127.1.0.0 to 127.1.255.255 in turn, where that is possible.
fn source(target: IpAddr, nth: u64) -> Option<Ipv4Addr> {
    match target {
        IpAddr::V4(target) if cfg!(target_os = "linux") && target.is_loopback() => {
            let [.., third, fourth] = nth.to_be_bytes();
            Some(Ipv4Addr::new(127, 1, third, fourth))
        }
        _ => None,
    }
}

#[cfg(unix)]
fn in_progress(error: &io::Error) -> bool {
    rustix::io::Errno::from_io_error(error) == Some(rustix::io::Errno::INPROGRESS)
}

#[cfg(not(unix))]
fn in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn connections_to_this_machine_come_from_many_addresses() {
        let to = |target: [u8; 4], nth| source(IpAddr::from(target), nth);
        assert_eq!(to([127, 0, 0, 1], 0), Some(Ipv4Addr::new(127, 1, 0, 0)));
        assert_eq!(to([127, 0, 0, 1], 0x1_0203), Some(Ipv4Addr::new(127, 1, 2, 3)));
        assert_eq!(to([192, 0, 2, 1], 0), None);
        assert_eq!(source("::1".parse().unwrap(), 0), None);
    }
}
