//! poll(2): wait for a socket, a stop or a deadline, whichever is first.
//!
//! A blocked accept or receive does not end for a stop: after a signal it is begun
//! anew. And std can set no deadline for accept.
//! Waiting in [poll(2)](https://man7.org/linux/man-pages/man2/poll.2.html) (WSAPoll on Windows) ends for all
//! three, and a server that waits there uses no processor time.

use std::io;
use std::net::TcpStream;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::AsFd;
use rustix::io::Errno;

use crate::deadline::Deadline;
use crate::shutdown::Shutdown;

/// What ended a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Waited {
    /// One of the sockets has something to read, or an error to tell.
    Ready,
    /// The process has been told to stop.
    Stopping,
    /// The deadline has passed.
    TimedOut,
}

/// Waits until `socket` can be read (or accepted from), a stop begins or the deadline
/// passes.
///
/// With several threads in this call on one socket, all of them wake; so the call that
/// follows must not block.
///
/// # Errors
/// Only what the system says of the wait itself, such as a shortage of memory.
pub fn readable(socket: &impl AsFd, shutdown: &Shutdown, deadline: Deadline) -> io::Result<Waited> {
    loop {
        if shutdown.is_stopping() {
            return Ok(Waited::Stopping);
        }
        let Ok(remaining) = deadline.remaining() else { return Ok(Waited::TimedOut) };
        let mut fds =
            [PollFd::new(socket, PollFlags::IN), PollFd::new(shutdown.waker(), PollFlags::IN)];
        match poll(&mut fds, remaining.map(timespec).as_ref()) {
            Ok(_) if !fds[0].revents().is_empty() && !shutdown.is_stopping() => {
                return Ok(Waited::Ready);
            }
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// As [`readable`] for several sockets and without a deadline: the place of one that
/// can be read, or `None` when a stop begins.
///
/// # Errors
/// As [`readable`].
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

/// Whether a stop has ended the reading of `stream`; otherwise a read may be tried.
///
/// On Windows a blocked read sleeps on, whatever is done to its socket short of closing
/// it: so this waits in WSAPoll until there is something to read. Elsewhere a stop
/// wakes the read itself, and there is nothing to wait for.
///
/// # Errors
/// `TimedOut` when the deadline passes first, and as [`readable`].
#[cfg(windows)]
pub(crate) fn stop_ends_read(
    stream: &TcpStream,
    shutdown: Option<&Shutdown>,
    deadline: Deadline,
) -> io::Result<bool> {
    let Some(shutdown) = shutdown else { return Ok(false) };
    match readable(stream, shutdown, deadline)? {
        Waited::Ready => Ok(false),
        Waited::Stopping => Ok(true),
        Waited::TimedOut => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(not(windows))]
pub(crate) fn stop_ends_read(_: &TcpStream, _: Option<&Shutdown>, _: Deadline) -> io::Result<bool> {
    Ok(false)
}

/// Waits until `pause` is over or a stop begins.
///
/// # Errors
/// As [`readable`].
pub fn pause(pause: Duration, shutdown: &Shutdown) -> io::Result<()> {
    let deadline = Deadline::after(pause);
    while let (false, Ok(remaining)) = (shutdown.is_stopping(), deadline.remaining()) {
        let mut fds = [PollFd::new(shutdown.waker(), PollFlags::IN)];
        match poll(&mut fds, remaining.map(timespec).as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn timespec(duration: Duration) -> Timespec {
    // Systems without ppoll(2) take milliseconds in an i32; a longer wait is only cut into
    // several.
    let whole = duration.min(Duration::from_secs(24 * 60 * 60));
    // Under 10^9, which fits in 32 bits: C's long, which this is, has no more on Windows.
    Timespec { tv_sec: whole.as_secs() as i64, tv_nsec: whole.subsec_nanos() as _ }
}
