//! TCP and UDP sockets bound with options that are written down, not left to the
//! platform.

use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

use crate::Error;

/// Connections that the kernel completes while the server is busy. Linux cuts it to
/// `net.core.somaxconn` (4,096). When it is full, a client's SYN is dropped and retried
/// after a second: with std's 128, 5,000 clients that come at once wait for half a
/// minute.
pub const BACKLOG: i32 = 4096;

/// Room for a burst of datagrams. The default of about 208 KiB loses most of 256
/// datagrams in flight. Linux cuts it to `net.core.rmem_max`.
pub const UDP_RECEIVE_BUFFER: usize = 4 << 20;

/// Room for the largest datagram. macOS and the BSDs refuse to send one that is larger
/// than this buffer, which has 9 KiB there by default.
const UDP_SEND_BUFFER: usize = 256 << 10;

/// A TCP socket that listens on `host` and `port`; port 0 takes a free one. A name is
/// tried address by address.
///
/// `::` listens for IPv4 as well, on every platform that can (OpenBSD cannot).
///
/// # Errors
/// [`Error::Resolve`] for a host that is none, [`Error::Listen`] with the reason for
/// the last address tried.
pub fn tcp(host: &str, port: u16) -> Result<TcpListener, Error> {
    let socket = bind_first(host, port, |address| {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        // A server that has closed a connection leaves it in TIME_WAIT for a minute; without
        // this option, a restart within that minute fails. On Windows the option means
        // another thing: two servers on one port. On macOS and the BSDs it has a price:
        // one address can be bound beside another program's `::` or `0.0.0.0`, whose
        // clients then come here.
        #[cfg(unix)]
        socket.set_reuse_address(true)?;
        bind(&socket, address)?;
        socket.listen(BACKLOG)?;
        Ok(socket)
    })?;
    Ok(socket.into())
}

/// A UDP socket bound to `host` and `port`, as [`tcp`]. No address reuse: UDP has no
/// TIME_WAIT, and reuse would let a second server take the datagrams of the first.
///
/// # Errors
/// As [`tcp`].
pub fn udp(host: &str, port: u16) -> Result<UdpSocket, Error> {
    let socket = bind_first(host, port, |address| {
        let socket = udp_socket(address)?;
        if let Err(error) = socket.set_recv_buffer_size(UDP_RECEIVE_BUFFER) {
            // Linux and macOS take less and say nothing; the BSDs refuse. The server works, with
            // more losses.
            log::warn!("cannot have a receive buffer of {UDP_RECEIVE_BUFFER} bytes: {error}");
        }
        bind(&socket, address)?;
        Ok(socket)
    })?;
    Ok(socket.into())
}

/// A socket for the family of `address`, not bound yet, that can send the largest
/// datagram.
pub(crate) fn udp_socket(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_send_buffer_size(UDP_SEND_BUFFER)?;
    Ok(socket)
}

fn bind(socket: &Socket, address: SocketAddr) -> io::Result<()> {
    if let SocketAddr::V6(v6) = address {
        // Linux and macOS default to both families on ::, Windows and OpenBSD to IPv6 only.
        // ::ffff:127.0.0.1 is an IPv4 address, which a socket for IPv6 only cannot
        // have.
        only_v6(socket, !v6.ip().is_unspecified() && v6.ip().to_ipv4_mapped().is_none())?;
    }
    socket.bind(&address.into())
}

/// OpenBSD has no sockets for both families, and refuses to make one. IPv6 alone is
/// served there, which is told.
fn only_v6(socket: &Socket, only: bool) -> io::Result<()> {
    match socket.set_only_v6(only) {
        Err(error) if !only => {
            log::warn!("this listens for IPv6 only, as the system has not both in one: {error}");
            Ok(())
        }
        set => set,
    }
}

fn bind_first(
    host: &str,
    port: u16,
    open: impl Fn(SocketAddr) -> io::Result<Socket>,
) -> Result<Socket, Error> {
    let mut last = None;
    for address in resolve(host, port)? {
        match open(address) {
            Ok(socket) => return Ok(socket),
            Err(error) => last = Some(error),
        }
    }
    let source = last.unwrap_or_else(|| io::ErrorKind::AddrNotAvailable.into());
    Err(Error::Listen { address: join(host, port), source })
}

