//! The server: one thread that is told which sockets have become ready, and gives each of
//! those a turn, until it is told to stop.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::Arc;
use std::time::Instant;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};
use netcore::arrivals::Arrivals;
use netcore::conversation::{Conversation, Turn};
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::turns::Turns;

use crate::{BUFFER, Echo};

/// Events that one call of the system reports at most; the others come with the next.
const EVENTS: usize = 1024;

/// The token of the listener. Those of the clients are their numbers, from 0 on.
const LISTENER: Token = Token(usize::MAX);

/// The token of the waker that a stop uses.
const STOP: Token = Token(usize::MAX - 1);

/// Reads of a client in one turn. A client that sends faster than we read would otherwise
/// keep all others waiting.
const READS_PER_TURN: usize = 16;

/// Events tell of a change, so a socket is read until it has nothing left. Where a read
/// that does not fill the buffer proves that, the call that would say WouldBlock is
/// saved. On Windows, mio reports the next change only after it. Urgent data (MSG_OOB)
/// ends a read early too: whoever sends it may wait for the rest of its echo until it
/// sends more.
const SHORT_READ_IS_LAST: bool = cfg!(not(windows));

/// Serves clients, all in this thread, until `shutdown` is told to stop. Returns when the
/// last client has gone, which a stop brings about within `service.limits.drain`.
///
/// # Errors
/// What accept or the wait say when no further client could be served. A client's error
/// is logged and ends that client only.
pub fn serve(
    listener: std::net::TcpListener,
    service: &Echo,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let mut listener = TcpListener::from_std(listener);
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    // Held here as well as by the stop: a waker that is dropped takes its event with it.
    let waker = Arc::new(Waker::new(poll.registry(), STOP)?);
    let at_stop = waker.clone();
    shutdown.on_stop(move || drop(at_stop.wake()));
    let mut arrivals = Arrivals::new(listener, &service.limits, service.max_clients, shutdown)?;
    let mut clients: Turns<TcpStream> = Turns::default();
    // One for all: a client that waits holds none.
    let mut buf = vec![0; BUFFER];
    let mut events = Events::with_capacity(EVENTS);
    // Events tell of a change: until accept has found nobody, there may be more.
    let mut somebody_waits = false;
    while arrivals.are_open() || !clients.is_empty() {
        while somebody_waits && arrivals.listener(clients.len()).is_some() {
            match arrivals.accept(TcpListener::accept)? {
                // Asked for both once: writability is reported when a full buffer has room
                // again, and not before.
                Some(client) => clients.begin(client, |stream, id| {
                    let both = Interest::READABLE | Interest::WRITABLE;
                    poll.registry().register(stream, Token(id), both)
                }),
                None => somebody_waits = arrivals.are_paused(),
            }
        }
        // Before the wait, which tells who was ready until then; and before the work: what our
        // own replies take is not the silence of the others.
        let now = Instant::now();
        let until = clients.deadline().or_sooner(arrivals.deadline());
        match poll.poll(&mut events, until.patience()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            waited => waited?,
        }
        for event in &events {
            match event.token() {
                LISTENER => somebody_waits = true,
                STOP => clients.promise_all(),
                Token(id) => clients.promise(id, |client| is_told(client, event)),
            }
        }
        clients.give(now, |client| talk(client, &mut buf, service));
    }
    Ok(())
}

/// Whether an event is about what is waited for. Where nothing is left to write, room
/// to write is no news: on Windows, a read in answer to it would have mio report the
/// same room again, for ever.
fn is_told(client: &mut Conversation<TcpStream>, event: &Event) -> bool {
    client.peer_closed |= event.is_read_closed();
    let told = if client.unsent.is_empty() { event.is_readable() } else { event.is_writable() };
    told || event.is_error()
}

/// Reads and replies until there is nothing to read, or the turn is over.
fn talk(client: &mut Conversation<TcpStream>, buf: &mut [u8], service: &Echo) -> io::Result<Turn> {
    for _ in 0..READS_PER_TURN {
        match echo(client, buf, service)? {
            Turn::Unfinished => {}
            ended => return Ok(ended),
        }
    }
    Ok(Turn::Unfinished)
}

/// Sends what is left, then reads and replies once. If more has come, no event says so
/// again.
fn echo(client: &mut Conversation<TcpStream>, buf: &mut [u8], service: &Echo) -> io::Result<Turn> {
    let peer = client.peer;
    if !client.unsent.is_empty() {
        let unsent = std::mem::take(&mut client.unsent);
        send(client, &unsent)?;
        if !client.unsent.is_empty() {
            return Ok(Turn::Waiting);
        }
        client.renew();
    }
    let n = match client.stream.read(buf) {
        // End of stream: the client has closed its sending side. No more will come.
        Ok(0) => return Ok(Turn::Over),
        // Something: one byte, or more.
        Ok(n) => n,
        // Nothing yet.
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Turn::Waiting),
        // A signal came first; nothing has been read.
        Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(Turn::Unfinished),
        Err(error) => return Err(error),
    };
    log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
    service.reply(&mut buf[..n]);
    log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
    send(client, &buf[..n])?;
    // With the time that our reply took behind us: it is not the client's silence.
    client.renew();
    // Where the client has closed its side, the end of the stream follows, and no event will
    // tell of it.
    let last = SHORT_READ_IS_LAST && n < buf.len() && !client.peer_closed;
    Ok(if last || !client.unsent.is_empty() { Turn::Waiting } else { Turn::Unfinished })
}

/// Writes what the socket takes now, and keeps the rest.
fn send(client: &mut Conversation<TcpStream>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match client.stream.write(bytes) {
            // A part, as much as the buffer of the socket had room for.
            Ok(n) => bytes = &bytes[n..],
            // Full: the client has to read first.
            Err(error) if error.kind() == ErrorKind::WouldBlock => return client.keep(bytes),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use netcore::cli::Limits;

    use super::*;

    const GENEROUS: Duration = Duration::from_secs(20);

    #[test]
    fn a_turn_ends_after_so_many_reads_and_the_next_one_goes_on() {
        const SENT: usize = READS_PER_TURN + 1;
        let limits = Limits { idle: GENEROUS, total: GENEROUS, drain: GENEROUS };
        let service = Echo { upper: false, limits: limits.clone(), max_clients: 1 };
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        client.set_read_timeout(Some(GENEROUS)).unwrap();
        client.write_all(&[b'x'; SENT]).unwrap();
        let (stream, peer) = listener.accept().unwrap();
        while stream.peek(&mut [0; SENT]).unwrap() < SENT {}
        stream.set_nonblocking(true).unwrap();
        let shutdown = Shutdown::new(GENEROUS).unwrap();
        let stream = TcpStream::from_std(stream);
        let mut conversation = Conversation::new(stream, peer, &limits, &shutdown);
        // A buffer that each byte fills, so that each is a read.
        let mut turn = || talk(&mut conversation, &mut [0; 1], &service).unwrap();
        assert_eq!(turn(), Turn::Unfinished, "more is to be read, of which no event tells");
        assert_eq!(turn(), Turn::Waiting);
        let mut replies = [0; SENT];
        client.read_exact(&mut replies).unwrap();
        assert_eq!(replies, [b'x'; SENT]);
    }
}
