//! How an end of a connection is read where what is left unread makes no reset of a close:
//! as it is.

use std::io::{self, Read};

use rustix::fd::{AsFd, BorrowedFd};
use socket2::Socket;

/// What has been read of one end.
#[derive(Debug)]
pub(super) struct Reader;

impl Reader {
    pub(super) fn of(_: &Socket) -> io::Result<Reader> {
        Ok(Reader)
    }

    /// What is readable when there is something to read.
    pub(super) fn readable<'a>(&'a self, socket: &'a Socket) -> BorrowedFd<'a> {
        socket.as_fd()
    }

    /// As read(2): nothing is the end.
    pub(super) fn read<'b>(
        &mut self,
        mut socket: &Socket,
        buf: &'b mut [u8],
    ) -> io::Result<&'b [u8]> {
        let n = socket.read(buf)?;
        Ok(&buf[..n])
    }

    /// A close from here on is an end.
    pub(super) fn leave_nothing(&mut self, _: &Socket) {}
}
