//! poll(2): wait for a socket, a stop or a deadline, whichever is first.
//!
//! A blocked accept or read does not end for a stop: after a signal it is begun anew.
//! And std can set no deadline for accept. Waiting in
//! [poll(2)](https://man7.org/linux/man-pages/man2/poll.2.html) (WSAPoll on Windows)
//! ends for all three, and a server that waits there uses no processor time.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;

use crate::deadline::Deadline;
use crate::shutdown::Shutdown;

/// What a socket is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// Bytes, the end of the stream, a client to accept, or an error to tell.
    Reading,
    /// Room for bytes, or an error to tell.
    Writing,
    /// Whichever comes first.
    Both,
}

impl From<Interest> for PollFlags {
    fn from(interest: Interest) -> PollFlags {
        match interest {
            Interest::Reading => PollFlags::IN,
            Interest::Writing => PollFlags::OUT,
            Interest::Both => PollFlags::IN | PollFlags::OUT,
        }
    }
}

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// The socket is ready, or has an error to tell.
    Ready,
    /// The process has been told to stop, and the socket is not ready.
    Stopping,
    /// The deadline has passed.
    TimedOut,
}

/// Waits until `socket` is ready, a stop begins (where there is a `shutdown`) or the
/// deadline passes.
///
/// With several threads in this call on one socket, all of them wake; so the call that
/// follows must not block. A deadline that has passed comes before everything else, and
/// a socket that is ready before a stop.
///
/// # Errors
/// Only what the system says of the wait itself, such as a shortage of memory.
pub fn ready(
    socket: &impl AsFd,
    interest: Interest,
    shutdown: Option<&Shutdown>,
    deadline: Deadline,
) -> io::Result<Waited> {
    let waiting = PollFd::new(socket, interest.into());
    match shutdown {
        Some(shutdown) => {
            let stopped = PollFd::new(shutdown.waker(), PollFlags::IN);
            poll_until(&mut [waiting, stopped], deadline)
        }
        None => poll_until(&mut [waiting], deadline),
    }
}

/// Whether `socket` is ready now, without a wait.
///
/// # Errors
/// As [`ready`].
pub fn is_ready(socket: &impl AsFd, interest: Interest) -> io::Result<bool> {
    let mut fds = [PollFd::new(socket, interest.into())];
    match poll(&mut fds, Some(&timespec(Duration::ZERO))) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::INTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether the peer has ended its side, or reset the connection, and everything that it has
/// said before has been read. A reset is told once, and that was here.
pub fn has_left(stream: &TcpStream) -> bool {
    let is_ready = is_ready(stream, Interest::Reading).unwrap_or(false);
    is_ready && !matches!(stream.peek(&mut [0]), Ok(1..))
}

/// Waits until `pause` is over or a stop begins.
///
/// # Errors
/// As [`ready`].
pub fn pause(pause: Duration, shutdown: &Shutdown) -> io::Result<()> {
    until_stop(shutdown, Deadline::after(pause))
}

/// Waits until a stop begins or the deadline passes.
///
/// # Errors
/// As [`ready`].
pub fn until_stop(shutdown: &Shutdown, deadline: Deadline) -> io::Result<()> {
    poll_until(&mut [PollFd::new(shutdown.waker(), PollFlags::IN)], deadline).map(drop)
}

/// As [`ready`] for several sockets and without a deadline: the place of one that can be
/// read, or `None` when a stop begins.
///
/// # Errors
/// As [`ready`].
pub fn first_readable(sockets: &[impl AsFd], shutdown: &Shutdown) -> io::Result<Option<usize>> {
    let mut fds = vec![PollFd::new(shutdown.waker(), PollFlags::IN)];
    fds.extend(sockets.iter().map(|socket| PollFd::new(socket, PollFlags::IN)));
    loop {
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        if shutdown.is_stopping() {
            return Ok(None);
        }
        if let Some(place) = fds[1..].iter().position(|fd| !fd.revents().is_empty()) {
            return Ok(Some(place));
        }
    }
}

/// As [`ready`] for many sockets, each with what it is waited for: which of them are
/// ready, in their order. All are looked at, even where the deadline has passed.
///
/// # Errors
/// As [`ready`].
pub fn which<'a>(
    mut sockets: Vec<PollFd<'a>>,
    shutdown: Option<&'a Shutdown>,
    deadline: Deadline,
) -> io::Result<Vec<bool>> {
    let count = sockets.len();
    sockets.extend(shutdown.map(|shutdown| PollFd::new(shutdown.waker(), PollFlags::IN)));
    loop {
        match poll(&mut sockets, deadline.patience().map(timespec).as_ref()) {
            Ok(_) => break,
            // A signal came first: nobody has been asked.
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(sockets[..count].iter().map(|socket| !socket.revents().is_empty()).collect())
}

/// The first of `fds` is what is waited for, the others what else may end the wait.
fn poll_until(fds: &mut [PollFd<'_>], deadline: Deadline) -> io::Result<Waited> {
    loop {
        let Ok(remaining) = deadline.remaining() else { return Ok(Waited::TimedOut) };
        match poll(fds, remaining.map(timespec).as_ref()) {
            // The time is over, or a part of a long one.
            Ok(0) | Err(Errno::INTR) => {}
            Ok(_) if !fds[0].revents().is_empty() => return Ok(Waited::Ready),
            Ok(_) => return Ok(Waited::Stopping),
            Err(error) => return Err(error.into()),
        }
    }
}

/// As poll(2) takes it.
pub fn timespec(duration: Duration) -> Timespec {
    // Systems without ppoll(2) take milliseconds in an i32; a longer wait is only cut
    // into several.
    let whole = duration.min(Duration::from_secs(24 * 60 * 60));
    // Under 10^9, which fits in 32 bits: C's long, which this is, has no more on
    // Windows.
    Timespec { tv_sec: whole.as_secs() as i64, tv_nsec: whole.subsec_nanos() as _ }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn of_many_sockets_those_that_are_ready_are_told_in_their_order() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (stream, _) = listener.accept().unwrap();
        let shutdown = Shutdown::new(Duration::ZERO).unwrap();
        let which = |shutdown: Option<&Shutdown>, deadline| {
            let sockets = [&stream, &client].map(|socket| PollFd::new(socket, PollFlags::IN));
            super::which(sockets.into(), shutdown, deadline).unwrap()
        };
        let passed = Deadline::after(Duration::ZERO);
        assert_eq!(which(Some(&shutdown), passed), [false, false]);
        (&client).write_all(b"x").unwrap();
        assert_eq!(which(Some(&shutdown), Deadline::NEVER), [true, false]);
        assert_eq!(which(None, passed), [true, false]);
        shutdown.stop();
        // A stop ends the wait, and is none of the sockets.
        let sockets = vec![PollFd::new(&client, PollFlags::IN)];
        assert_eq!(super::which(sockets, Some(&shutdown), Deadline::NEVER).unwrap(), [false]);
    }
}
