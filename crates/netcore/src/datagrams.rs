//! Datagrams for a server: a receive that a stop ends at once, and a send that is never
//! the end.
//!
//! A server here blocks in [recvfrom(2)](https://man7.org/linux/man-pages/man2/recv.2.html) and nowhere
//! else, so a datagram costs one call to receive and one to answer. A signal does not
//! end such a wait, as std begins it anew. What ends it is a datagram: a stop sends an
//! empty one to the socket's own address. And for Linux, it ends the receiving.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown as Side, SocketAddr, UdpSocket};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use rustix::io::Errno;
use socket2::SockRef;

use crate::accept::SHORTAGE_PAUSE;
use crate::error::reason;
use crate::reach::{self, Reach};
use crate::shutdown::Shutdown;
use crate::wait;

/// Bytes that one call receives at most. What does not fit is lost, so this is one more
/// than the 65,527 of the largest datagram (over IPv6: 65,535 less 8 of UDP's header).
/// Nothing is cut. If something were, a buffer that is full to the last byte would
/// tell, and on Windows an error.
pub const BUFFER: usize = 65_528;

/// Bytes of the largest datagram over IPv4: 65,535 less 20 of IP's header and 8 of
/// UDP's. IPv6 takes 20 more, but which of the two it will be is not known before the
/// server has answered.
pub const LARGEST: usize = 65_507;

/// How long a send waits for room in the socket's buffer. The device empties it in less;
/// waiting longer would let the datagrams of everybody else overflow meanwhile.
const ROOM: Duration = Duration::from_millis(1);

/// A bound socket together with what ends its waiting. Several threads may receive from
/// one.
#[derive(Debug)]
pub struct Datagrams {
    socket: UdpSocket,
    shutdown: Shutdown,
    waker: Arc<Waker>,
}

impl Datagrams {
    /// Takes over a bound socket.
    ///
    /// # Errors
    /// When the socket has no address, or there is no second one to wake it from.
    pub fn new(socket: UdpSocket, shutdown: &Shutdown) -> io::Result<Datagrams> {
        socket.set_nonblocking(false)?;
        // Nothing ticks: where loopback is switched off or filtered, a stop finds no way to the
        // socket but on Linux, and a second signal ends the process.
        socket.set_read_timeout(None)?;
        socket.set_write_timeout(Some(ROOM))?;
        let waker = Arc::new(Waker::new(&socket)?);
        // Once the server has gone, its port may be another's: then nobody is woken.
        let at_stop = Arc::downgrade(&waker);
        shutdown.on_stop(move || {
            if let Some(waker) = at_stop.upgrade() {
                waker.wake();
            }
        });
        Ok(Datagrams { socket, shutdown: shutdown.clone(), waker })
    }

    /// The next datagram, whole, in `buf`: its length and its sender. `None` when the
    /// process has been told to stop.
    ///
    /// `buf` has [`BUFFER`] bytes, or one more than the longest datagram that is wanted:
    /// one that fills it may have been cut, and is logged and dropped. A length of 0 is
    /// an empty datagram and no end, for there is no stream that could end.
    ///
    /// # Errors
    /// Those that every further receive would meet as well.
    pub fn receive(&self, buf: &mut [u8]) -> io::Result<Option<(usize, SocketAddr)>> {
        while !self.shutdown.is_stopping() {
            let received = self.socket.recv_from(buf);
            if self.shutdown.is_stopping() {
                break;
            }
            match received {
                Ok((n, peer)) if n == buf.len() => {
                    log::warn!("{peer} dropped: a datagram of {n} bytes and more, which was cut");
                }
                Ok(received) => return Ok(Some(received)),
                Err(error) => pass_over(error, &self.shutdown)?,
            }
        }
        // The stop has woken one thread, which wakes the next.
        self.waker.wake();
        Ok(None)
    }

