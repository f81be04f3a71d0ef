//! A client's socket with a deadline for reading and a limit for writing.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use netcore::deadline::{Deadline, is_socket_timeout, unless_over};

/// The socket. Every read ends at the deadline that was set last.
#[derive(Debug)]
pub struct Wire {
    socket: Arc<TcpStream>,
    read_by: Deadline,
    read_timeout: Option<Duration>,
}

impl Wire {
    /// Wraps a blocking socket. A client that takes nothing for `write_limit` ends the
    /// connection.
    ///
    /// # Errors
    /// When the socket does not take the limit.
    pub fn new(socket: Arc<TcpStream>, write_limit: Duration) -> io::Result<Wire> {
        // This bounds one wait for room, not the whole response: a slow reader of a large file
        // may take its time.
        socket.set_write_timeout(Some(write_limit))?;
        Ok(Wire { socket, read_by: Deadline::NEVER, read_timeout: None })
    }

    /// From here on, reads fail with `TimedOut` once `deadline` has passed.
    pub fn set_read_deadline(&mut self, deadline: Deadline) {
        self.read_by = deadline;
    }

    /// The socket itself.
    pub fn socket(&self) -> &TcpStream {
        &self.socket
    }
}

impl Read for Wire {
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

impl Write for Wire {
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

/// Whether the timeout that is set will do. A deadline late by a sixteenth saves a
/// system call for each request of a connection, whose idle limit is always the same.
fn is_near(set: Option<Duration>, wanted: Option<Duration>) -> bool {
    match (set, wanted) {
        (Some(set), Some(wanted)) => set.abs_diff(wanted) <= wanted / 16,
        (set, wanted) => set == wanted,
    }
}
