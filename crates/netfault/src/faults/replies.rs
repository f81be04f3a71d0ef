//! Clients whose bytes come in an unusual way, and are due their answers all the same.

use std::io::{self, Write};
use std::net::Shutdown;

use netcore::deadline::Deadline;
use netcore::error::reason;

use super::{READABLE, TCP, fault};
use crate::Proof::{Answered, MessagesApart};
use crate::answer::{judge, read_to_end};
use crate::peer::connect;
use crate::stream::{Stream, name};
use crate::until::Until;
use crate::{Fault, GENEROUS, Running, Target};

/// Sends hello, closes its sending side and reads to the end.
pub const HALF_CLOSE: Fault = fault(
    "half-close",
    "a client that sends, closes its sending side, and then reads",
    READABLE,
    Answered,
    half_close,
);

fn half_close(target: &Target) -> io::Result<Running> {
    converse(target, 1, |timed| timed.write_all(target.hello))
}

/// Sends each byte of hello in a segment of its own.
pub const ONE_BYTE_SEGMENTS: Fault = fault(
    "one-byte-segments",
    "a message of which each byte comes by itself",
    TCP,
    Answered,
    one_byte_segments,
);

fn one_byte_segments(target: &Target) -> io::Result<Running> {
    // TCP_NODELAY is set, so each write is sent at once.
    converse(target, 1, |timed| target.hello.iter().try_for_each(|byte| timed.write_all(&[*byte])))
}

/// Sends hello twice in one write.
pub const COALESCED: Fault = fault(
    "coalesced",
    "two messages that arrive in one segment",
    READABLE,
    MessagesApart(2),
    coalesced,
);

fn coalesced(target: &Target) -> io::Result<Running> {
    converse(target, 2, |timed| timed.write_all(&target.hello.repeat(2)))
}

fn converse(
    target: &Target,
    answers: usize,
    say: impl Fn(&mut Until) -> io::Result<()>,
) -> io::Result<Running> {
    let stream = connect(target)?;
    let peer = name(&stream)?;
    let verdict = match listen_after(&stream, say) {
        Ok((reply, None)) => judge(target, &reply, answers),
        Ok((reply, Some(error))) => {
            Err(format!("got {} bytes back and no end of stream: {}", reply.len(), reason(&error)))
        }
        Err(error) => Err(format!("could not say everything: {}", reason(&error))),
    };
    Ok(Running::judged(&target.address, vec![peer], verdict))
}

/// Says something, closes the sending side, and reads to the end: the bytes, and what
/// came instead of the end.
pub(crate) fn listen_after(
    stream: &Stream,
    say: impl Fn(&mut Until) -> io::Result<()>,
) -> io::Result<(Vec<u8>, Option<io::Error>)> {
    let mut timed = Until::new(stream, Deadline::after(GENEROUS));
    say(&mut timed)?;
    stream.shutdown(Shutdown::Write)?;
    Ok(read_to_end(&mut timed))
}
