//! One end of a UDP conversation, datagram by datagram, in words for what a test
//! expects of it.

use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use socket2::SockRef;

use crate::GENEROUS;

/// More than a datagram can hold, so that none is cut.
const BUFFER: usize = 64 << 10;

/// Room for the largest datagram: macOS refuses to send one that is larger than this
/// buffer, which has 9 KiB there by default.
const SEND_BUFFER: usize = 256 << 10;

/// A UDP socket on a port of its own. No call on it waits beyond the generous deadline.
#[derive(Debug)]
pub struct Datagrams(UdpSocket);

impl Datagrams {
    /// Takes a free port on 127.0.0.1.
    ///
    /// # Panics
    /// When there is none.
    pub fn bind() -> Datagrams {
        Datagrams::bind_on(Ipv4Addr::LOCALHOST)
    }

    /// Takes a free port on another address of this machine.
    ///
    /// # Panics
    /// When there is none.
    pub fn bind_on(address: Ipv4Addr) -> Datagrams {
        let socket = UdpSocket::bind((address, 0)).expect("a port is free");
        socket.set_read_timeout(Some(GENEROUS)).expect("a timeout can be set");
        SockRef::from(&socket).set_send_buffer_size(SEND_BUFFER).expect("a buffer can be set");
        Datagrams(socket)
    }

    /// Our own address.
    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("a bound socket has an address")
    }

    /// Sends `bytes` as one datagram.
    #[track_caller]
    pub fn send(&self, bytes: &[u8], to: SocketAddr) {
        match self.0.send_to(bytes, to) {
            Ok(n) => assert_eq!(n, bytes.len()),
            Err(error) => panic!("cannot send to {to}: {error}"),
        }
    }

    /// Waits for a datagram and returns it with its sender.
    #[track_caller]
    pub fn receive(&self) -> (Vec<u8>, SocketAddr) {
        let mut buf = vec![0; BUFFER];
        match self.0.recv_from(&mut buf) {
            Ok((n, from)) => {
                buf.truncate(n);
                (buf, from)
            }
            Err(error) => panic!("no datagram: {error}"),
        }
    }

    /// Waits for a datagram of exactly these bytes and returns its sender.
    #[track_caller]
    pub fn expect(&self, expected: &[u8]) -> SocketAddr {
        let (bytes, from) = self.receive();
        // Not assert_eq: 64 KiB of numbers help nobody.
        let start = |bytes: &[u8]| bytes[..bytes.len().min(80)].escape_ascii().to_string();
        assert!(bytes == expected, "{:?}, not {:?}", start(&bytes), start(expected));
        from
    }

    /// Nothing has come.
    #[track_caller]
    pub fn assert_would_block(&self) {
        self.0.set_nonblocking(true).expect("the mode can be set");
        match self.0.recv_from(&mut [0; 64]) {
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            Ok((n, from)) => panic!("{n} bytes came from {from}"),
        }
        self.0.set_nonblocking(false).expect("the mode can be set");
    }
}
