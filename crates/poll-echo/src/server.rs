//! The server: one thread that asks which sockets are ready, and gives each ready one a
//! turn, until it is told to stop.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Instant;

use netcore::arrivals::Arrivals;
use netcore::conversation::{Conversation, Turn};
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::wait;
use rustix::event::{PollFd, PollFlags};

use crate::{BUFFER, Echo};

/// Serves clients, all in this thread, until `shutdown` is told to stop. Returns when the
/// last client has gone, which a stop brings about within `service.limits.drain`.
///
/// # Errors
/// What accept or the wait say when no further client could be served. A client's error
/// is logged and ends that client only.
pub fn serve(listener: TcpListener, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let mut arrivals = Arrivals::new(listener, &service.limits, service.max_clients, shutdown)?;
    let mut clients: Vec<Conversation<TcpStream>> = Vec::new();
    // One for all: a client that waits holds none.
    let mut buf = vec![0; BUFFER];
    while arrivals.are_open() || !clients.is_empty() {
        // Before the wait, which tells who was ready until then; and before the work: what our
        // own replies take is not the silence of the others.
        let now = Instant::now();
        let ready = wait(&clients, &arrivals)?;
        for (client, &ready) in clients.iter_mut().zip(&ready) {
            // A client whose time is over has a turn as well, which is its end.
            if ready || client.deadline().has_passed_at(now) {
                client.turn(now, |client| echo(client, &mut buf, service));
            }
        }
        // Behind the clients stands the listener, where there is room for one more.
        if ready.get(clients.len()) == Some(&true) {
            clients.extend(arrivals.accept(TcpListener::accept)?);
        }
        clients.retain(|client| !client.has_gone());
    }
    Ok(())
}

/// The one wait for all: which of the sockets are ready.
fn wait(
    clients: &[Conversation<TcpStream>],
    arrivals: &Arrivals<TcpListener>,
) -> io::Result<Vec<bool>> {
    let deadlines = clients.iter().map(Conversation::deadline);
    let until = deadlines.fold(arrivals.deadline(), Deadline::or_sooner);
    let mut sockets: Vec<PollFd> = clients.iter().map(waited_for).collect();
    let listener = arrivals.listener(clients.len());
    sockets.extend(listener.map(|listener| PollFd::new(listener, PollFlags::IN)));
    wait::which(sockets, arrivals.shutdown(), until)
}

fn waited_for(client: &Conversation<TcpStream>) -> PollFd<'_> {
    let flags = if client.unsent.is_empty() { PollFlags::IN } else { PollFlags::OUT };
    PollFd::new(&client.stream, flags)
}

/// Sends what is left, then reads and replies once. If more has come, poll(2) says so
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
    Ok(Turn::Unfinished)
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
