//! What a connection needs of a socket, and an acceptor of a listener: TCP, and UNIX
//! where there is one.

use std::fmt::Display;
use std::io::{self, ErrorKind, IoSlice, Read};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use rustix::fd::AsFd;
#[cfg(unix)]
use rustix::net::{SendAncillaryBuffer, SendFlags, send, sendmsg};
use socket2::SockRef;

use crate::wait::{self, Interest};

/// A stream socket of the system, whatever its family: TCP, or UNIX where there is one.
pub trait Socket: AsFd + Send + Sync {
    /// Sets whether calls wait, O_NONBLOCK.
    ///
    /// # Errors
    /// What the system says of the socket.
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()>;

    /// As [`Read::read`].
    ///
    /// # Errors
    /// As [`Read::read`].
    fn read(&self, buf: &mut [u8]) -> io::Result<usize>;

    /// As [`write_vectored`](io::Write::write_vectored), but that it never waits.
    ///
    /// # Errors
    /// As [`write_vectored`](io::Write::write_vectored).
    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ends one direction or both, shutdown(2).
    ///
    /// # Errors
    /// Where the peer has gone already.
    fn shutdown(&self, side: Side) -> io::Result<()>;

    /// Has small messages sent at once, where something would hold them back.
    ///
    /// # Errors
    /// What the system says of the socket.
    fn send_at_once(&self) -> io::Result<()>;

    /// What the log of a client calls the other end.
    ///
    /// # Errors
    /// Where there is none any more.
    fn peer_name(&self) -> io::Result<String>;
}

/// A socket that listens, whatever its family.
pub trait Listener: AsFd + Send + 'static {
    /// A client's connection.
    type Socket: Socket;
    /// What the system tells of a client before a byte of it is read. The log calls the
    /// client so, as one word.
    type Peer: Display;

    /// Sets whether accept waits, O_NONBLOCK.
    ///
    /// # Errors
    /// What the system says of the socket.
    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()>;

    /// The next client, [accept(2)](https://man7.org/linux/man-pages/man2/accept.2.html).
    ///
    /// # Errors
    /// What the system says; whose error it is, [`reach`](crate::reach) tells.
    fn accept(&self) -> io::Result<(Self::Socket, Self::Peer)>;
}

macro_rules! socket {
    ($socket:ty, $send_at_once:expr, $peer_name:expr) => {
        impl Socket for $socket {
            fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                <$socket>::set_nonblocking(self, nonblocking)
            }

            fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
                Read::read(&mut &*self, buf)
            }

            fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                send_now(self, bufs)
            }

            fn shutdown(&self, side: Side) -> io::Result<()> {
                <$socket>::shutdown(self, side)
            }

            fn send_at_once(&self) -> io::Result<()> {
                $send_at_once(self)
            }

            fn peer_name(&self) -> io::Result<String> {
                $peer_name(self)
            }
        }
    };
}

// Without TCP_NODELAY, a small reply can wait 40 ms for the acknowledgement of the one
// before it.
socket!(TcpStream, |tcp: &TcpStream| tcp.set_nodelay(true), |tcp: &TcpStream| tcp
    .peer_addr()
    .map(|peer| peer.to_string()));
#[cfg(unix)]
socket!(std::os::unix::net::UnixStream, |_| Ok(()), file_of_peer);

#[cfg(unix)]
fn file_of_peer(unix: &std::os::unix::net::UnixStream) -> io::Result<String> {
    let peer = unix.peer_addr()?;
    let path = peer.as_pathname().map(|path| path.display().to_string());
    Ok(format!("{}{}", crate::error::UNIX, path.unwrap_or_default()))
}

/// Not by write(2), which would wait here, on a UNIX socket and on some systems anew for
/// each part of a large buffer: a peer that takes little at a time would hold it up beyond
/// every deadline.
#[cfg(unix)]
fn send_now(socket: &impl AsFd, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let flags = SendFlags::DONTWAIT | NO_SIGNAL;
    Ok(match bufs {
        // It costs less than sendmsg(2).
        [one] => send(socket, one, flags)?,
        _ => sendmsg(socket, bufs, &mut SendAncillaryBuffer::default(), flags)?,
    })
}

