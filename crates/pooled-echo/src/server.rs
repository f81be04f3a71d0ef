//! The server: workers that each accept a client, serve it, and accept the next, until
//! they are told to stop.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::thread;

use netcore::accept::Acceptor;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::memory;
use netcore::shutdown::Shutdown;
use netcore::visit::visit;

use crate::{BUFFER, Echo};

/// Serves clients by `service.max_clients` workers until `shutdown` is told to stop or
/// nobody comes for `service.accept_timeout`. Returns when the last client has
/// gone, which a stop brings about within its drain limit.
///
/// # Errors
/// What accept says when no further client could be accepted; that no worker could be
/// started. A client's error is logged and ends that client only.
pub fn serve(listener: TcpListener, service: &Echo, shutdown: &Shutdown) -> io::Result<()> {
    let acceptor = Acceptor::new(listener, shutdown)?.give_up_after(service.accept_timeout);
    // The scope ends with its last thread: until then, they may borrow the service.
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for _ in 0..service.max_clients.max(1) {
            // The clients need memory as well, and the workers could take all of it.
            let worker = memory::is_there_for_a_worker().and_then(|()| {
                thread::Builder::new().spawn_scoped(scope, || work(&acceptor, service))
            });
            match worker {
                Ok(worker) => workers.push(worker),
                Err(error) if workers.is_empty() => return Err(error),
                Err(error) => {
                    log::warn!("serving with {} workers: {error}", workers.len());
                    break;
                }
            }
        }
        // What ends one, ends all: a stop, or an accept that has no use any more.
        workers.into_iter().try_for_each(|worker| worker.join().unwrap_or(Ok(())))
    })
}

fn work(acceptor: &Acceptor, service: &Echo) -> io::Result<()> {
    while let Some((stream, peer)) = acceptor.accept()? {
        visit(stream, peer, |stream| echo(stream, peer, service));
    }
    Ok(())
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
