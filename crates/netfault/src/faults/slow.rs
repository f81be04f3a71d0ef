//! Clients that hold a server for as long as it lets them.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

use netcore::deadline::Deadline;

use super::ending::message;
use super::inside::Inside;
use super::{TCP, fault};
use crate::Proof::Dropped;
use crate::peer::{connect, connect_with_little_room, idle, play};
use crate::stream::Stream;
use crate::until::Until;
use crate::{Fault, LIFETIME, Running, Speaks, Target};

/// Between two bytes of a dripping client: well within any idle limit that a server is
/// given.
const BETWEEN_BYTES: Duration = Duration::from_millis(100);

/// What a client sends at once that never reads. It is stopped long before, once the
/// buffers on the way are full.
const FLOOD: usize = 256 << 20;

/// Connects, and that is all.
pub const SILENT: Fault =
    fault("silent", "a client that connects and never sends", TCP, Dropped, silent);

fn silent(target: &Target) -> io::Result<Running> {
    play(target, connect(target)?, |stream| idle(stream, Deadline::after(LIFETIME)))
}

/// Sends hello byte by byte, again and again, and never closes. Where all hear what one
/// says, whoever says it so slowly does nothing wrong: there it is a name that never ends.
pub const DRIP: Fault =
    fault("drip", "a client that sends a byte now and then, for ever", TCP, Dropped, drip);

fn drip(target: &Target) -> io::Result<Running> {
    let mut bytes = target.hello.to_vec();
    if target.speaks == Speaks::Lines {
        bytes.retain(|&byte| byte != b'\n');
    }
    play(target, connect(target)?, move |mut stream| {
        let lifetime = Deadline::after(LIFETIME);
        for byte in bytes.iter().cycle() {
            stream.write_all(&[*byte])?;
            // The pause is spent reading, so that the server's close ends it at once.
            match idle(stream, lifetime.or_sooner(Deadline::after(BETWEEN_BYTES))) {
                Err(error) if error.kind() == ErrorKind::TimedOut && !lifetime.has_passed() => {}
                done => return done,
            }
        }
        Ok(())
    })
}

/// Sends hello again and again and leaves the replies where they are.
pub const NEVER_READS: Fault = fault(
    "never-reads",
    "a client that sends for ever and never reads the replies",
    TCP,
    Dropped,
    never_reads,
);

fn never_reads(target: &Target) -> io::Result<Running> {
    // A server is held up sooner by long messages and little room, also one that is slow.
    let message = message(target)?;
    let first = target.hello.to_vec();
    let deaf = connect_with_little_room(target)?;
    if target.speaks.is_encrypted() {
        let own = deaf.try_clone()?;
        let mut inside = Inside::enter(target, own, LIFETIME)?;
        return Running::playing(&target.address, vec![deaf], move |_| {
            endlessly(&mut inside, &message)
        });
    }
    play(target, deaf, move |stream| {
        Until::new(stream, Deadline::after(LIFETIME)).write_all(&first)?;
        flood(stream, &message)
    })
}

/// Sends `message` again and again, until the server or the guard ends it.
pub(super) fn flood(stream: &Stream, message: &[u8]) -> io::Result<()> {
    endlessly(&mut Until::new(stream, Deadline::after(LIFETIME)), message)
}

fn endlessly(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    (0..FLOOD / message.len().max(1)).try_for_each(|_| stream.write_all(message))?;
    // A server that has taken all of it closes in stages just now, or it lets everything in. What
    // is sent from here on tells, until the time of the stream is over.
    loop {
        thread::sleep(BETWEEN_BYTES);
        stream.write_all(message)?;
    }
}

/// The same in TLS, by a client that is let in.
pub(super) fn flood_inside(target: &Target, stream: &Stream) -> io::Result<()> {
    let mut inside = Inside::enter(target, stream.try_clone()?, LIFETIME)?;
    endlessly(&mut inside, &message(target)?)
}
