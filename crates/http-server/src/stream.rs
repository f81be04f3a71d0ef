//! A client's connection: its [`Wire`], and between it and us the encryption, where
//! there is one.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown as Side, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use netcore::deadline::Deadline;

use crate::tls::Session;
use crate::wire::Wire;

/// Bytes of a file that one call sends at most, so that the log and the limits see
/// progress.
#[cfg(target_os = "linux")]
const SEND_FILE_LIMIT: usize = 2 << 20;

/// One client's connection. Every read ends at the deadline that was set last.
#[derive(Debug)]
pub struct Stream {
    wire: Wire,
    session: Option<Session>,
}

impl Stream {
    /// A connection in the clear. A client that takes nothing for `write_limit` ends
    /// it.
    ///
    /// # Errors
    /// When the socket does not take the limit.
    pub fn new(socket: Arc<TcpStream>, write_limit: Duration) -> io::Result<Stream> {
        Ok(Stream { wire: Wire::new(socket, write_limit)?, session: None })
    }

    /// The same with encryption.
    pub(crate) fn with_session(self, session: Option<Session>) -> Stream {
        Stream { session, ..self }
    }

    /// From here on, reads fail with `TimedOut` once `deadline` has passed.
    pub fn set_read_deadline(&mut self, deadline: Deadline) {
        self.wire.set_read_deadline(deadline);
    }

    /// Says that nothing more will be sent. What the client still sends can be read.
    ///
    /// # Errors
    /// When the client has gone already.
    pub fn end_writing(&mut self) -> io::Result<()> {
        if let Some(session) = &mut self.session {
            session.end(&mut self.wire)?;
        }
        self.wire.socket().shutdown(Side::Write)
    }

    /// Ends the connection, with a word where the client expects one.
    pub fn end(&mut self) {
        if let Some(session) = &mut self.session {
            // Whoever has gone does not need to be told.
            let _ = session.end(&mut self.wire);
        }
    }

    /// Hands all of `first` and `second` to the system, in one call where it takes
    /// them.
    ///
    /// # Errors
    /// As [`Write::write`].
    pub fn write_both(&mut self, first: &[u8], second: &[u8]) -> io::Result<()> {
        let mut parts = [IoSlice::new(first), IoSlice::new(second)];
        let mut parts = parts.as_mut_slice();
        // An empty slice at the front would make a complete write look like one that takes
        // nothing.
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

/// Linux can send from a file, and can be told that more follows, so that the head
/// travels with the first bytes of the file instead of in a segment of its own.
#[cfg(target_os = "linux")]
impl Stream {
    /// Hands over `bytes`, which something else follows at once.
    ///
    /// # Errors
    /// As [`Write::write`].
    pub fn write_with_more_to_come(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        use rustix::net::{SendFlags, send};
        if self.session.is_some() {
            return self.write_all(bytes);
        }
        while !bytes.is_empty() {
            match send(self.wire.socket(), bytes, SendFlags::MORE | SendFlags::NOSIGNAL) {
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
    /// As [sendfile(2)](https://man7.org/linux/man-pages/man2/sendfile.2.html); `Unsupported` where the bytes
    /// have to be copied: for some kinds of files, and for encryption.
    pub fn send_file(&mut self, file: &File, slice: Range<u64>) -> io::Result<u64> {
        use rustix::io::Errno;
        if self.session.is_some() {
            return Err(ErrorKind::Unsupported.into());
        }
        let count =
            usize::try_from(slice.end - slice.start).unwrap_or(usize::MAX).min(SEND_FILE_LIMIT);
        let mut offset = slice.start;
        match rustix::fs::sendfile(self.wire.socket(), file, Some(&mut offset), count) {
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
        match &mut self.session {
            Some(session) => session.read(&mut self.wire, buf),
            None => self.wire.read(buf),
        }
    }
}

impl Write for Stream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.session {
            Some(session) => session.write(&mut self.wire, bufs),
            None => self.wire.write_vectored(bufs),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
