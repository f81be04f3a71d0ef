//! What a connection needs of a socket: TCP, and UNIX where there is one.

use std::io::{self, IoSlice, Read, Write};
use std::net::{Shutdown as Side, TcpStream};

use rustix::fd::AsFd;

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

    /// As [`Write::write_vectored`].
    ///
    /// # Errors
    /// As [`Write::write_vectored`].
    fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize>;

    /// Ends one direction or both, shutdown(2).
    ///
    /// # Errors
    /// Where the peer has gone already.
    fn shutdown(&self, side: Side) -> io::Result<()>;
}

macro_rules! socket {
    ($socket:ty) => {
        impl Socket for $socket {
            fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                <$socket>::set_nonblocking(self, nonblocking)
            }

            fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
                Read::read(&mut &*self, buf)
            }

            fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                Write::write_vectored(&mut &*self, bufs)
            }

            fn shutdown(&self, side: Side) -> io::Result<()> {
                <$socket>::shutdown(self, side)
            }
        }
    };
}

socket!(TcpStream);
#[cfg(unix)]
socket!(std::os::unix::net::UnixStream);
