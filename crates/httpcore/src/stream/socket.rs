//! A socket that never blocks: what waits is poll(2), and only where it is told to.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
#[cfg(target_os = "linux")]
use std::ops::Range;
use std::time::Duration;

use netcore::deadline::Deadline;
use netcore::shutdown::Shutdown;
use netcore::wait::{self, Interest, Waited};
use rustix::fd::AsFd;

use super::Stream;

/// Bytes of a file that one call sends at most, so that the log and the limits see
/// progress.
#[cfg(target_os = "linux")]
const SEND_FILE_LIMIT: usize = 2 << 20;

/// What becomes of a call for which the socket is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waits {
    /// It waits: for reading until the deadline that was set last, for writing as long as
    /// the limit for it says.
    Here,
    /// It fails with `WouldBlock`, and whoever called waits for many sockets at once.
    Elsewhere,
}

/// The socket.
#[derive(Debug)]
pub struct Socket<S> {
    socket: S,
    waits: Waits,
    read_by: Deadline,
    write_limit: Duration,
    /// Once it has begun to stop, no call waits beyond its drain limit.
    shutdown: Option<Shutdown>,
}

impl<S: Read + Write + AsFd> Socket<S> {
    /// Wraps a socket that does not block, whose calls wait. A client that takes nothing
    /// for `write_limit` ends the connection.
    pub fn new(socket: S, write_limit: Duration) -> Socket<S> {
        let (waits, read_by, shutdown) = (Waits::Here, Deadline::NEVER, None);
        Socket { socket, waits, read_by, write_limit, shutdown }
    }

    /// The same for a server that a stop may end.
    pub fn with_shutdown(self, shutdown: &Shutdown) -> Socket<S> {
        Socket { shutdown: Some(shutdown.clone()), ..self }
    }

    /// What calls do from here on.
    pub fn set_waits(&mut self, waits: Waits) {
        self.waits = waits;
    }

    /// The socket itself.
    pub fn get_ref(&self) -> &S {
        &self.socket
    }

    /// The socket itself.
    pub fn get_mut(&mut self) -> &mut S {
        &mut self.socket
    }

    /// Waits for room to write, until `deadline`.
    ///
    /// # Errors
    /// `TimedOut`; what the system says of the wait.
    pub fn wait_for_room(&self, deadline: Deadline) -> io::Result<()> {
        self.wait(Interest::Writing, deadline)
    }

    fn wait(&self, interest: Interest, deadline: Deadline) -> io::Result<()> {
        loop {
            // A stop that begins meanwhile is waited for as well: it sets a limit.
            let begins = self.shutdown.as_ref().filter(|shutdown| !shutdown.is_stopping());
            let drained = self.shutdown.as_ref().map(Shutdown::drain_deadline);
            let deadline = deadline.or_sooner(drained.unwrap_or(Deadline::NEVER));
            match wait::ready(&self.socket, interest, begins, deadline)? {
                Waited::Ready => return Ok(()),
                Waited::Stopping => {}
                Waited::TimedOut => return Err(ErrorKind::TimedOut.into()),
            }
        }
    }

    /// Does what `call` does, once the socket is ready for it.
    fn write_with<T>(&mut self, mut call: impl FnMut(&mut S) -> io::Result<T>) -> io::Result<T> {
        loop {
            match call(&mut self.socket) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if error.kind() == ErrorKind::WouldBlock && self.waits == Waits::Here =>
                {
                    self.wait_for_room(Deadline::after(self.write_limit))?;
                }
                done => return done,
            }
        }
    }
}

impl<S: Read + Write + AsFd + std::fmt::Debug> Stream for Socket<S> {
    fn set_read_deadline(&mut self, deadline: Deadline) {
        self.read_by = deadline;
    }

    /// Linux can be told that more follows, so that the head travels with the first
    /// bytes of the file instead of in a segment of its own.
    #[cfg(target_os = "linux")]
    fn write_before_more(&mut self, bytes: &[u8]) -> io::Result<usize> {
        use rustix::net::{SendFlags, send};
        self.write_with(|socket| Ok(send(socket, bytes, SendFlags::MORE | SendFlags::NOSIGNAL)?))
    }

    /// By [sendfile(2)](https://man7.org/linux/man-pages/man2/sendfile.2.html), which some kinds of files do not
    /// take.
    #[cfg(target_os = "linux")]
    fn send_file(&mut self, file: &File, slice: Range<u64>) -> io::Result<u64> {
        use rustix::io::Errno;
        let count =
            usize::try_from(slice.end - slice.start).unwrap_or(usize::MAX).min(SEND_FILE_LIMIT);
        self.write_with(|socket| {
            let mut offset = slice.start;
            match rustix::fs::sendfile(socket, file, Some(&mut offset), count) {
                Ok(n) => Ok(n as u64),
                Err(Errno::INVAL | Errno::NOSYS) => Err(ErrorKind::Unsupported.into()),
                Err(error) => Err(error.into()),
            }
        })
    }
}

impl<S: Read + Write + AsFd> Read for Socket<S> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.socket.read(buf) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error)
                    if error.kind() == ErrorKind::WouldBlock && self.waits == Waits::Here =>
                {
                    self.wait(Interest::Reading, self.read_by)?;
                }
                Ok(n) if n > 0 && self.waits == Waits::Here => {
                    // A client that always has something is never waited for.
                    return self.read_by.remaining().map(|_| n);
                }
                done => return done,
            }
        }
    }
}

impl<S: Read + Write + AsFd> Write for Socket<S> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_with(|socket| socket.write(buf))
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.write_with(|socket| socket.write_vectored(bufs))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
