//! A point in time, not a duration per call: a peer that drips one byte at a time
//! cannot stretch it.
//!
//! `set_read_timeout` bounds one call. A loop of such calls is bounded by nothing,
//! since each byte starts the time anew; this is the mistake of nearly every sample
//! that sets a timeout. Here the time that remains until one fixed point is computed
//! before each call.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::shutdown::Shutdown;
use crate::wait;

/// Two socket timeouts nearer than this count as the same, which saves the system call
/// that sets it again. A deadline is late by no more than this.
const SLACK: Duration = Duration::from_millis(1);

/// As good as no limit. More than this from now, as [`Duration::MAX`] is, may be a
/// point that no clock can hold: then `Instant + Duration` panics. For servers that
/// keep their own points in time; [`Deadline`] knows.
pub const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);

/// A point in time by which something has to be done, or never.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Waits for as long as it takes.
    pub const NEVER: Deadline = Deadline(None);

    /// The point `limit` from now. A limit beyond what the clock can hold is
    /// [`Deadline::NEVER`].
    pub fn after(limit: Duration) -> Deadline {
        Deadline(Instant::now().checked_add(limit))
    }

    /// The one that comes first.
    pub fn or_sooner(self, other: Deadline) -> Deadline {
        match (self.0, other.0) {
            (Some(a), Some(b)) => Deadline(Some(a.min(b))),
            (a, b) => Deadline(a.or(b)),
        }
    }

    /// Whether the point has come.
    pub fn has_passed(self) -> bool {
        self.0.is_some_and(|at| at <= Instant::now())
    }

    /// The time that is left, never zero; `None` where there is no limit.
    ///
    /// # Errors
    /// `TimedOut` once the point has come. So a zero is never handed to
    /// `set_read_timeout`, which refuses it.
    pub fn remaining(self) -> io::Result<Option<Duration>> {
        let Some(at) = self.0 else { return Ok(None) };
        match at.checked_duration_since(Instant::now()) {
            Some(left) if !left.is_zero() => Ok(Some(left)),
            _ => Err(ErrorKind::TimedOut.into()),
        }
    }
}

/// What a [`TimedStream`] can wrap: a stream of TCP, and what watches over it.
pub trait Stream {
    /// The stream itself.
    fn stream(&self) -> &TcpStream;

    /// The handle whose stop ends its reads, if there is one.
    fn watched_by(&self) -> Option<&Shutdown>;
}

impl Stream for TcpStream {
    fn stream(&self) -> &TcpStream {
        self
    }

    fn watched_by(&self) -> Option<&Shutdown> {
        None
    }
}

/// A stream whose reads and writes all end at one deadline, however many calls they
/// take.
///
/// Sets SO_RCVTIMEO and SO_SNDTIMEO ([socket(7)](https://man7.org/linux/man-pages/man7/socket.7.html)) to what
/// remains before each call. The socket keeps the last value that was set.
#[derive(Debug)]
pub struct TimedStream<'a> {
    stream: &'a TcpStream,
    watched_by: Option<&'a Shutdown>,
    deadline: Deadline,
    read_timeout: Option<Duration>,
    write_timeout: Option<Duration>,
}

impl<'a> TimedStream<'a> {
    /// Wraps `stream`, which must be in blocking mode. `deadline` holds until another
    /// is set.
    pub fn new(stream: &'a impl Stream, deadline: Deadline) -> TimedStream<'a> {
        let (stream, watched_by) = (stream.stream(), stream.watched_by());
        TimedStream { stream, watched_by, deadline, read_timeout: None, write_timeout: None }
    }

    /// From here on, every call fails with `TimedOut` when `deadline` has passed.
    pub fn set_deadline(&mut self, deadline: Deadline) {
        self.deadline = deadline;
    }

    /// The address of the other end.
    ///
    /// # Errors
    /// As [`TcpStream::peer_addr`].
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.stream.peer_addr()
    }
}

impl Read for TimedStream<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            // For Windows: elsewhere a stop wakes the read itself.
            if wait::stop_ends_read(self.stream, self.watched_by, self.deadline)? {
                return Ok(0);
            }
            let remaining = self.deadline.remaining()?;
            if !nearly_equal(self.read_timeout, remaining) {
                unless_over(self.stream.set_read_timeout(remaining))?;
                self.read_timeout = remaining;
            }
            match self.stream.read(buf) {
                Err(error) if is_socket_timeout(&error) => continue,
                done => return done,
            }
        }
    }
}

