//! Faulty TCP clients.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use netcore::deadline::{Deadline, TimedStream};
use netcore::frame::{self, Header};
use socket2::SockRef;

use crate::{LIFETIME, Running, Target};

/// How long a server may take to accept, or to answer a hello. No correct one comes near it.
const GENEROUS: Duration = Duration::from_secs(10);

/// Between two bytes of a dripping client: well within any idle limit that a server is given.
const DRIP: Duration = Duration::from_millis(100);

/// What a client sends at most that never reads. It is stopped long before, once the buffers on the way are full.
const FLOOD: usize = 256 << 20;

/// Bytes of noise.
const NOISE: usize = 4096;

/// `pickle.loads` of this calls `os.system("echo hello")`.
const PICKLE: &[u8] = b"cos\nsystem\n(S'echo hello'\ntR.";

/// Clients that stay: more than a small pool of threads, and within the 1,024 open files of an ordinary shell.
const MANY: usize = 200;

/// Says hello, reads the reply to the end and closes.
pub(crate) fn second_visit(target: &Target) -> io::Result<Running> {
    let stream = connect(target)?;
    let mut timed = TimedStream::new(&stream, Deadline::after(GENEROUS));
    timed.write_all(target.hello)?;
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut timed, &mut io::sink())?;
    Ok(Running::over(target.address, stream.local_addr()?))
}

/// Connects, and that is all.
pub(crate) fn silent(target: &Target) -> io::Result<Running> {
    stay(target, vec![connect(target)?])
}

/// Sends hello byte by byte, again and again, and never closes.
pub(crate) fn drip(target: &Target) -> io::Result<Running> {
    let bytes = target.hello.to_vec();
    play(target, connect(target)?, move |mut stream| {
        let lifetime = Deadline::after(LIFETIME);
        for byte in bytes.iter().cycle() {
            stream.write_all(&[*byte])?;
            // The pause is spent reading, so that the server's close ends it at once.
            match idle(stream, lifetime.or_sooner(Deadline::after(DRIP))) {
                Err(error) if error.kind() == ErrorKind::TimedOut && !lifetime.has_passed() => {}
                done => return done,
            }
        }
        Ok(())
    })
}

/// Sends hello again and again and leaves the replies where they are.
pub(crate) fn never_reads(target: &Target) -> io::Result<Running> {
    let hello = target.hello.to_vec();
    play(target, connect(target)?, move |stream| {
        let mut timed = TimedStream::new(stream, Deadline::after(LIFETIME));
        for _ in 0..FLOOD / hello.len().max(1) {
            timed.write_all(&hello)?;
        }
        Ok(())
    })
}

/// Sends the first half of hello and resets the connection.
pub(crate) fn reset_midway(target: &Target) -> io::Result<Running> {
    let mut stream = connect(target)?;
    stream.write_all(&target.hello[..target.hello.len() / 2])?;
    let peer = stream.local_addr()?;
    // With a linger time of zero a close is a reset, in both directions and at once.
    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
    drop(stream);
    Ok(Running::over(target.address, peer))
}

/// Sends bytes that mean nothing, the same at every run, and reads what comes back.
pub(crate) fn random_bytes(target: &Target) -> io::Result<Running> {
    play(target, connect(target)?, |stream| {
        let deadline = Deadline::after(LIFETIME);
        TimedStream::new(stream, deadline).write_all(&noise())?;
        stream.shutdown(Shutdown::Write)?;
        idle(stream, deadline)
    })
}

/// Sends hello twice in one write and reads as many bytes back: by then the server has received both.
pub(crate) fn coalesced(target: &Target) -> io::Result<Running> {
    let mut stream = connect(target)?;
    let twice = target.hello.repeat(2);
    stream.write_all(&twice)?;
    TimedStream::new(&stream, Deadline::after(GENEROUS)).read_exact(&mut vec![0; twice.len()])?;
    Ok(Running::over(target.address, stream.local_addr()?))
}

/// Sends one whole frame whose text a Python program that unpickles it would run, and reads to the end.
pub(crate) fn pickle(target: &Target) -> io::Result<Running> {
    let stream = connect(target)?;
    let mut timed = TimedStream::new(&stream, Deadline::after(GENEROUS));
    frame::write(&mut timed, Header::Binary, PICKLE.len(), PICKLE)?;
    stream.shutdown(Shutdown::Write)?;
    io::copy(&mut timed, &mut io::sink())?;
    Ok(Running::over(target.address, stream.local_addr()?))
}

/// Says hello, has its reply, and stays.
pub(crate) fn second_client(target: &Target) -> io::Result<Running> {
    let stream = connect(target)?;
    let mut timed = TimedStream::new(&stream, Deadline::after(GENEROUS));
    timed.write_all(target.hello)?;
    timed.read_exact(&mut [0; 1])?;
    stay(target, vec![stream])
}

/// Connects many times. Nobody speaks: a server with fewer places leaves the rest in its queue.
pub(crate) fn many_idle(target: &Target) -> io::Result<Running> {
    let streams = (0..MANY).map(|_| connect(target)).collect::<io::Result<_>>()?;
    stay(target, streams)
}

fn play(
    target: &Target,
    stream: TcpStream,
    on: impl Fn(&TcpStream) -> io::Result<()> + Send + 'static,
) -> io::Result<Running> {
    Running::playing(target.address, vec![stream], move |streams| streams.iter().try_for_each(on))
}

fn stay(target: &Target, streams: Vec<TcpStream>) -> io::Result<Running> {
    Running::playing(target.address, streams, |streams| {
        let lifetime = Deadline::after(LIFETIME);
        // One after the other will do: those that are not read yet have nothing to send either.
        streams.iter().try_for_each(|stream| idle(stream, lifetime))
    })
}

fn connect(target: &Target) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&target.address, GENEROUS)?;
    // A small write goes out as it is, and not together with the next one.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends nothing and throws away what comes, until the server closes or `deadline` has passed.
fn idle(stream: &TcpStream, deadline: Deadline) -> io::Result<()> {
    io::copy(&mut TimedStream::new(stream, deadline), &mut io::sink())?;
    Ok(())
}

/// A xorshift generator from a fixed seed.
fn noise() -> Vec<u8> {
    let mut state: u32 = 0x2026_1122;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(NOISE).collect()
}
