//! Clients whose bytes come in an unusual way, and are due their answers all the same.

use std::io::{self, Write};
use std::net::{Shutdown, TcpStream};

use netcore::deadline::{Deadline, TimedStream};
use netcore::error::reason;

use crate::answer::{judge, read_to_end};
use crate::tcp::connect;
use crate::{GENEROUS, Running, Target};

/// Sends hello, closes its sending side and reads to the end.
pub(crate) fn half_close(target: &Target) -> io::Result<Running> {
    converse(target, 1, |timed| timed.write_all(target.hello))
}

/// Sends each byte of hello in a segment of its own.
pub(crate) fn one_byte_segments(target: &Target) -> io::Result<Running> {
    // TCP_NODELAY is set, so each write is sent at once.
    converse(target, 1, |timed| target.hello.iter().try_for_each(|byte| timed.write_all(&[*byte])))
}

/// Sends hello twice in one write.
pub(crate) fn coalesced(target: &Target) -> io::Result<Running> {
    converse(target, 2, |timed| timed.write_all(&target.hello.repeat(2)))
}

fn converse(
    target: &Target,
    answers: usize,
    say: impl Fn(&mut TimedStream) -> io::Result<()>,
) -> io::Result<Running> {
    let stream = connect(target)?;
    let peer = stream.local_addr()?;
    let verdict = match listen_after(&stream, say) {
        Ok((reply, None)) => judge(target, &reply, answers),
        Ok((reply, Some(error))) => {
            Err(format!("got {} bytes back and no end of stream: {}", reply.len(), reason(&error)))
        }
        Err(error) => Err(format!("could not say everything: {}", reason(&error))),
    };
    Ok(Running::judged(target.address, vec![peer], verdict))
}

/// Says something, closes the sending side, and reads to the end: the bytes, and what
/// came instead of the end.
pub(crate) fn listen_after(
    stream: &TcpStream,
    say: impl Fn(&mut TimedStream) -> io::Result<()>,
) -> io::Result<(Vec<u8>, Option<io::Error>)> {
    let mut timed = TimedStream::new(stream, Deadline::after(GENEROUS));
    say(&mut timed)?;
    stream.shutdown(Shutdown::Write)?;
    Ok(read_to_end(&mut timed))
}
