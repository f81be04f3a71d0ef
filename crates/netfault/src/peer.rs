//! What the faults over TCP have in common: a connection to the target, and a deadline
//! for everything that is done on it.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use netcore::deadline::Deadline;
use socket2::SockRef;

use crate::{GENEROUS, LIFETIME, Running, Target};

/// A stream whose reads and writes all end at one deadline. A guard can end it meanwhile
/// from its own thread, so it is borrowed.
pub(crate) struct Until<'a> {
    stream: &'a TcpStream,
    deadline: Deadline,
}

impl<'a> Until<'a> {
    pub(crate) fn new(stream: &'a TcpStream, deadline: Deadline) -> Until<'a> {
        Until { stream, deadline }
    }

    fn call<T>(
        &mut self,
        set: fn(&TcpStream, Option<Duration>) -> io::Result<()>,
        mut call: impl FnMut(&mut &'a TcpStream) -> io::Result<T>,
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
        self.call(TcpStream::set_read_timeout, |stream| stream.read(buf))
    }
}

impl Write for Until<'_> {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.call(TcpStream::set_write_timeout, |stream| stream.write(buf))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

pub(crate) fn connect(target: &Target) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&target.address, GENEROUS)?;
    // A small write goes out as it is, and not together with the next one.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A client that has said hello and has the beginning of its reply.
pub(crate) fn answered(target: &Target) -> io::Result<TcpStream> {
    let stream = connect(target)?;
    let mut timed = Until::new(&stream, Deadline::after(GENEROUS));
    timed.write_all(target.hello)?;
    timed.read_exact(&mut [0; 1])?;
    Ok(stream)
}

/// Sends nothing and throws away what comes, until the server closes or `deadline` has
/// passed.
pub(crate) fn idle(stream: &TcpStream, deadline: Deadline) -> io::Result<()> {
    io::copy(&mut Until::new(stream, deadline), &mut io::sink())?;
    Ok(())
}

/// Plays on one stream in a thread of its own.
pub(crate) fn play(
    target: &Target,
    stream: TcpStream,
    on: impl Fn(&TcpStream) -> io::Result<()> + Send + 'static,
) -> io::Result<Running> {
    Running::playing(target.address, vec![stream], move |streams| streams.iter().try_for_each(on))
}

/// Clients that are silent from here on.
pub(crate) fn stay(target: &Target, streams: Vec<TcpStream>) -> io::Result<Running> {
    Running::playing(target.address, streams, |streams| {
        let lifetime = Deadline::after(LIFETIME);
        // One after the other will do: those that are not read yet have nothing to send either.
        streams.iter().try_for_each(|stream| idle(stream, lifetime))
    })
}

/// With a linger time of zero a close is a reset, in both directions and at once.
pub(crate) fn reset_on_close(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}