/// A socket does not block there: see [`block_for_a_moment`].
#[cfg(not(unix))]
fn send_now(socket: &impl AsFd, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    SockRef::from(&socket.as_fd()).send_vectored(bufs)
}

/// A peer that has gone is an error and no SIGPIPE. macOS has that as an option of the
/// socket, which std sets.
#[cfg(all(unix, not(target_vendor = "apple")))]
const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
const NO_SIGNAL: SendFlags = SendFlags::empty();

impl Listener for TcpListener {
    type Socket = TcpStream;
    type Peer = SocketAddr;

    fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        TcpListener::set_nonblocking(self, nonblocking)
    }

    fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        TcpListener::accept(self)
    }
}

/// How long a read of a server's socket waits by itself, so that a client which answers at
/// once costs one call and not two, nor the timer of poll(2), which is dear. What comes later
/// is waited for in poll(2). A deadline and a stop are late by no more than this and a tick of
/// the system's clock.
const MOMENT: Duration = Duration::from_millis(10);

/// By SO_RCVTIMEO and SO_SNDTIMEO
/// ([socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)). On Windows a call that
/// was ended by them leaves the socket in no known state, so there it does not wait at all.
/// The second one is for whoever writes to the socket itself, past [`Socket`].
pub(crate) fn block_for_a_moment(socket: &impl Socket) -> io::Result<()> {
    if cfg!(windows) {
        return socket.set_nonblocking(true);
    }
    let fd = socket.as_fd();
    let options = SockRef::from(&fd);
    options.set_read_timeout(Some(MOMENT))?;
    options.set_write_timeout(Some(MOMENT))
}

/// Whether the other end has taken all that was sent, but for a little that may be on its
/// way. The system tells whether there is room in the buffer for sending, and here that
/// buffer is made as small as can be: for a socket that is written to no more.
pub fn has_taken_all(socket: &impl AsFd) -> bool {
    let fd = socket.as_fd();
    // By way of `as_fd`, which is a socket on Windows too.
    let small = SockRef::from(&fd).set_send_buffer_size(1);
    // It still has room beside one or two KiB that wait for room at the other end; there is
    // room beside nothing of that kind from here on. UNIX sockets hold nothing back.
    #[cfg(target_os = "linux")]
    let _ = SockRef::from(&fd).set_tcp_notsent_lowat(1);
    small.is_ok() && wait::is_ready(socket, Interest::Writing).unwrap_or(false)
}

pub(crate) fn is_nothing_yet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    /// From less than the smallest buffer of an end to more than that of the other.
    #[cfg(target_os = "linux")]
    #[test]
    fn what_waits_for_room_has_not_been_taken_however_little_it_is() {
        use std::io::Write;
        use std::thread;
        use std::time::{Duration, Instant};

        use rustix::io::ioctl_fionread;
        use socket2::{Domain, Type};

        use super::*;

        /// Ends a test that would otherwise hang; no correct run comes near it.
        const GENEROUS: Duration = Duration::from_secs(30);

        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().into();
        let (mut taken, mut left) = (0, 0);
        for length in (400..10_000).step_by(400) {
            let client = socket2::Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            client.set_recv_buffer_size(1).unwrap();
            client.connect(&address).unwrap();
            let server = listener.accept().unwrap().0;
            server.set_nonblocking(true).unwrap();
            for _ in 0..length / 400 {
                Write::write_all(&mut &server, &[b'x'; 400]).unwrap();
            }
            match has_taken_all(&server) {
                true => {
                    let started = Instant::now();
                    while ioctl_fionread(&client).unwrap() < length {
                        assert!(started.elapsed() < GENEROUS, "not all of {length} bytes");
                        thread::yield_now();
                    }
                    taken += 1;
                }
                false => left += 1,
            }
        }
        assert!(taken > 0 && left > 0, "{taken} and {left}");
    }
}
