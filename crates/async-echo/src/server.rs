//! The server: accepts a client, leaves it to a task of its own, and accepts the next,
//! until it is told to stop.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use netcore::deadline::Deadline;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::tasks::{Acceptor, Connection, visit};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{timeout, timeout_at};

use crate::{BUFFER, Echo};

/// Serves clients, each in a task of its own, until `shutdown` is told to stop. Returns
/// when the last client has gone, which a stop brings about within `service.limits.drain`.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub async fn serve(listener: TcpListener, service: Echo, shutdown: &Shutdown) -> io::Result<()> {
    let mut acceptor = Acceptor::new(listener, shutdown)?;
    let permits = Arc::new(Semaphore::new(service.max_clients.clamp(1, Semaphore::MAX_PERMITS)));
    let at_stop = permits.clone();
    shutdown.on_stop(move || at_stop.close());
    let service = Arc::new(service);
    let mut visits = JoinSet::new();
    // At the bound we do not accept: the next clients wait in the backlog, as they would
    // for a slow server. A stop ends the wait for a permit.
    while let Ok(permit) = permits.clone().acquire_owned().await
        && let Some((stream, peer)) = acceptor.accept().await?
    {
        let service = service.clone();
        visits.spawn(async move {
            // Given back when the client is gone, on every way out of the task.
            let _permit = permit;
            visit(stream, peer, async |stream| echo(stream, peer, &service).await).await;
        });
        // What has ended is forgotten here, or the set would grow with every client.
        while visits.try_join_next().is_some() {}
    }
    // From here on, new clients are refused instead of left waiting.
    drop(acceptor);
    let all_gone = async { while visits.join_next().await.is_some() {} };
    if timeout(service.limits.drain, all_gone).await.is_err() {
        log::warn!("closing connections that did not end in {:?}", service.limits.drain);
    }
    Ok(())
}

async fn echo(stream: &mut Connection, peer: SocketAddr, service: &Echo) -> io::Result<()> {
    // Room, of which the system gives a page when it is first written to: a client that has
    // sent little so far costs little.
    let mut buf = Vec::with_capacity(BUFFER);
    let limits = &service.limits;
    // A point in time: a client that sends a byte now and then renews the idle limit, but
    // never this one.
    let total = Deadline::after(limits.total);
    loop {
        let deadline = total.or_sooner(Deadline::after(limits.idle));
        buf.clear();
        // Returns as soon as there is anything, not when the buffer is full.
        let n = stream.read_by(deadline, &mut buf).await?;
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
        let deadline = total.or_sooner(Deadline::after(limits.idle));
        // `write` may take a part only; `write_all` calls it until nothing is left.
        timeout_at(deadline.into(), stream.write_all(&buf[..n])).await??;
    }
}
