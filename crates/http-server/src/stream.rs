//! A client's socket with a deadline for reading and a limit for writing.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use netcore::deadline::Deadline;

/// Bytes of a file that one call sends at most, so that the log and the limits see progress.
#[cfg(target_os = "linux")]
const SEND_FILE_LIMIT: usize = 2 << 20;

/// One client's connection. Every read ends at the deadline that was set last.
#[derive(Debug)]
pub struct Stream {
    socket: Arc<TcpStream>,
    read_by: Deadline,
    read_timeout: Option<Duration>,
}

impl Stream {
    /// Wraps a blocking socket. A client that takes nothing for `write_limit` ends the connection.
    ///
    /// # Errors
    /// When the socket does not take the limit.
    pub fn new(socket: Arc<TcpStream>, write_limit: Duration) -> io::Result<Stream> {
        // This bounds one wait for room, not the whole response: a slow reader of a large file may take its time.
        socket.set_write_timeout(Some(write_limit))?;
        Ok(Stream { socket, read_by: Deadline::NEVER, read_timeout: None })
    }

    /// From here on, reads fail with `TimedOut` once `deadline` has passed.
    pub fn set_read_deadline(&mut self, deadline: Deadline) {
        self.read_by = deadline;
    }

    /// The socket itself, where no layer is between it and the wire.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }

    /// Hands all of `first` and `second` to the system, in one call where it takes them.
    ///
    /// # Errors
    /// As [`Write::write`].
    pub fn write_both(&mut self, first: &[u8], second: &[u8]) -> io::Result<()> {
        let mut parts = [IoSlice::new(first), IoSlice::new(second)];
        let mut parts = parts.as_mut_slice();
        // An empty slice at the front would make a complete write look like one that takes nothing.
        IoSlice::advance_slices(&mut parts, 0);
        while !parts.is_empty() {
            match self.write_vectored(parts) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(n) => IoSlice::advance_slices(&mut parts, n),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Linux can send from a file, and can be told that more follows, so that the head travels with the first bytes of
/// the file instead of in a segment of its own.
#[cfg(target_os = "linux")]
impl Stream {
    /// Hands over `bytes`, which something else follows at once.
    ///
    /// # Errors
    /// As [`Write::write`].
    pub fn write_with_more_to_come(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        use rustix::net::{SendFlags, send};
        while !bytes.is_empty() {
            match send(&*self.socket, bytes, SendFlags::MORE | SendFlags::NOSIGNAL) {
                Ok(n) => bytes = &bytes[n..],
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Sends some of `slice` of `file` and says how much; 0 at the end of the file.
    ///
    /// # Errors
    /// As [sendfile(2)](https://man7.org/linux/man-pages/man2/sendfile.2.html); `Unsupported` where this kind of file
    /// has to be copied.
    pub fn send_file(&mut self, file: &File, slice: Range<u64>) -> io::Result<u64> {
        use rustix::io::Errno;
        let count = usize::try_from(slice.end - slice.start).unwrap_or(usize::MAX).min(SEND_FILE_LIMIT);
        let mut offset = slice.start;
        match rustix::fs::sendfile(&*self.socket, file, Some(&mut offset), count) {
            Ok(n) => Ok(n as u64),
            Err(Errno::INVAL | Errno::NOSYS) => Err(ErrorKind::Unsupported.into()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Elsewhere both are ordinary writes.
#[cfg(not(target_os = "linux"))]
#[allow(missing_docs, reason = "as above")]
impl Stream {
    pub fn write_with_more_to_come(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    pub fn send_file(&mut self, _: &File, _: Range<u64>) -> io::Result<u64> {
        Err(ErrorKind::Unsupported.into())
    }
}

impl Read for Stream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let remaining = self.read_by.remaining()?;
            if !is_near(self.read_timeout, remaining) {
                self.socket.set_read_timeout(remaining)?;
                self.read_timeout = remaining;
            }
            match (&*self.socket).read(buf) {
                // A socket timeout is WouldBlock on Unix and TimedOut on Windows; the clock says if it is the end.
                Err(error)
                    if matches!(
                        error.kind(),
                        ErrorKind::Interrupted | ErrorKind::WouldBlock | ErrorKind::TimedOut
                    ) => {}
                done => return done,
            }
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self.socket).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self.socket).write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the timeout that is set will do. A deadline late by a sixteenth saves a system call for each request of
/// a connection, whose idle limit is always the same.
fn is_near(set: Option<Duration>, wanted: Option<Duration>) -> bool {
    match (set, wanted) {
        (Some(set), Some(wanted)) => set.abs_diff(wanted) <= wanted / 16,
        (set, wanted) => set == wanted,
    }
}
