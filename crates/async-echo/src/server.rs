//! The server: accepts a client, leaves it to a task of its own, and accepts the next.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use netcore::accept::{Affects, SHORTAGE_PAUSE, affects};
use netcore::deadline::LONGEST;
use netcore::error::reason;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use crate::{BUFFER, Options};

thread_local! {
    /// One buffer for each thread of the runtime: a task that waits owns none, so ten thousand idle clients cost no
    /// more than their sockets and timers.
    static BUF: RefCell<Vec<u8>> = RefCell::new(vec![0; BUFFER]);
}

/// Serves clients, each in a task of its own, until `shutdown` is told to stop. Returns
/// when the last client has gone, which a stop brings about within `options.drain`.
///
/// # Errors
/// What accept says when no further client could be accepted. A client's error is
/// logged and ends that client only.
pub fn serve(
    listener: std::net::TcpListener,
    options: &Options,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_io().enable_time().build()?;
    runtime.block_on(serve_all(listener, options, shutdown))
}

async fn serve_all(
    listener: std::net::TcpListener,
    options: &Options,
    shutdown: &Shutdown,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (stop, mut stopping) = watch::channel(());
    shutdown.on_stop(move || drop(stop));
    let places = Arc::new(Semaphore::new(options.max_clients.clamp(1, Semaphore::MAX_PERMITS)));
    let mut visits = JoinSet::new();
    loop {
        // At the bound we do not accept: the next clients wait in the backlog, as they would
        // for a slow server.
        let place = tokio::select! {
            // A stop must not wait for a place: a client that never reads may hold it past the drain limit.
            biased;
            _ = stopping.changed() => break,
            place = places.clone().acquire_owned() => place.map_err(io::Error::other)?,
        };
        log::info!("waiting for a client");
        let (stream, peer) = tokio::select! {
            // A stop comes first, however many clients wait.
            biased;
            _ = stopping.changed() => break,
            accepted = accept(&listener) => accepted?,
        };
        let visit = visit(stream, peer, options.clone(), stopping.clone());
        visits.spawn(async move {
            visit.await;
            // Given back on every way out of the task. A panic ends this client and nobody else.
            drop(place);
        });
        // What has ended is forgotten here, or the set would grow with every client there ever
        // was.
        while visits.try_join_next().is_some() {}
    }
    // From here on, new clients are refused instead of left waiting.
    drop(listener);
    let all_gone = async { while visits.join_next().await.is_some() {} };
    if timeout(options.drain, all_gone).await.is_err() {
        log::warn!("closing connections that did not end in {:?}", options.drain);
    }
    Ok(())
}

async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    loop {
        let error = match listener.accept().await {
            Ok((stream, peer)) => match stream.set_nodelay(true) {
                Ok(()) => return Ok((stream, peer)),
                Err(error) => {
                    log::warn!("{peer} dropped: {}", reason(&error));
                    continue;
                }
            },
            Err(error) => error,
        };
        match affects(&error) {
            Affects::NoConnection => {}
            Affects::OneConnection => log::warn!("a client left before it was accepted: {error}"),
            Affects::AllForNow => {
                log::warn!("cannot accept for now: {error}");
                sleep(SHORTAGE_PAUSE).await;
            }
            Affects::All => return Err(error),
        }
    }
}

async fn visit(
    stream: TcpStream,
    peer: SocketAddr,
    options: Options,
    stopping: watch::Receiver<()>,
) {
    log::info!("{peer} connected");
    match echo(stream, peer, &options, stopping).await {
        Ok(()) => log::info!("{peer} closed"),
        Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
    }
}

async fn echo(
    mut stream: TcpStream,
    peer: SocketAddr,
    options: &Options,
    mut stopping: watch::Receiver<()>,
) -> io::Result<()> {
    // A point in time: a client that sends a byte now and then renews the idle limit, but
    // never this one.
    let total = Instant::now() + options.total.min(LONGEST);
    let idle = options.idle.min(LONGEST);
    let mut deadline = total.min(Instant::now() + idle);
    // One timer for the whole visit. It is set anew when it goes off too early, not at each
    // message.
    let mut alarm = pin!(sleep_until(deadline));
    let mut stopping = pin!(stopping.changed());
    loop {
        let unsent = tokio::select! {
            // What has arrived is answered even after a stop.
            biased;
            exchanged = poll_fn(|context| poll_exchange(&mut stream, context, peer, options)) => match exchanged? {
                Exchanged::End => return Ok(()),
                Exchanged::Sent => Vec::new(),
                Exchanged::Unsent(rest) => rest,
            },
            _ = &mut stopping => return Ok(()),
            () = &mut alarm => {
                if deadline <= Instant::now() {
                    return Err(ErrorKind::TimedOut.into());
                }
                alarm.as_mut().reset(deadline);
                continue;
            }
        };
        let now = Instant::now();
        deadline = total.min(now + idle);
        // While there is always more to read, the alarm is never asked.
        if deadline <= now {
            return Err(ErrorKind::TimedOut.into());
        }
        // A client that never reads fills the buffers on the way; until it reads, we do not
        // read either.
        if !unsent.is_empty() {
            timeout_at(deadline, stream.write_all(&unsent)).await??;
            deadline = total.min(Instant::now() + idle);
        }
    }
}

/// What one read brought.
enum Exchanged {
    /// End of stream: the client has closed its sending side. No more will come.
    End,
    /// Something, and the whole reply is on its way.
    Sent,
    /// Something, and this part of the reply did not fit.
    Unsent(Vec<u8>),
}

/// Reads what there is and replies, in one step that never waits between the two, so
/// that the buffer can be shared.
fn poll_exchange(
    stream: &mut TcpStream,
    context: &mut Context<'_>,
    peer: SocketAddr,
    options: &Options,
) -> Poll<io::Result<Exchanged>> {
    BUF.with_borrow_mut(|buf| {
        let mut read = ReadBuf::new(buf);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut read))?;
        let bytes = read.filled_mut();
        let n = bytes.len();
        if n == 0 {
            return Poll::Ready(Ok(Exchanged::End));
        }
        log::debug!("{peer} received {n} bytes {}", payload(bytes));
        reply(bytes, options);
        log::debug!("{peer} sending {n} bytes {}", payload(bytes));
        let sent = match stream.try_write(bytes) {
            Ok(sent) => sent,
            Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
            Err(error) => return Poll::Ready(Err(error)),
        };
        Poll::Ready(Ok(match sent {
            sent if sent == n => Exchanged::Sent,
            sent => Exchanged::Unsent(bytes[sent..].to_vec()),
        }))
    })
}

/// Turns what was received into the reply: the place for what a server of your own
/// does.
fn reply(bytes: &mut [u8], options: &Options) {
    if options.upper {
        // ASCII only, so that UTF-8 text stays whole wherever the stream has cut it.
        bytes.make_ascii_uppercase();
    }
}
