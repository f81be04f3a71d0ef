//! Datagrams that come and leave together, many in one system call.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};

use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSocketState};

use crate::{BUFFER, MAX_MESSAGE};

/// Bytes of a datagram that may leave together with others: what the smallest packet of
/// IPv6 carries, 1,280 bytes less 40 of IP's header and 8 of UDP's. The kernel refuses
/// to cut a buffer into more than the path takes, and after one refusal quinn-udp asks
/// for no offload any more, for any peer. Longer ones leave one by one.
const LONGEST_SEGMENT: usize = 1_232;

/// What one call has received: [recvmmsg(2)](https://man7.org/linux/man-pages/man2/recvmmsg.2.html) on Linux.
///
/// It is some messages. Each is a datagram, or many of the same length from one peer
/// that the kernel has put together (UDP_GRO in [udp(7)](https://man7.org/linux/man-pages/man7/udp.7.html)).
#[derive(Debug)]
pub struct Inbox {
    bufs: [Vec<u8>; BATCH_SIZE],
    metas: [RecvMeta; BATCH_SIZE],
    messages: usize,
}

impl Inbox {
    /// An empty one.
    pub fn new() -> Inbox {
        // Memory that was never written takes no room, so large buffers cost what has come into
        // them.
        let bufs = std::array::from_fn(|_| vec![0; BUFFER]);
        Inbox { bufs, metas: [RecvMeta::default(); BATCH_SIZE], messages: 0 }
    }

    /// Receives what is there, in place of what was received before.
    ///
    /// # Errors
    /// What the system says: `WouldBlock` when nothing is there.
    pub fn receive(&mut self, socket: &UdpSocket, offload: &UdpSocketState) -> io::Result<()> {
        let mut bufs = self.bufs.each_mut().map(|buf| IoSliceMut::new(buf));
        self.messages = offload.recv(socket.into(), &mut bufs, &mut self.metas)?;
        Ok(())
    }

    /// Each datagram and its sender.
    pub fn datagrams(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        let messages = self.metas.iter().zip(&self.bufs).take(self.messages);
        // Port 0 says that no reply is wanted (RFC 768). A try would be a refusal, which ends
        // offload for everybody.
        let messages = messages.filter(|(meta, _)| meta.addr.port() != 0);
        messages.flat_map(|(meta, buf)| {
            // A length of 0 is an empty datagram, answered as any other: UDP has no end of stream.
            let empty = (meta.len == 0).then_some(&buf[..0]);
            let datagrams = empty.into_iter().chain(buf[..meta.len].chunks(meta.stride.max(1)));
            datagrams.map(|datagram| (datagram, meta.addr))
        })
    }
}

/// Datagrams for one peer, one behind the other: all of the same length but for the
/// last, which may be shorter.
///
/// The kernel cuts them apart again (UDP_SEGMENT), or the network card does. Together
/// they cost one way through the system instead of one each.
#[derive(Debug)]
pub struct Outbox {
    peer: SocketAddr,
    contents: Vec<u8>,
    /// The length of the first datagram.
    segment: usize,
    segments: usize,
}

impl Outbox {
    /// An empty one.
    pub fn new() -> Outbox {
        let nobody = SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0));
        Outbox { peer: nobody, contents: Vec::with_capacity(MAX_MESSAGE), segment: 0, segments: 0 }
    }

    /// Whom the datagrams are for.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether a datagram of `len` bytes for `peer` can leave in the same call as those
    /// before it, of which a call takes `max_segments`.
    pub fn takes(&self, peer: SocketAddr, len: usize, max_segments: usize) -> bool {
        if self.segments == 0 {
            return true;
        }
        peer == self.peer
            && self.segments < max_segments
            && self.segment <= LONGEST_SEGMENT
            // A shorter one was the last. An empty one leaves alone: in the buffer it would be nothing.
            && self.contents.len() == self.segments * self.segment
            && (1..=self.segment).contains(&len)
            // As long as one datagram may be, however many it is cut into.
            && self.contents.len() + len <= MAX_MESSAGE
    }

    /// Adds a datagram that the outbox takes.
    pub fn push(&mut self, peer: SocketAddr, datagram: &[u8]) {
        if self.segments == 0 {
            (self.peer, self.segment) = (peer, datagram.len());
        }
        self.contents.extend_from_slice(datagram);
        self.segments += 1;
    }

    /// Sends what there is. The outbox is empty after that, whether it could be sent or
    /// not.
    ///
    /// # Errors
    /// What the system says: `WouldBlock` when its buffer is full. Then some or all are
    /// lost.
    pub fn send(&mut self, socket: &UdpSocket, offload: &UdpSocketState) -> io::Result<()> {
        let together = (self.segments > 1).then_some(self.segment);
        let sent = match self.segments {
            0 => Ok(()),
            _ => offload.try_send(socket.into(), &self.transmit(&self.contents, together)),
        };
        let sent = match sent {
            // Not every network card can do it. From now on, quinn-udp says that a call takes one.
            Err(error) if together.is_some() && error.kind() != ErrorKind::WouldBlock => {
                self.send_one_by_one(socket, offload)
            }
            sent => sent,
        };
        self.contents.clear();
        self.segments = 0;
        sent
    }

    fn send_one_by_one(&self, socket: &UdpSocket, offload: &UdpSocketState) -> io::Result<()> {
        let mut result = Ok(());
        for datagram in self.contents.chunks(self.segment) {
            // Each is tried. One error will do to be told.
            result = offload.try_send(socket.into(), &self.transmit(datagram, None)).and(result);
        }
        result
    }

    fn transmit<'a>(&self, contents: &'a [u8], segment_size: Option<usize>) -> Transmit<'a> {
        Transmit { destination: self.peer, ecn: None, contents, segment_size, src_ip: None }
    }
}

