//! Datagrams that come together or leave together, many in one system call (feature
//! `batch`).

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::{SocketAddr, UdpSocket};

/// What the system does for a socket, asked for once.
pub use quinn_udp::UdpSocketState as Offload;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit};

use crate::datagrams::{BUFFER, pass_over, why_lost};
use crate::deadline::Deadline;
use crate::shutdown::Shutdown;
use crate::wait::{self, Interest};

/// What one call has received: [recvmmsg(2)](https://man7.org/linux/man-pages/man2/recvmmsg.2.html) on Linux.
///
/// It is some messages, and one where the system has no such call. Each is a datagram,
/// or many of the same length from one peer that the kernel has put together (UDP_GRO in
/// [udp(7)](https://man7.org/linux/man-pages/man7/udp.7.html)).
#[derive(Debug)]
pub struct Inbox {
    bufs: [Vec<u8>; BATCH_SIZE],
    metas: [RecvMeta; BATCH_SIZE],
    messages: usize,
}

impl Inbox {
    /// Receives what is there, in place of what was received before. `false` when the
    /// process has been told to stop.
    ///
    /// Receives first and polls only when nothing is there. So a busy server makes a few
    /// system calls for hundreds of datagrams; an idle one sleeps in poll.
    ///
    /// # Errors
    /// Those that every further receive would meet as well.
    pub fn receive(
        &mut self,
        socket: &UdpSocket,
        offload: &Offload,
        shutdown: &Shutdown,
    ) -> io::Result<bool> {
        while !shutdown.is_stopping() {
            let mut bufs = self.bufs.each_mut().map(|buf| IoSliceMut::new(buf));
            match offload.recv(socket.into(), &mut bufs, &mut self.metas) {
                Ok(messages) => {
                    self.messages = messages;
                    return Ok(true);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait::ready(socket, Interest::Reading, Some(shutdown), Deadline::NEVER)?;
                }
                Err(error) => pass_over(error, shutdown)?,
            }
        }
        Ok(false)
    }

    /// Each datagram and its sender. One that fills a buffer may have been cut, and is
    /// left out.
    pub fn datagrams(&self) -> impl Iterator<Item = (&[u8], SocketAddr)> {
        let messages = self.metas.iter().zip(&self.bufs).take(self.messages);
        // Port 0 says that no reply is wanted (RFC 768). A try would be a refusal, which ends
        // offload for everybody.
        let messages = messages.filter(|(meta, _)| meta.addr.port() != 0 && meta.stride < BUFFER);
        messages.flat_map(|(meta, buf)| {
            // A length of 0 is an empty datagram, answered as any other.
            let empty = (meta.len == 0).then_some(&buf[..0]);
            let datagrams = empty.into_iter().chain(buf[..meta.len].chunks(meta.stride.max(1)));
            datagrams.map(|datagram| (datagram, meta.addr))
        })
    }
}

impl Default for Inbox {
    /// An empty one.
    fn default() -> Inbox {
        // Memory that was never written takes no room, so large buffers cost what has come
        // into them.
        let bufs = std::array::from_fn(|_| vec![0; BUFFER]);
        Inbox { bufs, metas: [RecvMeta::default(); BATCH_SIZE], messages: 0 }
    }
}

