//! Clients that stay: one, some, a thousand.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

use netcore::deadline::Deadline;
use netcore::unix::Name;

use super::{ANY, PAGES, TCP, crowded, datagrams, fault};
use crate::Proof::ClientServed;
use crate::peer::{answered, stay};
use crate::stream::Stream;
use crate::{Fault, LIFETIME, Running, Target, Transport};

/// Clients that stay: far more than a pool of threads.
pub(super) const MANY: usize = 1_000;

/// More than a machine has threads for.
const VERY_MANY: usize = 10_000;

/// Between two bytes of each client that drips: well within any idle limit.
const BETWEEN_BYTES: Duration = Duration::from_secs(1);

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
    stay(target, crowd(target, MANY)?)
}

/// The same, where a server may have an answer even to so many.
pub const VERY_MANY_IDLE: Fault = crowded(
    fault("very-many-idle", "10,000 clients that stay, idle", PAGES, ClientServed, very_many_idle),
    VERY_MANY,
);

fn very_many_idle(target: &Target) -> io::Result<Running> {
    stay(target, crowd(target, VERY_MANY)?)
}

/// Sends a request byte by byte, on so many connections.
pub const VERY_MANY_DRIP: Fault = crowded(
    fault(
        "very-many-drip",
        "10,000 clients that send a byte now and then",
        PAGES,
        ClientServed,
        very_many_drip,
    ),
    VERY_MANY,
);

fn very_many_drip(target: &Target) -> io::Result<Running> {
    let streams = crowd(target, VERY_MANY)?;
    let bytes = target.hello.to_vec();
    Running::playing(&target.address, streams, move |streams| {
        let lifetime = Deadline::after(LIFETIME);
        for byte in bytes {
            let dripped = streams.iter().filter(|stream| drips(stream, byte)).count();
            if dripped == 0 {
                return Ok(());
            }
            lifetime.remaining()?;
            // The pause is the drip itself.
            thread::sleep(BETWEEN_BYTES);
        }
        // All that there is to say has been taken.
        Err(ErrorKind::TimedOut.into())
    })
}

/// Whether the server still takes it: of so many, some are closed sooner than others.
fn drips(mut stream: &Stream, byte: u8) -> bool {
    stream.write_all(&[byte]).is_ok()
}

/// So many connections, or as many as the server and its queue take.
fn crowd(target: &Target, clients: usize) -> io::Result<Vec<Stream>> {
    let mut streams = Vec::new();
    for _ in 0..clients {
        match target.address.connect(QUEUE_IS_FULL, Name::Own) {
            Ok(stream) => streams.push(stream),
            Err(error) if !streams.is_empty() && is_full(&error) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(streams)
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
