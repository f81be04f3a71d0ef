//! Clients that stay: one, some, a thousand.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use netcore::deadline::{Deadline, TimedStream};

use crate::tcp::{connect, idle};
use crate::{GENEROUS, LIFETIME, Running, Target};

/// Clients that stay: far more than a pool of threads.
const MANY: usize = 1_000;

/// When a connect takes this long, the server's queue is full, and the crowd is
/// complete. A first packet that a busy machine has dropped is sent again after a
/// second.
const QUEUE_IS_FULL: Duration = Duration::from_secs(3);

/// Says hello, has its reply, and stays.
pub(crate) fn second_client(target: &Target) -> io::Result<Running> {
    stay(target, vec![answered(target)?])
}

/// Connects many times. Nobody speaks: a server with fewer places leaves the rest in
/// its queue.
pub(crate) fn many_idle(target: &Target) -> io::Result<Running> {
    let mut streams = Vec::new();
    for _ in 0..MANY {
        match TcpStream::connect_timeout(&target.address, QUEUE_IS_FULL) {
            Ok(stream) => streams.push(stream),
            Err(error) if !streams.is_empty() && is_full(&error) => break,
            Err(error) => return Err(error),
        }
    }
    stay(target, streams)
}

/// One client that has been answered and is silent, and one that has sent half a
/// message. The second one is not served by a server that has only one place.
pub(crate) fn in_conversation(target: &Target) -> io::Result<Running> {
    let first = answered(target)?;
    let mut second = connect(target)?;
    second.write_all(&target.hello[..target.hello.len() / 2])?;
    stay(target, vec![first, second])
}

/// A full queue is silence on Linux and macOS, and a refusal on Windows. A server that
/// serves one client has gone.
fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::TimedOut
            | ErrorKind::WouldBlock
            | ErrorKind::ConnectionRefused
            | ErrorKind::ConnectionReset
    )
}

fn answered(target: &Target) -> io::Result<TcpStream> {
    let stream = connect(target)?;
    let mut timed = TimedStream::new(&stream, Deadline::after(GENEROUS));
    timed.write_all(target.hello)?;
    timed.read_exact(&mut [0; 1])?;
    Ok(stream)
}

fn stay(target: &Target, streams: Vec<TcpStream>) -> io::Result<Running> {
    Running::playing(target.address, streams, |streams| {
        let lifetime = Deadline::after(LIFETIME);
        // One after the other will do: those that are not read yet have nothing to send either.
        streams.iter().try_for_each(|stream| idle(stream, lifetime))
    })
}
