//! A deadline for everything that is done on a connection.

use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use netcore::deadline::Deadline;

use crate::peer::Stream;

/// A stream whose reads and writes all end at one deadline. A guard can end it meanwhile
/// from its own thread, so it is borrowed.
pub(crate) struct Until<'a> {
    stream: &'a Stream,
    deadline: Deadline,
}

impl<'a> Until<'a> {
    pub(crate) fn new(stream: &'a Stream, deadline: Deadline) -> Until<'a> {
        Until { stream, deadline }
    }

    fn call<T>(
        &mut self,
        set: fn(&Stream, Option<Duration>) -> io::Result<()>,
        mut call: impl FnMut(&mut &'a Stream) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            match set(self.stream, self.deadline.remaining()?) {
                // macOS, when both directions have ended: then no call can block any more.
                Err(error) if error.kind() == ErrorKind::InvalidInput => {}
                set => set?,
            }
            match call(&mut self.stream) {
                // WouldBlock on Unix, TimedOut on Windows. The clock says whether it is time.
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                done => return done,
            }
        }
    }
}

impl Read for Until<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.call(Stream::set_read_timeout, |stream| stream.read(buf))
    }
}

impl Write for Until<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.call(Stream::set_write_timeout, |stream| stream.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
