//! The server: one thread that asks which sockets are ready, and gives each ready one a
//! turn.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use netcore::accept::{affordable, again_at};
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::shutdown::Shutdown;
use netcore::wait::timespec;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

use crate::visit::Visit;
use crate::{BUFFER, Echo};

/// Serves clients, all in this thread, until `shutdown` is told to stop. Returns when the
/// last client has gone, which a stop brings about within `service.limits.drain`.
///
/// # Errors
/// What accept or the wait say when no further client could be served. A client's error
/// is logged and ends that client only.
pub fn serve(listener: TcpListener, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let mut listener = Some(listener);
    let mut visits: Vec<Visit> = Vec::new();
    // One for all: a client that waits holds none.
    let mut buf = vec![0; BUFFER];
    // When descriptors or memory run out, the listener is left alone until then.
    let mut accept_from = Instant::now();
    loop {
        let stopping = shutdown.is_stopping();
        if stopping {
            // Closed here: from now on, new clients are refused instead of left waiting.
            listener = None;
            if visits.is_empty() {
                return Ok(());
            }
        }
        // At the bound we do not accept: the next clients wait in the backlog, as they
        // would for a slow server.
        let has_room = visits.len() < service.max_clients.max(1);
        let accepting = listener.as_ref().filter(|_| has_room && accept_from <= Instant::now());
        // Before the wait, which tells who was ready until then; and before the work: what our
        // own replies take is not the silence of the others.
        let now = Instant::now();
        let ready = wait(&visits, accepting, accept_from, shutdown)?;
        for (visit, &ready) in visits.iter_mut().zip(&ready) {
            if ready {
                visit.turn(&mut buf, service);
            }
            // Also of one that was ready: a client that never ceases to send always is.
            if visit.deadline().has_passed_at(now) {
                visit.expire();
            } else if stopping && !ready {
                visit.stop();
            }
        }
        if let (Some(listener), Some(true)) = (accepting, ready.last()) {
            match affordable(listener.accept()) {
                Ok((stream, peer)) => visits.extend(welcome(stream, peer, service, shutdown)),
                Err(error) => accept_from = again_at(error)?,
            }
        }
        visits.retain(|visit| !visit.has_gone());
    }
}

/// The one wait for all: which visits are ready, and behind them the listener.
fn wait(
    visits: &[Visit],
    accepting: Option<&TcpListener>,
    accept_from: Instant,
    shutdown: &Shutdown,
) -> io::Result<Vec<bool>> {
    let mut fds: Vec<PollFd> = visits.iter().map(Visit::waited_for).collect();
    let mut until = visits.iter().map(Visit::deadline).fold(Deadline::NEVER, Deadline::or_sooner);
    if !shutdown.is_stopping() {
        fds.push(PollFd::new(shutdown.waker(), PollFlags::IN));
        if accept_from > Instant::now() {
            until = until.or_sooner(accept_from.into());
        }
    } else if visits.iter().any(Visit::is_listening) {
        // Whoever has nothing more to say now is asked no more.
        until = Instant::now().into();
    }
    fds.extend(accepting.map(|listener| PollFd::new(listener, PollFlags::IN)));
    loop {
        let patience = until.remaining().unwrap_or(Some(Duration::ZERO));
        match poll(&mut fds, patience.map(timespec).as_ref()) {
            Ok(_) => return Ok(fds.iter().map(|fd| !fd.revents().is_empty()).collect()),
            // A signal came first: nobody has been asked.
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn welcome(
    stream: TcpStream,
    peer: SocketAddr,
    service: &Echo,
    shutdown: &Shutdown,
) -> Option<Visit> {
    match stream.set_nonblocking(true).and_then(|()| stream.set_nodelay(true)) {
        Ok(()) => Some(Visit::new(stream, peer, service, shutdown)),
        // macOS answers EINVAL once the peer has reset.
        Err(error) => {
            log::warn!("{peer} dropped: {}", reason(&error));
            None
        }
    }
}