/// Sends `datagrams` to `peer`: all `length` bytes long but for the last, which may be
/// shorter. The kernel cuts them apart, or the network card does. What cannot be sent is
/// logged and lost.
pub fn send(
    socket: &UdpSocket,
    offload: &Offload,
    peer: SocketAddr,
    datagrams: &[u8],
    length: usize,
) {
    let send = |contents, segment_size| {
        let (destination, ecn, src_ip) = (peer, None, None);
        let transmit = Transmit { destination, ecn, contents, segment_size, src_ip };
        offload.try_send(socket.into(), &transmit)
    };
    let mut sent = send(datagrams, (datagrams.len() > length).then_some(length));
    if let Err(error) = &sent
        && datagrams.len() > length
        && error.kind() != ErrorKind::WouldBlock
    {
        // Not every network card can do it. From now on, quinn-udp says that a call takes one.
        // Each is tried, and one error will do to be told.
        sent = Ok(());
        for datagram in datagrams.chunks(length) {
            sent = send(datagram, None).and(sent);
        }
    }
    if let Err(error) = sent {
        // Waiting for room would let the datagrams of everybody else overflow meanwhile.
        log::warn!("{peer} dropped: {}", why_lost(&error, length));
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    /// More than anything here takes.
    const GENEROUS: Duration = Duration::from_secs(20);

    #[test]
    fn messages_are_cut_into_their_datagrams() {
        let mut inbox = Inbox::default();
        for (message, stride, port, expected) in [
            ("aabbc", 2, 1, vec!["aa", "bb", "c"]),
            ("aabb", 2, 2, vec!["aa", "bb"]),
            ("a", 1, 1, vec!["a"]),
            ("", 0, 3, vec![""]),
            ("unwanted", 8, 0, vec![]),
        ] {
            // One at a time: not every system has room for more.
            let peer: SocketAddr = (Ipv4Addr::LOCALHOST, port).into();
            inbox.bufs[0][..message.len()].copy_from_slice(message.as_bytes());
            (inbox.metas[0].len, inbox.metas[0].stride) = (message.len(), stride);
            (inbox.metas[0].addr, inbox.messages) = (peer, 1);
            let expected: Vec<_> = expected.iter().map(|text| (text.as_bytes(), peer)).collect();
            assert_eq!(inbox.datagrams().collect::<Vec<_>>(), expected);
        }
    }

    fn bound() -> (UdpSocket, SocketAddr, Offload) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (address, offload) = (socket.local_addr().unwrap(), Offload::new((&socket).into()));
        (socket, address, offload.unwrap())
    }

    /// Everything that comes, until so many datagrams have, or no more come.
    fn received(socket: &UdpSocket, offload: &Offload, count: usize) -> Vec<Vec<u8>> {
        let shutdown = Shutdown::new(crate::shutdown::DRAIN).unwrap();
        let (enough, is_enough) = mpsc::channel::<()>();
        let handle = shutdown.clone();
        let watch = thread::spawn(move || {
            let _ = is_enough.recv_timeout(GENEROUS);
            handle.stop();
        });
        let (mut inbox, mut come) = (Inbox::default(), Vec::new());
        while come.len() < count && inbox.receive(socket, offload, &shutdown).unwrap() {
            come.extend(inbox.datagrams().map(|(datagram, _)| datagram.to_vec()));
        }
        drop(enough);
        watch.join().unwrap();
        come
    }

    #[test]
    fn what_leaves_together_comes_as_it_was() {
        let ((sender, _, sending), (receiver, address, receiving)) = (bound(), bound());
        if sending.max_gso_segments() < 3 {
            return eprintln!("skipped: this system sends one datagram with each call");
        }
        send(&sender, &sending, address, b"onetwo3", 3);
        let come = received(&receiver, &receiving, 3);
        assert_eq!(come, [b"one".to_vec(), b"two".to_vec(), b"3".to_vec()]);
    }

    #[test]
    fn datagrams_that_the_system_does_not_take_together_leave_one_by_one() {
        let ((sender, _, sending), (receiver, address, receiving)) = (bound(), bound());
        if sending.max_gso_segments() == 1 {
            return eprintln!("skipped: this system sends one datagram with each call");
        }
        // More than Linux cuts a buffer into.
        let datagrams: Vec<String> = (1_000..1_200).map(|number| number.to_string()).collect();
        send(&sender, &sending, address, datagrams.concat().as_bytes(), 4);
        let come = received(&receiver, &receiving, datagrams.len());
        assert_eq!(come.concat(), datagrams.concat().into_bytes());
    }

    #[test]
    fn a_stop_ends_the_receive() {
        let (socket, _, offload) = bound();
        let shutdown = Shutdown::new(crate::shutdown::DRAIN).unwrap();
        let handle = shutdown.clone();
        let server =
            thread::spawn(move || Inbox::default().receive(&socket, &offload, &handle).unwrap());
        shutdown.stop();
        assert!(!server.join().unwrap());
    }
}
