//! Clients that stay: one, some, a thousand.

use std::io::{self, ErrorKind};
use std::time::Duration;

use netcore::unix::Name;

use super::{ANY, TCP, crowded, datagrams, fault};
use crate::Proof::ClientServed;
use crate::peer::{answered, stay};
use crate::{Fault, Running, Target, Transport};

/// Clients that stay: far more than a pool of threads.
pub(super) const MANY: usize = 1_000;

/// When a connect takes this long, the server's queue is full, and the crowd is
/// complete. A first packet that a busy machine has dropped is sent again after a
/// second.
const QUEUE_IS_FULL: Duration = Duration::from_secs(3);

/// Says hello, has its reply, and stays.
pub const SECOND_CLIENT: Fault = fault(
    "second-client",
    "a client that has been answered and stays, idle",
    ANY,
    ClientServed,
    second_client,
);

fn second_client(target: &Target) -> io::Result<Running> {
    match target.speaks.transport() {
        Transport::Tcp => stay(target, vec![answered(target)?]),
        Transport::Udp => datagrams::second_client(target),
    }
}

/// Connects many times. Nobody speaks: a server with fewer places leaves the rest in
/// its queue.
pub const MANY_IDLE: Fault = crowded(
    fault("many-idle", "1,000 clients that stay connected, idle", TCP, ClientServed, many_idle),
    MANY,
);

pub(super) fn many_idle(target: &Target) -> io::Result<Running> {
    let mut streams = Vec::new();
    for _ in 0..MANY {
        match target.address.connect(QUEUE_IS_FULL, Name::Own) {
            Ok(stream) => streams.push(stream),
            Err(error) if !streams.is_empty() && is_full(&error) => break,
            Err(error) => return Err(error),
        }
    }
    stay(target, streams)
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
