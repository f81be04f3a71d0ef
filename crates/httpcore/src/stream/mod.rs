//! What a request comes from and a response goes to: a client's connection, whatever
//! carries it.

mod socket;

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::ops::Range;

use netcore::connection::{self, Connection};
use netcore::deadline::Deadline;

pub use self::socket::Socket;

/// A connection. Every read ends at the deadline that was set last.
pub trait Stream: Read + Write + fmt::Debug {
    /// From here on, reads fail with `TimedOut` once `deadline` has passed.
    fn set_read_deadline(&mut self, deadline: Deadline);

    /// Hands over `bytes`, which something else follows at once. A system that can be
    /// told so sends them together.
    ///
    /// # Errors
    /// As [`Write::write_all`].
    fn write_with_more_to_come(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
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

    /// Hands all of `first` and `second` to the system, in one call where it takes
    /// them.
    ///
    /// # Errors
    /// As [`Write::write_all`].
    fn write_both(&mut self, first: &[u8], second: &[u8]) -> io::Result<()> {
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

/// The connection of the rungs. Its deadline is one for both directions, so that what is
/// set for reading holds for writing too, until another one is set.
impl<S: connection::Socket + fmt::Debug> Stream for Connection<S> {
    fn set_read_deadline(&mut self, deadline: Deadline) {
        self.set_deadline(deadline);
    }
}