impl Default for Inbox {
    fn default() -> Inbox {
        Inbox::new()
    }
}

impl Default for Outbox {
    fn default() -> Outbox {
        Outbox::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAX: usize = 64;

    fn peer(port: u16) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, port).into()
    }

    /// An outbox with datagrams of these lengths for one peer.
    fn outbox(lengths: &[usize]) -> Outbox {
        let mut outbox = Outbox::new();
        for len in lengths {
            assert!(outbox.takes(peer(1), *len, MAX), "{len} of {lengths:?}");
            outbox.push(peer(1), &vec![0; *len]);
        }
        outbox
    }

    #[test]
    fn messages_are_cut_into_their_datagrams() {
        let mut inbox = Inbox::new();
        for (i, (message, stride, port)) in
            [("aabbc", 2, 1), ("aabb", 2, 2), ("a", 1, 1), ("", 0, 3), ("unwanted", 8, 0)]
                .into_iter()
                .enumerate()
        {
            inbox.bufs[i][..message.len()].copy_from_slice(message.as_bytes());
            (inbox.metas[i].len, inbox.metas[i].stride, inbox.metas[i].addr) =
                (message.len(), stride, peer(port));
        }
        inbox.messages = 5;
        let expected = [("aa", 1), ("bb", 1), ("c", 1), ("aa", 2), ("bb", 2), ("a", 1), ("", 3)];
        let expected = expected.map(|(datagram, port)| (datagram.as_bytes(), peer(port)));
        assert_eq!(inbox.datagrams().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_empty_outbox_takes_anything() {
        for len in [0, 1, LONGEST_SEGMENT + 1, MAX_MESSAGE, MAX_MESSAGE + 12] {
            assert!(Outbox::new().takes(peer(1), len, 1));
        }
    }

    #[test]
    fn datagrams_of_one_length_for_one_peer_go_together_and_the_last_may_be_shorter() {
        let full = outbox(&[100, 100]);
        assert!(full.takes(peer(1), 100, MAX));
        assert!(full.takes(peer(1), 1, MAX));
        assert!(!full.takes(peer(1), 101, MAX));
        assert!(!full.takes(peer(2), 100, MAX));
        let ended = outbox(&[100, 100, 99]);
        assert!(!ended.takes(peer(1), 99, MAX));
        assert!(!ended.takes(peer(1), 100, MAX));
    }

    #[test]
    fn an_empty_datagram_goes_alone() {
        assert!(!outbox(&[100]).takes(peer(1), 0, MAX));
        assert!(!outbox(&[0]).takes(peer(1), 0, MAX));
        assert!(!outbox(&[0]).takes(peer(1), 100, MAX));
    }

    #[test]
    fn no_more_go_together_than_a_call_takes() {
        let three = outbox(&[10, 10, 10]);
        assert!(three.takes(peer(1), 10, 4));
        assert!(!three.takes(peer(1), 10, 3));
        assert!(!outbox(&[10]).takes(peer(1), 10, 1));
    }

    #[test]
    fn no_more_bytes_go_together_than_one_datagram_may_have() {
        let fits = outbox(&[LONGEST_SEGMENT; MAX_MESSAGE / LONGEST_SEGMENT]);
        assert!(fits.takes(peer(1), MAX_MESSAGE % LONGEST_SEGMENT, MAX));
        assert!(!fits.takes(peer(1), LONGEST_SEGMENT, MAX));
    }

    #[test]
    fn datagrams_that_a_path_may_not_take_go_one_by_one() {
        assert!(outbox(&[LONGEST_SEGMENT]).takes(peer(1), LONGEST_SEGMENT, MAX));
        assert!(!outbox(&[LONGEST_SEGMENT + 1]).takes(peer(1), LONGEST_SEGMENT + 1, MAX));
    }

    /// Linux only: elsewhere there may be no offload, and then each comes alone.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_leaves_together_comes_together() {
        let (sender, receiver) =
            (UdpSocket::bind(peer(0)).unwrap(), UdpSocket::bind(peer(0)).unwrap());
        let sending = UdpSocketState::new((&sender).into()).unwrap();
        let receiving = UdpSocketState::new((&receiver).into()).unwrap();
        let mut outbox = Outbox::new();
        for datagram in ["one", "two", "3"] {
            assert!(outbox.takes(
                receiver.local_addr().unwrap(),
                datagram.len(),
                sending.max_gso_segments()
            ));
            outbox.push(receiver.local_addr().unwrap(), datagram.as_bytes());
        }
        outbox.send(&sender, &sending).unwrap();
        let mut inbox = Inbox::new();
        receiver.set_nonblocking(false).unwrap();
        // One buffer: a blocking recvmmsg waits for as many messages as there are buffers.
        receiver.peek(&mut [0]).unwrap();
        receiver.set_nonblocking(true).unwrap();
        inbox.receive(&receiver, &receiving).unwrap();
        assert_eq!(inbox.messages, 1);
        assert_eq!(
            inbox.datagrams().map(|(datagram, _)| datagram).collect::<Vec<_>>(),
            [b"one".as_slice(), b"two", b"3"]
        );
    }
}
