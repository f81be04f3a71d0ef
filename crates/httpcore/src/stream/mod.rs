//! What a request comes from and a response goes to: a client's connection, whatever
//! carries it.

mod socket;

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::ops::Range;

use netcore::connection::{self, Connection};
use netcore::deadline::Deadline;

pub use self::socket::{Socket, Waits};

/// A connection. Every read ends at the deadline that was set last.
pub trait Stream: Read + Write + fmt::Debug {
    /// From here on, reads fail with `TimedOut` once `deadline` has passed.
    fn set_read_deadline(&mut self, deadline: Deadline);

    /// As [`Write::write`] for bytes that something else follows at once. A system that can
    /// be told so sends them together.
    ///
    /// # Errors
    /// As [`Write::write`].
    fn write_before_more(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write(bytes)
    }

    /// Sends some of `slice` of `file` without a copy, and says how much; 0 at the end
    /// of the file.
    ///
    /// # Errors
    /// `Unsupported` where the bytes have to be copied; otherwise as [`Write::write`].
    fn send_file(&mut self, file: &File, slice: Range<u64>) -> io::Result<u64> {
        let _ = (file, slice);
        Err(ErrorKind::Unsupported.into())
    }
}

/// The connection of the rungs. Its deadline is one for both directions, so that what is
/// set for reading holds for writing too, until another one is set.
impl<S: connection::Socket + fmt::Debug> Stream for Connection<S> {
    fn set_read_deadline(&mut self, deadline: Deadline) {
        self.set_deadline(deadline);
    }
}