impl Write for TimedStream<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        loop {
            let remaining = self.deadline.remaining()?;
            if !nearly_equal(self.write_timeout, remaining) {
                unless_over(self.stream.set_write_timeout(remaining))?;
                self.write_timeout = remaining;
            }
            match self.stream.write(buf) {
                Err(error) if is_socket_timeout(&error) => continue,
                done => return done,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn nearly_equal(set: Option<Duration>, wanted: Option<Duration>) -> bool {
    match (set, wanted) {
        (Some(set), Some(wanted)) => set.abs_diff(wanted) < SLACK,
        (set, wanted) => set == wanted,
    }
}

/// Whether SO_RCVTIMEO or SO_SNDTIMEO has ended a call: WouldBlock on Unix, TimedOut on
/// Windows. Whether the deadline has come, the clock says.
///
/// On Unix, TimedOut is another thing: the system has given the connection up, since
/// the peer's machine has gone. It says so once, and after that it looks like an end of
/// the stream.
pub fn is_socket_timeout(error: &io::Error) -> bool {
    error.kind() == if cfg!(windows) { ErrorKind::TimedOut } else { ErrorKind::WouldBlock }
}

/// What setting a timeout of a socket said, unless the connection is over.
///
/// macOS lets no option be set once both directions have ended. No call can block any
/// more then, so it needs no limit, and says itself what there is: data, the end of the
/// stream or an error.
///
/// # Errors
/// Every other one.
pub fn unless_over(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(error) if cfg!(target_vendor = "apple") && error.kind() == ErrorKind::InvalidInput => {
            Ok(())
        }
        set => set,
    }
}

#[cfg(test)]
mod tests {
    use std::iter;
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Short beside [`GENEROUS`], so that a deadline which did not work could not be
    /// mistaken for a slow machine.
    const SHORT: Duration = Duration::from_millis(200);
    const GENEROUS: Duration = Duration::from_secs(20);

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    #[track_caller]
    fn assert_timed_out(result: io::Result<()>, started: Instant) {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::TimedOut);
        let took = started.elapsed();
        assert!(took >= SHORT && took < GENEROUS, "{took:?}");
    }

    #[test]
    fn a_peer_that_sends_nothing_meets_the_deadline() {
        let (_silent, stream) = pair();
        let started = Instant::now();
        let mut timed = TimedStream::new(&stream, Deadline::after(SHORT));
        assert_timed_out(timed.read_exact(&mut [0; 1]), started);
    }

    #[test]
    fn a_peer_that_drips_bytes_cannot_stretch_the_deadline() {
        let (mut dripping, stream) = pair();
        thread::spawn(move || {
            // Ends when the other side has closed. A byte every 20 ms would renew a timeout of 200
            // ms for ever.
            while dripping.write_all(b".").is_ok() {
                thread::sleep(SHORT / 10);
            }
        });
        let started = Instant::now();
        let mut timed = TimedStream::new(&stream, Deadline::after(SHORT));
        assert_timed_out(timed.read_exact(&mut vec![0; 1 << 20]), started);
    }

    #[test]
    fn a_peer_that_never_reads_meets_the_deadline() {
        let (_deaf, stream) = pair();
        let started = Instant::now();
        let mut timed = TimedStream::new(&stream, Deadline::after(SHORT));
        // In pieces: Windows takes one write of any size at once.
        let ended = iter::repeat_with(|| timed.write_all(&[0; 64 << 10])).find(io::Result::is_err);
        assert_timed_out(ended.unwrap(), started);
    }

    #[test]
    fn a_deadline_that_has_passed_is_an_error_and_no_zero_timeout() {
        let (mut other, stream) = pair();
        other.write_all(b"here").unwrap();
        let mut timed = TimedStream::new(&stream, Deadline::after(Duration::ZERO));
        assert_eq!(timed.read(&mut [0; 4]).unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(timed.write(b"x").unwrap_err().kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn a_later_deadline_takes_the_place_of_the_first() {
        let (mut other, stream) = pair();
        let mut timed = TimedStream::new(&stream, Deadline::after(SHORT));
        assert!(timed.read(&mut [0; 1]).is_err());
        timed.set_deadline(Deadline::NEVER);
        other.write_all(b"!").unwrap();
        assert_eq!(timed.read(&mut [0; 1]).unwrap(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_connection_that_the_system_gave_up_is_an_error_and_no_timeout_of_the_socket() {
        assert!(is_socket_timeout(&ErrorKind::WouldBlock.into()));
        assert!(!is_socket_timeout(&ErrorKind::TimedOut.into()));
    }

    #[test]
    fn never_comes_after_every_other_deadline() {
        let soon = Deadline::after(SHORT);
        assert_eq!(Deadline::NEVER.or_sooner(soon), soon);
        assert_eq!(soon.or_sooner(Deadline::NEVER), soon);
        assert_eq!(soon.or_sooner(Deadline::after(GENEROUS)), soon);
        assert_eq!(Deadline::after(Duration::MAX), Deadline::NEVER);
        assert!(!Deadline::NEVER.has_passed());
    }
}