/// Every address of a host name or literal, at least one; `[::1]` may keep its
/// brackets.
///
/// # Errors
/// [`Error::Resolve`], also for an empty name.
pub fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Error> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let no_address = || io::Error::new(io::ErrorKind::NotFound, "it has no address");
    let resolved = if bare.is_empty() {
        // getaddrinfo takes an empty name for every interface. Here that has to be said:
        // 0.0.0.0 or ::.
        Err(io::Error::new(io::ErrorKind::InvalidInput, "the name is empty"))
    } else {
        (bare, port).to_socket_addrs().map(Vec::from_iter)
    };
    match resolved {
        Ok(addresses) if !addresses.is_empty() => Ok(addresses),
        Ok(_) => Err(Error::Resolve { host: host.into(), source: no_address() }),
        Err(source) => Err(Error::Resolve { host: host.into(), source }),
    }
}

/// `host:port`, with brackets where the host is an IPv6 address.
pub fn join(host: &str, port: u16) -> String {
    match host.parse::<std::net::Ipv6Addr>() {
        Ok(v6) => SocketAddr::from((v6, port)).to_string(),
        // With a zone, it is more than an address.
        Err(_) if host.contains('%') && !host.starts_with('[') => format!("[{host}]:{port}"),
        Err(_) => format!("{host}:{port}"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    /// A machine without IPv6 is no failure, but it is told. Where IPv6 is switched off, ::
    /// can be bound and ::1 is no address.
    fn dual_stack() -> Option<TcpListener> {
        match tcp("::1", 0).and_then(|_| tcp("::", 0)) {
            Ok(listener) => Some(listener),
            Err(error) => {
                eprintln!("skipped, no IPv6 here: {error}");
                None
            }
        }
    }

    #[test]
    fn the_unspecified_ipv6_address_takes_clients_of_both_families() {
        let Some(listener) = dual_stack() else { return };
        let port = listener.local_addr().unwrap().port();
        TcpStream::connect(("127.0.0.1", port)).unwrap();
        TcpStream::connect(("::1", port)).unwrap();
    }

    #[test]
    fn a_system_that_refuses_both_families_on_one_socket_has_one_of_them() {
        let Some(listener) = dual_stack() else { return };
        // One that is bound already is refused the option everywhere.
        let refusing = Socket::from(listener);
        assert!(refusing.set_only_v6(false).is_err());
        only_v6(&refusing, false).unwrap();
    }

    #[test]
    fn an_ipv4_address_that_is_written_as_ipv6_can_be_listened_on() {
        if dual_stack().is_none() {
            return;
        }
        tcp("::ffff:127.0.0.1", 0).unwrap();
        udp("::ffff:127.0.0.1", 0).unwrap();
    }

    #[test]
    fn a_port_that_a_closed_connection_still_holds_can_be_bound_again() {
        let listener = tcp("127.0.0.1", 0).unwrap();
        let address = listener.local_addr().unwrap();
        let client = TcpStream::connect(address).unwrap();
        // The side that closes first is left in TIME_WAIT: here the server.
        drop(listener.accept().unwrap());
        drop(client);
        drop(listener);
        tcp("127.0.0.1", address.port()).unwrap();
    }

    #[test]
    fn a_second_server_on_one_port_is_refused() {
        let first = tcp("127.0.0.1", 0).unwrap();
        let port = first.local_addr().unwrap().port();
        let error = tcp("127.0.0.1", port).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot listen on 127.0.0.1:{port}: address already in use")
        );

        let first = udp("127.0.0.1", 0).unwrap();
        let port = first.local_addr().unwrap().port();
        assert!(matches!(udp("127.0.0.1", port), Err(Error::Listen { .. })));
    }

    #[test]
    fn an_empty_host_is_refused_and_not_taken_for_every_interface() {
        assert!(matches!(tcp("", 0), Err(Error::Resolve { .. })));
    }

    #[test]
    fn addresses_are_written_as_they_are_read() {
        assert_eq!(join("::1", 80), "[::1]:80");
        assert_eq!(join("localhost", 80), "localhost:80");
        assert_eq!(join("fe80::1%eth0", 80), "[fe80::1%eth0]:80");
        assert_eq!(join("[fe80::1%eth0]", 80), "[fe80::1%eth0]:80");
    }
}
