//! Clients that come, go and break off.

use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;

use netcore::deadline::Deadline;
use netcore::wait::{Interest, Waited, ready};

use super::{ANY, RESET, TCP, datagrams, fault};
use crate::Proof::ClientServed;
use crate::peer::{connect, idle, play};
use crate::random::Random;
use crate::reset::reset_on_close;
use crate::stream::{Stream, name};
use crate::until::Until;
use crate::{Address, Fault, GENEROUS, LIFETIME, Running, Target, Transport};

/// Clients that come and go, one after the other.
const VISITORS: usize = 100;

/// Bytes of noise.
const NOISE: usize = 4096;

/// Says hello, reads the reply to the end and closes.
pub const SECOND_VISIT: Fault = fault(
    "second-visit",
    "a client that came and went before the ordinary one",
    TCP,
    ClientServed,
    second_visit,
);

fn second_visit(target: &Target) -> io::Result<Running> {
    let stream = connect(target)?;
    let mut timed = Until::new(&stream, Deadline::after(GENEROUS));
    timed.write_all(target.hello)?;
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut timed, &mut io::sink())?;
    Ok(Running::over(&target.address, name(&stream)?))
}

/// Connects and closes, again and again.
pub const CONNECT_CLOSE: Fault =
    fault("connect-close", "100 clients that connect and close", TCP, ClientServed, connect_close);

fn connect_close(target: &Target) -> io::Result<Running> {
    visitors(target, |_| Ok(()))
}

/// Connects and resets, again and again: faster than the server accepts, so that some
/// are gone by then. There is none on a UNIX socket, where that would be `connect-close`.
pub const RESET_BEFORE_ACCEPT: Fault = fault(
    "reset-before-accept",
    "100 clients that connect and reset, some before they are accepted, as only TCP lets them",
    RESET,
    ClientServed,
    reset_before_accept,
);

fn reset_before_accept(target: &Target) -> io::Result<Running> {
    visitors(target, reset_on_close)
}

/// Sends the first half of hello and resets the connection.
pub const RESET_MIDWAY: Fault = fault(
    "reset-midway",
    "a client that breaks off in the middle of a message",
    TCP,
    ClientServed,
    reset_midway,
);

fn reset_midway(target: &Target) -> io::Result<Running> {
    let mut stream = connect(target)?;
    stream.write_all(&target.hello[..target.hello.len() / 2])?;
    let peer = name(&stream)?;
    reset_on_close(&stream)?;
    if matches!(target.address, Address::Unix(_)) {
        // There only what is left unread makes a reset of the close: the server's first words.
        match ready(&stream, Interest::Reading, None, Deadline::after(GENEROUS))? {
            Waited::Ready => {}
            Waited::Stopping | Waited::TimedOut => return Err(ErrorKind::TimedOut.into()),
        }
    }
    drop(stream);
    Ok(Running::over(&target.address, peer))
}

/// Sends bytes that mean nothing, the same for the same seed, and reads what comes
/// back.
pub const RANDOM_BYTES: Fault =
    fault("random-bytes", "a client that sends noise", ANY, ClientServed, random_bytes);

fn random_bytes(target: &Target) -> io::Result<Running> {
    if target.speaks.transport() == Transport::Udp {
        return datagrams::random_bytes(target);
    }
    let noise = Random::new(target.seed).noise(NOISE);
    play(target, connect(target)?, move |stream| {
        let deadline = Deadline::after(LIFETIME);
        Until::new(stream, deadline).write_all(&noise)?;
        stream.shutdown(Shutdown::Write)?;
        idle(stream, deadline)
    })
}

/// A server that serves one client and ends refuses the later ones, which is no failure
/// of theirs.
fn visitors(target: &Target, leave: fn(&Stream) -> io::Result<()>) -> io::Result<Running> {
    let mut peers: Vec<String> = Vec::new();
    for number in 0..VISITORS {
        match connect(target) {
            Ok(stream) => {
                peers.push(name(&stream)?);
                leave(&stream)?;
            }
            Err(error) if number == 0 => return Err(error),
            Err(_) => break,
        }
    }
    let came = peers.len();
    Ok(Running::judged(&target.address, peers, Ok(format!("came and went {came} times"))))
}
