//! What the faults over TCP have in common: a connection to the target, and what is done
//! on it.

use std::io::{self, Read, Write};
use std::net::TcpStream;

use crate::until::Until;
use crate::{GENEROUS, LIFETIME, Running, Target};
use netcore::deadline::Deadline;

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
