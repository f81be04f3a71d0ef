//! How an end of a connection is read, so that the close that follows can be a reset.
//!
//! Over TCP any close can be one. On a UNIX socket a close is a reset where something has
//! been left unread, and nothing else makes it one. So the last byte of what such an end
//! has said is handed on and left where it is, until more comes or all has ended well. A
//! socket with a byte in it is ready for ever; what is new is told by
//! [epoll(7)](https://man7.org/linux/man-pages/man7/epoll.7.html), once each time.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{RecvFlags, recv};
use socket2::Socket;

/// Looks, and does not wait.
const NOW: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

const NEWS: EventFlags = EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::ET);

/// What has been read of one end.
#[derive(Debug)]
pub(super) struct Reader {
    /// Tells what is new on a UNIX socket.
    news: Option<OwnedFd>,
    /// Bytes that have been handed on and are still there: one, or none.
    kept: usize,
}

impl Reader {
    pub(super) fn of(socket: &Socket) -> io::Result<Reader> {
        let mut news = None;
        if socket.local_addr()?.is_unix() {
            let epoll = epoll::create(CreateFlags::CLOEXEC)?;
            epoll::add(&epoll, socket, EventData::new_u64(0), NEWS)?;
            news = Some(epoll);
        }
        Ok(Reader { news, kept: 0 })
    }

    /// What is readable when there is something to read.
    pub(super) fn readable<'a>(&'a self, socket: &'a Socket) -> BorrowedFd<'a> {
        self.news.as_ref().map_or(socket.as_fd(), AsFd::as_fd)
    }

    /// As read(2): nothing is the end.
    pub(super) fn read<'b>(
        &mut self,
        mut socket: &Socket,
        buf: &'b mut [u8],
    ) -> io::Result<&'b [u8]> {
        let Some(epoll) = &self.news else {
            let n = socket.read(buf)?;
            return Ok(&buf[..n]);
        };
        epoll::wait(
            epoll,
            &mut [epoll::Event { flags: NEWS, data: EventData::new_u64(0) }],
            Some(&NOW),
        )?;
        // Before the look: then what it finds is all that there will be.
        let ended = poll(&mut [PollFd::new(socket, PollFlags::RDHUP)], Some(&NOW))? > 0;
        let (_, n) = recv(socket, &mut *buf, RecvFlags::PEEK)?;
        if n == self.kept {
            return match socket.take_error()? {
                Some(error) => Err(error),
                None if ended => Ok(&[]),
                None => Err(ErrorKind::WouldBlock.into()),
            };
        }
        if n == buf.len() || ended {
            // There is more to be told of.
            epoll::modify(epoll, socket, EventData::new_u64(0), NEWS)?;
        }
        socket.read_exact(&mut buf[..n - 1])?;
        let fresh = &buf[self.kept..n];
        self.kept = 1;
        Ok(fresh)
    }

    /// A close from here on is an end.
    pub(super) fn leave_nothing(&mut self, mut socket: &Socket) {
        let _ = socket.read(&mut [0; 1][..self.kept]);
        self.kept = 0;
    }
}
