//! Sends and receives datagrams of one size: one for each system call, or many.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

/// The payload of the largest datagram over IPv4.
pub const LARGEST: usize = 65_507;

/// Messages that one call receives at most, each of them one datagram or many that the
/// kernel has put together.
const MESSAGES: usize = 8;

/// Datagrams that wait to be sent, and how they are.
#[derive(Debug)]
pub struct Outbox {
    socket: UdpSocket,
    address: SocketAddr,
    size: usize,
    offload: Option<UdpSocketState>,
    waiting: Vec<u8>,
    sent: usize,
}

/// Datagrams that have come.
#[derive(Debug)]
pub struct Inbox {
    bufs: [Vec<u8>; MESSAGES],
    meta: [RecvMeta; MESSAGES],
    messages: usize,
}

/// How many datagrams one call takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// One: send(2) and recv(2), as most programs do it.
    One,
    /// As many as the system takes in one piece: UDP_SEGMENT and UDP_GRO of Linux.
    Many,
}

impl Outbox {
    /// For datagrams of `size` bytes on a socket that does not block and is connected
    /// to `address`.
    ///
    /// # Errors
    /// When the socket cannot be set up for many.
    pub fn new(
        socket: UdpSocket,
        address: SocketAddr,
        size: usize,
        calls: Calls,
    ) -> io::Result<Outbox> {
        let offload = match calls {
            Calls::One => None,
            Calls::Many => Some(UdpSocketState::new((&socket).into())?),
        };
        Ok(Outbox { socket, address, size, offload, waiting: Vec::new(), sent: 0 })
    }

    /// The end of a datagram that is to be sent: the caller appends its bytes.
    pub fn waiting(&mut self) -> &mut Vec<u8> {
        &mut self.waiting
    }

    /// Sends what waits. What the socket does not take now waits on.
    ///
    /// # Errors
    /// What the system says, but for `WouldBlock`.
    pub fn flush(&mut self) -> io::Result<()> {
        while self.sent < self.waiting.len() {
            let contents = self.next();
            let length = contents.len();
            match self.send(contents) {
                Ok(()) => self.sent += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.waiting.clear();
        self.sent = 0;
        Ok(())
    }

    /// What the next call sends.
    fn next(&self) -> &[u8] {
        let segments = self.offload.as_ref().map_or(1, UdpSocketState::max_gso_segments);
        let most = segments.min(LARGEST / self.size).max(1) * self.size;
        let rest = &self.waiting[self.sent..];
        &rest[..rest.len().min(most)]
    }

    fn send(&self, contents: &[u8]) -> io::Result<()> {
        let Some(offload) = &self.offload else {
            // A datagram is sent whole or not at all.
            return self.socket.send(contents).map(drop);
        };
        let segment_size = (contents.len() > self.size).then_some(self.size);
        let transmit =
            Transmit { destination: self.address, ecn: None, contents, segment_size, src_ip: None };
        offload.try_send((&self.socket).into(), &transmit)
    }

    /// Receives into `inbox`, and says whether anything came.
    ///
    /// # Errors
    /// What the system says, but for `WouldBlock`.
    pub fn receive(&self, inbox: &mut Inbox) -> io::Result<bool> {
        loop {
            let received = match &self.offload {
                Some(offload) => {
                    let mut slices = inbox.bufs.each_mut().map(|buf| IoSliceMut::new(buf));
                    offload.recv((&self.socket).into(), &mut slices, &mut inbox.meta)
                }
                None => self.socket.recv(&mut inbox.bufs[0]).map(|n| {
                    inbox.meta[0].len = n;
                    inbox.meta[0].stride = n;
                    1
                }),
            };
            match received {
                Ok(messages) => {
                    inbox.messages = messages;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox {
            bufs: std::array::from_fn(|_| vec![0; LARGEST + 1]),
            meta: [RecvMeta::default(); MESSAGES],
            messages: 0,
        }
    }
}

impl Inbox {
    /// Each datagram of what came last.
    pub fn datagrams(&self) -> impl Iterator<Item = &[u8]> {
        let messages = self.bufs.iter().zip(&self.meta).take(self.messages);
        messages.flat_map(|(buf, meta)| {
            // An empty datagram is one all the same.
            let empty = (meta.len == 0).then_some(&buf[..0]);
            empty.into_iter().chain(buf[..meta.len].chunks(meta.stride.max(1)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_into_their_datagrams() {
        let mut inbox = Inbox::default();
        inbox.bufs[0][..5].copy_from_slice(b"aabbc");
        (inbox.meta[0].len, inbox.meta[0].stride) = (5, 2);
        (inbox.meta[1].len, inbox.meta[1].stride) = (0, 0);
        inbox.messages = 2;
        assert_eq!(inbox.datagrams().collect::<Vec<_>>(), [b"aa".as_slice(), b"bb", b"c", b""]);
    }

    #[test]
    fn both_ways_of_calling_carry_the_same_datagrams() {
        for calls in [Calls::One, Calls::Many] {
            let (one, other) =
                (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
            let (here, there) = (one.local_addr().unwrap(), other.local_addr().unwrap());
            one.connect(there).unwrap();
            other.connect(here).unwrap();
            let mut outbox = Outbox::new(one, there, 10, calls).unwrap();
            let receiver = Outbox::new(other, here, 10, calls).unwrap();
            outbox.waiting().extend((0..200).map(|i| (i / 10) as u8));
            outbox.flush().unwrap();
            let (mut inbox, mut come) = (Inbox::default(), Vec::new());
            while come.len() < 20 {
                // Blocks until there is something.
                assert!(receiver.receive(&mut inbox).unwrap());
                come.extend(inbox.datagrams().map(<[u8]>::to_vec));
            }
            let expected: Vec<Vec<u8>> = (0..20).map(|i| vec![i; 10]).collect();
            assert_eq!(come, expected, "{calls:?}");
        }
    }
}