    /// Sends a datagram to `peer`, whole: it has no rest to send. One that cannot be
    /// sent is logged and lost, as the network may lose any.
    pub fn send(&self, datagram: &[u8], peer: SocketAddr) {
        if let Err(why) = self.try_send(datagram, peer) {
            log::warn!("{peer} dropped: {why}");
        }
    }

    /// As [`send`](Datagrams::send), for who tells itself what is lost.
    ///
    /// # Errors
    /// Why it is lost.
    pub fn try_send(&self, datagram: &[u8], peer: SocketAddr) -> Result<(), String> {
        while let Err(error) = self.socket.send_to(datagram, peer) {
            if error.kind() != ErrorKind::Interrupted {
                // Were it the socket itself, the next receive would say so.
                return Err(why_lost(&error, datagram.len()));
            }
        }
        Ok(())
    }
}

/// Why a datagram of so many bytes is lost.
pub fn why_lost(error: &io::Error, bytes: usize) -> String {
    match (error.kind(), Errno::from_io_error(error)) {
        (ErrorKind::WouldBlock | ErrorKind::TimedOut, _) => "the buffer for sending is full".into(),
        (_, Some(Errno::MSGSIZE)) => {
            format!("{bytes} bytes are more than a datagram takes on this way")
        }
        _ => reason(error),
    }
}

/// Makes an answer for `peer`, if there is one. Where that panics, it is logged and there
/// is none: a mistake that one client has found is no end for the others.
pub fn answer_for<T>(peer: SocketAddr, answer: impl FnOnce() -> Option<T>) -> Option<T> {
    // What has panicked may have left its own state half changed, as a poisoned lock would
    // tell; the socket and the buffer are as they were.
    panic::catch_unwind(AssertUnwindSafe(answer)).unwrap_or_else(|_| {
        log::error!("{peer} dropped: making its answer has panicked");
        None
    })
}

/// Logs an error of receiving that is not the end of the socket and waits out a
/// shortage, so that a server may go on. For those with a receive of their own, too.
///
/// # Errors
/// The error itself, where every further receive would meet it as well.
pub fn pass_over(error: io::Error, shutdown: &Shutdown) -> io::Result<()> {
    match reach::of_receive(&error) {
        Reach::Nothing => Ok(()),
        Reach::One => {
            log::debug!("a datagram was lost, most likely an earlier reply: {}", reason(&error));
            Ok(())
        }
        Reach::AllForNow => {
            log::warn!("cannot receive for now: {}", reason(&error));
            wait::pause(SHORTAGE_PAUSE, shutdown)
        }
        Reach::All => Err(error),
    }
}

/// What wakes a blocked receive.
#[derive(Debug)]
struct Waker {
    woken: UdpSocket,
    from: UdpSocket,
    to: Vec<SocketAddr>,
}

impl Waker {
    fn new(socket: &UdpSocket) -> io::Result<Waker> {
        let (woken, address) = (socket.try_clone()?, socket.local_addr()?);
        let to: Vec<SocketAddr> = match address.ip().to_canonical() {
            // Where IPv6 is switched off, `::` is bound and ::1 cannot be reached.
            IpAddr::V6(ip) if ip.is_unspecified() => {
                vec![(Ipv6Addr::LOCALHOST, address.port()).into(), v4(address.port())]
            }
            IpAddr::V4(ip) if ip.is_unspecified() => vec![v4(address.port())],
            IpAddr::V4(ip) => vec![(ip, address.port()).into()],
            // As it is: it may have a zone.
            IpAddr::V6(_) => vec![address],
        };
        let from = match to[0] {
            SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
            SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
        };
        Ok(Waker { woken, from, to })
    }

    fn wake(&self) {
        // For Linux, the end of receiving, whatever the address: of a broadcast, or of a
        // network that a filter has closed. Elsewhere it is an error and no more.
        let _ = SockRef::from(&self.woken).shutdown(Side::Read);
        for address in &self.to {
            // Where it does not arrive, a second signal ends the process.
            let _ = self.from.send_to(&[], address);
        }
    }
}

fn v4(port: u16) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, port).into()
}
