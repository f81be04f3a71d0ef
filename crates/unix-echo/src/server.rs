//! The server: accepts one client, serves it within its limits, and accepts the next,
//! until it is told to stop.

use std::io::{self, Read, Write};

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::unix::{Listener, Peer, Stream};
use netcore::visit::visit;

use crate::{BUFFER, Echo};

/// Serves clients, one at a time, until `shutdown` is told to stop or nobody comes for
/// `service.accept_timeout`.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(listener: Listener, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?.give_up_after(service.accept_timeout);
    while let Some((stream, peer)) = acceptor.accept()? {
        // The system has told who connected, and nothing of what it sends has been read yet.
        if !service.lets_in(peer.uid) {
            log::warn!("{peer} refused: not a user of --allow-uid");
            continue;
        }
        visit(stream, &peer, |stream| echo(stream, &peer, service));
    }
    Ok(())
}

fn echo(stream: &mut Connection<Stream>, peer: &Peer, service: &Echo) -> io::Result<()> {
    let mut buf = vec![0; BUFFER];
    let limits = &service.limits;
    // A point in time: a client that sends a byte now and then renews the idle limit, but
    // never this one.
    let total = Deadline::after(limits.total);
    loop {
        stream.set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        // Returns as soon as there is anything, not when the buffer is full.
        let n = stream.read(&mut buf)?;
        if n == 0 {
            // End of stream: the client has closed its sending side, or a stop has begun
            // and everything that had arrived is answered.
            return Ok(());
        }
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        service.reply(&mut buf[..n]);
        log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
        // A client that never reads fills the buffers on the way; then writing waits as
        // reading does. It has the whole limit for it, however long the reply took us.
        stream.set_deadline(total.or_sooner(Deadline::after(limits.idle)));
        // `write` may take a part only; `write_all` calls it until nothing is left.
        stream.write_all(&buf[..n])?;
    }
}
