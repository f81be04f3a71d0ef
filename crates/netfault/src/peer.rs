//! What the faults have in common: a connection to the target, and what is done on it.

use std::io::{self, Read, Write};

use netcore::deadline::Deadline;
use netcore::unix::Name;

use crate::stream::Stream;
use crate::until::Until;
use crate::{GENEROUS, LIFETIME, Running, Target};

/// A small write goes out as it is, and not together with the next one.
pub(crate) fn connect(target: &Target) -> io::Result<Stream> {
    target.address.connect(GENEROUS, Name::Own)
}

/// A client that has said hello and has the beginning of its reply.
pub(crate) fn answered(target: &Target) -> io::Result<Stream> {
    let stream = connect(target)?;
    let mut timed = Until::new(&stream, Deadline::after(GENEROUS));
    timed.write_all(target.hello)?;
    timed.read_exact(&mut [0; 1])?;
    Ok(stream)
}

/// Sends nothing and throws away what comes, until the server closes or `deadline` has
/// passed.
pub(crate) fn idle(stream: &Stream, deadline: Deadline) -> io::Result<()> {
    io::copy(&mut Until::new(stream, deadline), &mut io::sink())?;
    Ok(())
}

/// Plays on one stream in a thread of its own.
pub(crate) fn play(
    target: &Target,
    stream: Stream,
    on: impl Fn(&Stream) -> io::Result<()> + Send + 'static,
) -> io::Result<Running> {
    Running::playing(&target.address, vec![stream], move |streams| streams.iter().try_for_each(on))
}

/// Clients that are silent from here on.
pub(crate) fn stay(target: &Target, streams: Vec<Stream>) -> io::Result<Running> {
    Running::playing(&target.address, streams, |streams| {
        let lifetime = Deadline::after(LIFETIME);
        // One after the other will do: those that are not read yet have nothing to send either.
        streams.iter().try_for_each(|stream| idle(stream, lifetime))
    })
}
