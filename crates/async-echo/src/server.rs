//! The server: accepts a client, leaves it to a task of its own, and accepts the next,
//! until it is told to stop.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;

use netcore::accept::{affordable, again_at};
use netcore::connection::{LINGER, has_taken_all};
use netcore::deadline::LONGEST;
use netcore::error::reason;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::visit::{Ended, caught_async, log_end};
use netcore::wait::{Interest, is_ready};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use crate::{BUFFER, Echo};

/// Serves clients, each in a task of its own, until `shutdown` is told to stop. Returns
/// when the last client has gone, which a stop brings about within `service.limits.drain`.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is logged
/// and ends that client only.
pub async fn serve(
    listener: std::net::TcpListener,
    service: Echo,
    shutdown: &Shutdown,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (stop, mut stopping) = watch::channel(());
    shutdown.on_stop(move || drop(stop));
    let permits = Arc::new(Semaphore::new(service.max_clients.clamp(1, Semaphore::MAX_PERMITS)));
    let service = Arc::new(service);
    let mut visits = JoinSet::new();
    loop {
        let (stream, peer, permit) = tokio::select! {
            // A stop comes first, however many clients wait.
            biased;
            _ = stopping.changed() => break,
            accepted = accept(&listener, &permits) => accepted?,
        };
        visits.spawn(visit(stream, peer, service.clone(), stopping.clone(), permit));
        // What has ended is forgotten here, or the set would grow with every client.
        while visits.try_join_next().is_some() {}
    }
    // From here on, new clients are refused instead of left waiting.
    drop(listener);
    let all_gone = async { while visits.join_next().await.is_some() {} };
    if timeout(service.limits.drain, all_gone).await.is_err() {
        log::warn!("closing connections that did not end in {:?}", service.limits.drain);
    }
    Ok(())
}

async fn accept(
    listener: &TcpListener,
    permits: &Arc<Semaphore>,
) -> io::Result<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    // At the bound we do not accept: the next clients wait in the backlog, as they would
    // for a slow server.
    let permit = permits.clone().acquire_owned().await.map_err(io::Error::other)?;
    log::info!("waiting for a client");
    loop {
        match affordable(listener.accept().await) {
            Ok((stream, peer)) => match stream.set_nodelay(true) {
                Ok(()) => return Ok((stream, peer, permit)),
                Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
            },
            Err(error) => sleep_until(again_at(error)?.into()).await,
        }
    }
}

async fn visit(
    mut stream: TcpStream,
    peer: SocketAddr,
    service: Arc<Echo>,
    stopping: watch::Receiver<()>,
    // Given back when the client is gone, on every way out of the task.
    _permit: OwnedSemaphorePermit,
) {
    log::info!("{peer} connected");
    // A panic in a reply ends this client and nobody else.
    let ended = caught_async(echo(&mut stream, peer, &service, stopping)).await;
    log_end(peer, &ended);
    if !matches!(ended, Ok(Ended::ByPeer)) {
        close(stream).await;
    }
}

async fn echo(
    stream: &mut TcpStream,
    peer: SocketAddr,
    service: &Echo,
    mut stopping: watch::Receiver<()>,
) -> io::Result<Ended> {
    // Room, of which the system gives a page when it is first written to: a client that has
    // sent little so far costs little.
    let mut buf = Vec::with_capacity(BUFFER);
    let idle = service.limits.idle.min(LONGEST);
    // A point in time: a client that sends a byte now and then renews the idle limit, but
    // never this one.
    let total = Instant::now() + service.limits.total.min(LONGEST);
    loop {
        if Instant::now() >= total {
            // A client that always has something is never waited for, and meets no
            // deadline there.
            return Err(ErrorKind::TimedOut.into());
        }
        let deadline = total.min(Instant::now() + idle);
        buf.clear();
        let waited = tokio::select! {
            biased;
            n = stream.read_buf(&mut buf) => Ok(n?),
            _ = stopping.changed() => Err(Ok(Ended::ByStop)),
            () = sleep_until(deadline) => Err(Err(ErrorKind::TimedOut.into())),
        };
        let n = match waited {
            Ok(n) => n,
            // What has arrived before that is answered: what the runtime has not been told of
            // yet, the system knows.
            Err(_) if is_ready(stream, Interest::Reading)? => stream.read_buf(&mut buf).await?,
            Err(end) => return end,
        };
        if n == 0 {
            // End of stream: the client has closed its sending side. No more will come.
            return Ok(Ended::ByPeer);
        }
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        service.reply(&mut buf[..n]);
        log::debug!("{peer} sending {n} bytes {}", payload(&buf[..n]));
        // A client that never reads fills the buffers on the way; then writing waits as
        // reading does. It has the whole limit for it, however long the reply took us.
        let deadline = total.min(Instant::now() + idle);
        timeout_at(deadline, stream.write_all(&buf[..n])).await??;
    }
}

/// Ends our side. A close that leaves something unread would reset the connection, and the
/// reset may overtake our last reply: so from a client that sends, or has not taken
/// everything, what comes is read first until it ends too or [`LINGER`] is over.
async fn close(mut stream: TcpStream) {
    let has_all = has_taken_all(&stream);
    let mut scrap = [0; 4096];
    if stream.shutdown().await.is_err() || has_all && stream.try_read(&mut scrap).is_err() {
        return;
    }
    let drained = async { while stream.read(&mut scrap).await.is_ok_and(|n| n > 0) {} };
    let _ = timeout(LINGER, drained).await;
}
