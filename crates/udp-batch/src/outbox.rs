//! Which datagrams may leave together, in one system call: no socket here, so a test needs
//! none.

use std::net::{Ipv4Addr, SocketAddr};

use netcore::datagrams::LARGEST;

/// Bytes of a datagram that may leave together with others: what the smallest packet of
/// IPv6 carries, 1,280 bytes less 40 of IP's header and 8 of UDP's. The kernel refuses
/// to cut a buffer into more than the path takes, and after one refusal quinn-udp asks
/// for no offload any more, for any peer. Longer ones leave one by one.
pub const LONGEST_SEGMENT: usize = 1_232;

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
    /// Whether a datagram of `len` bytes for `peer` can leave in the same call as those
    /// before it, of which a call takes `max_segments`.
    pub fn takes(&self, peer: SocketAddr, len: usize, max_segments: usize) -> bool {
        let may_follow = peer == self.peer
            && self.segments < max_segments
            && self.segment <= LONGEST_SEGMENT
            // A shorter one was the last. An empty one leaves alone: in the buffer it would be nothing.
            && self.contents.len() == self.segments * self.segment
            && (1..=self.segment).contains(&len)
            // As long as one datagram may be, however many it is cut into.
            && self.contents.len() + len <= LARGEST;
        self.segments == 0 || may_follow
    }

    /// Adds a datagram that the outbox takes.
    pub fn push(&mut self, peer: SocketAddr, datagram: &[u8]) {
        if self.segments == 0 {
            (self.peer, self.segment) = (peer, datagram.len());
        }
        self.contents.extend_from_slice(datagram);
        self.segments += 1;
    }

    /// Hands what there is to `send`: the peer, the datagrams and the length of each. The
    /// outbox is empty after that.
    pub fn flush(&mut self, send: impl FnOnce(SocketAddr, &[u8], usize)) {
        if self.segments > 0 {
            send(self.peer, &self.contents, self.segment);
        }
        self.contents.clear();
        self.segments = 0;
    }
}

impl Default for Outbox {
    /// An empty one.
    fn default() -> Outbox {
        let (peer, contents) = ((Ipv4Addr::UNSPECIFIED, 0).into(), Vec::with_capacity(LARGEST));
        Outbox { peer, contents, segment: 0, segments: 0 }
    }
}
