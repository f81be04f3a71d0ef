//! The server: accepts a client, leaves it to a thread of its own, and accepts the next,
//! until it is told to stop.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;

use crate::{BUFFER, Echo};

/// Serves clients, each in a thread of its own, until `shutdown` is told to stop or nobody
/// comes for `service.accept_timeout`. Returns when the last client has gone, which
/// a stop brings about within its drain limit.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub fn serve(listener: TcpListener, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    serve_until(listener, service, shutdown, shutdown)
}

/// As [`serve`], and a stop of `accepting` alone lets nobody in any more, and those who are
/// there stay as long as they like and their limits allow.
///
/// # Errors
/// As [`serve`].
pub fn serve_until(
    listener: TcpListener,
    service: &Echo,
    accepting: &Shutdown,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, accepting)?
        .clients_end_by(shutdown)
        .give_up_after(service.accept_timeout)
        .at_most(service.max_clients);
    // The scope ends with its last thread: until then, they may borrow the service.
    thread::scope(|scope| {
        while let Some((stream, peer)) = acceptor.accept()? {
            let visit = move || visit(stream, peer, |stream| echo(stream, peer, service));
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, visit) {
                log::warn!("{peer} dropped: no thread for it: {error}");
            }
        }
        Ok(())
    })
}

fn echo(stream: &mut Connection, peer: SocketAddr, service: &Echo) -> io::Result<()> {
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
