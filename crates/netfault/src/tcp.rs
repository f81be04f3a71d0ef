//! Clients that come, go and break off.

use std::io::{self, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use netcore::deadline::{Deadline, TimedStream};
use socket2::SockRef;

use crate::random::Random;
use crate::{GENEROUS, LIFETIME, Running, Target};

/// Clients that come and go, one after the other.
const VISITORS: usize = 100;

/// Bytes of noise.
const NOISE: usize = 4096;

/// Says hello, reads the reply to the end and closes.
pub(crate) fn second_visit(target: &Target) -> io::Result<Running> {
    let stream = connect(target)?;
    let mut timed = TimedStream::new(&stream, Deadline::after(GENEROUS));
    timed.write_all(target.hello)?;
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut timed, &mut io::sink())?;
    Ok(Running::over(target.address, stream.local_addr()?))
}

/// Connects and closes, again and again.
pub(crate) fn connect_close(target: &Target) -> io::Result<Running> {
    visitors(target, |_| Ok(()))
}

/// Connects and resets, again and again: faster than the server accepts, so that some
/// are gone by then.
pub(crate) fn reset_before_accept(target: &Target) -> io::Result<Running> {
    visitors(target, reset_on_close)
}

/// Sends the first half of hello and resets the connection.
pub(crate) fn reset_midway(target: &Target) -> io::Result<Running> {
    let mut stream = connect(target)?;
    stream.write_all(&target.hello[..target.hello.len() / 2])?;
    let peer = stream.local_addr()?;
    reset_on_close(&stream)?;
    drop(stream);
    Ok(Running::over(target.address, peer))
}

/// Sends bytes that mean nothing, the same for the same seed, and reads what comes
/// back.
pub(crate) fn random_bytes(target: &Target) -> io::Result<Running> {
    let noise = Random::new(target.seed).noise(NOISE);
    play(target, connect(target)?, move |stream| {
        let deadline = Deadline::after(LIFETIME);
        TimedStream::new(stream, deadline).write_all(&noise)?;
        stream.shutdown(Shutdown::Write)?;
        idle(stream, deadline)
    })
}

/// A server that serves one client and ends refuses the later ones, which is no failure
/// of theirs.
fn visitors(target: &Target, leave: fn(&TcpStream) -> io::Result<()>) -> io::Result<Running> {
    let mut peers: Vec<SocketAddr> = Vec::new();
    for number in 0..VISITORS {
        match connect(target) {
            Ok(stream) => {
                peers.push(stream.local_addr()?);
                leave(&stream)?;
            }
            Err(error) if number == 0 => return Err(error),
            Err(_) => break,
        }
    }
    let came = peers.len();
    Ok(Running::judged(target.address, peers, Ok(format!("came and went {came} times"))))
}

pub(crate) fn play(
    target: &Target,
    stream: TcpStream,
    on: impl Fn(&TcpStream) -> io::Result<()> + Send + 'static,
) -> io::Result<Running> {
    Running::playing(target.address, vec![stream], move |streams| streams.iter().try_for_each(on))
}

pub(crate) fn connect(target: &Target) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&target.address, GENEROUS)?;
    // A small write goes out as it is, and not together with the next one.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends nothing and throws away what comes, until the server closes or `deadline` has
/// passed.
pub(crate) fn idle(stream: &TcpStream, deadline: Deadline) -> io::Result<()> {
    io::copy(&mut TimedStream::new(stream, deadline), &mut io::sink())?;
    Ok(())
}

/// With a linger time of zero a close is a reset, in both directions and at once.
fn reset_on_close(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}
