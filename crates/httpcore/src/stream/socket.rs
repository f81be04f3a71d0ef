//! A blocking socket with a deadline for reading and a limit for writing.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
#[cfg(target_os = "linux")]
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use netcore::deadline::Deadline;

use super::Stream;

/// Bytes of a file that one call sends at most, so that the log and the limits see
/// progress.
#[cfg(target_os = "linux")]
const SEND_FILE_LIMIT: usize = 2 << 20;

/// The socket. Every read ends at the deadline that was set last.
#[derive(Debug)]
pub struct Socket {
    socket: Arc<TcpStream>,
    read_by: Deadline,
    read_timeout: Option<Duration>,
}

impl Socket {
    /// Wraps a blocking socket. A client that takes nothing for `write_limit` ends the
    /// connection.
    ///
    /// # Errors
    /// When the socket does not take the limit.
    pub fn new(socket: Arc<TcpStream>, write_limit: Duration) -> io::Result<Socket> {
        // This bounds one wait for room, not the whole response: a slow reader of a large file
        // may take its time.
        socket.set_write_timeout(Some(write_limit))?;
        Ok(Socket { socket, read_by: Deadline::NEVER, read_timeout: None })
    }

    /// The socket itself.
    pub fn get_ref(&self) -> &TcpStream {
        &self.socket
    }
}

impl Stream for Socket {
    fn set_read_deadline(&mut self, deadline: Deadline) {
        self.read_by = deadline;
    }

    /// Linux can be told that more follows, so that the head travels with the first
    /// bytes of the file instead of in a segment of its own.
    #[cfg(target_os = "linux")]
    fn write_with_more_to_come(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        use rustix::net::{SendFlags, send};
        while !bytes.is_empty() {
            match send(&*self.socket, bytes, SendFlags::MORE | SendFlags::NOSIGNAL) {
                Ok(n) => bytes = &bytes[n..],
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(in_words(error.into())),
            }
        }
        Ok(())
    }

    /// By [sendfile(2)](https://man7.org/linux/man-pages/man2/sendfile.2.html), which some kinds of files do not
    /// take.
    #[cfg(target_os = "linux")]
    fn send_file(&mut self, file: &File, slice: Range<u64>) -> io::Result<u64> {
        use rustix::io::Errno;
        let count =
            usize::try_from(slice.end - slice.start).unwrap_or(usize::MAX).min(SEND_FILE_LIMIT);
        let mut offset = slice.start;
        match rustix::fs::sendfile(&*self.socket, file, Some(&mut offset), count) {
            Ok(n) => Ok(n as u64),
            Err(Errno::INVAL | Errno::NOSYS) => Err(ErrorKind::Unsupported.into()),
            Err(error) => Err(in_words(error.into())),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let remaining = self.read_by.remaining()?;
            if !is_near(self.read_timeout, remaining) {
                unless_over(self.socket.set_read_timeout(remaining))?;
                self.read_timeout = remaining;
            }
            match (&*self.socket).read(buf) {
                Err(error)
                    if error.kind() == ErrorKind::Interrupted || is_socket_timeout(&error) => {}
                done => return done,
            }
        }
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self.socket).write(buf).map_err(in_words)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self.socket).write_vectored(bufs).map_err(in_words)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether the timeout that is set will do. A deadline late by a sixteenth saves a
/// system call for each request of a connection, whose idle limit is always the same.
fn is_near(set: Option<Duration>, wanted: Option<Duration>) -> bool {
    match (set, wanted) {
        (Some(set), Some(wanted)) => set.abs_diff(wanted) <= wanted / 16,
        (set, wanted) => set == wanted,
    }
}

/// Whether a socket's own timeout has ended a call. Windows names it otherwise.
fn is_socket_timeout(error: &io::Error) -> bool {
    error.kind() == if cfg!(windows) { ErrorKind::TimedOut } else { ErrorKind::WouldBlock }
}

/// A timeout by one name on every system.
fn in_words(error: io::Error) -> io::Error {
    if is_socket_timeout(&error) { ErrorKind::TimedOut.into() } else { error }
}

/// What setting a timeout said, unless the connection is over: macOS lets no option be
/// set once both directions have ended. No call can block any more then.
fn unless_over(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if cfg!(target_vendor = "apple") && error.kind() == ErrorKind::InvalidInput => {
            Ok(())
        }
        set => set,
    }
}
