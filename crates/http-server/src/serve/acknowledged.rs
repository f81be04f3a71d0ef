//! How much of what was sent has come to the client. There is room for more only when a
//! third of what the system holds is gone, which may be a megabyte: a client that takes a
//! little at a time would look like one that takes nothing. TCP_INFO tells
//! ([tcp(7)](https://man7.org/linux/man-pages/man7/tcp.7.html)).

use std::os::fd::AsFd;

use nix::libc;
use nix::sys::socket::getsockopt;
use nix::sys::socket::sockopt::GetStruct;

/// The beginning of `struct tcp_info`, which grows at its end: up to `tcpi_bytes_acked`, that
/// Linux has since 4.1.
type Info = [u64; 16];

#[derive(Debug, Clone, Copy)]
struct TcpInfo;

nix::getsockopt_impl!(TcpInfo, libc::IPPROTO_TCP, libc::TCP_INFO, Info, GetStruct<Info>);

/// Bytes since the connection began; 0 where that is not known, as on a Unix socket.
pub fn bytes(socket: &impl AsFd) -> u64 {
    getsockopt(socket, TcpInfo).map_or(0, |info| info[info.len() - 1])
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_has_come_to_the_other_end_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        let before = bytes(&server);
        server.write_all(&[b'x'; 1000]).unwrap();
        client.read_exact(&mut [0; 1000]).unwrap();
        // An acknowledgement may be late, but not for ever.
        while bytes(&server) < before + 1000 {
            std::thread::yield_now();
        }
        assert_eq!(bytes(&listener), 0);
    }
}
