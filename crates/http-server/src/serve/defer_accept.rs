//! A client of HTTP speaks first, so that there is nothing to do for it before its
//! first bytes have come. Linux can keep it until then: TCP_DEFER_ACCEPT of [tcp(7)](https://man7.org/linux/man-pages/man7/tcp.7.html). No worker
//! wakes up for a new connection only to sleep again until the request is there, a
//! moment later; with a new connection for each request, that is up to a third of the
//! processor time.

use std::io;

use nix::libc;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::SetStruct;
use socket2::Socket;

/// Seconds that a client is waited for. One that has said nothing by then is handed
/// over all the same.
const PATIENCE: u32 = 1;

#[derive(Debug, Clone, Copy)]
struct DeferAccept;

nix::setsockopt_impl!(DeferAccept, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, u32, SetStruct<u32>);

/// Keeps new clients of `listener` back until they have said something, for a second at
/// most.
///
/// # Errors
/// Where the system does not have it, or the listener is not one of TCP.
pub fn until_first_bytes(listener: &Socket) -> io::Result<()> {
    Ok(setsockopt(listener, DeferAccept, &PATIENCE)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_client_is_kept_back_until_it_has_said_something() {
        let listener = Socket::from(TcpListener::bind("127.0.0.1:0").unwrap());
        until_first_bytes(&listener).unwrap();
        let address = listener.local_addr().unwrap().as_socket().unwrap();
        let is_kept_back = || {
            let mut client = TcpStream::connect(address).unwrap();
            listener.set_nonblocking(true).unwrap();
            let kept_back = listener.accept().is_err();
            listener.set_nonblocking(false).unwrap();
            client.write_all(b"GET").unwrap();
            kept_back && listener.accept().is_ok()
        };
        // Not where the machine stops for longer than the patience; not ten times in a row.
        assert!((0..10).any(|_| is_kept_back()));
    }
}
