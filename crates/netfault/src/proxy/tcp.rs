//! Connections through a bad network: for each direction a reader, a bounded queue and
//! a writer.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use netcore::accept::pass_over;
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::permits::Permits;
use netcore::shutdown::Shutdown;
use netcore::wait::{self, Interest, Waited};

use super::record::{Fate, Way};
use super::{Line, RETRANSMISSION, Timing, named};

/// Connections at a time; the next ones wait in the queue of the system. Each takes
/// four threads.
const CONNECTIONS: usize = 256;

/// Bytes that are read at once.
const BUFFER: usize = 16 << 10;

/// Segments under way in one direction. When they are as many, the sender has to wait,
/// as for any slow network.
const UNDER_WAY: usize = 64;

/// How long the server may take to accept.
const CONNECT: Duration = Duration::from_secs(10);

pub(super) fn start(
    listener: TcpListener,
    server: SocketAddr,
    line: Arc<Line>,
    shutdown: &Shutdown,
) -> io::Result<JoinHandle<()>> {
    // A client that poll(2) has announced can be gone before accept is called.
    listener.set_nonblocking(true)?;
    let open = Open::default();
    let at_stop = open.clone();
    shutdown.on_stop(move || at_stop.close_all());
    let shutdown = shutdown.clone();
    named("proxy", move || {
        let permits = Permits::new(CONNECTIONS, &shutdown);
        while let Some(permit) = permits.take() {
            let (client, peer) = match accept(&listener, &shutdown) {
                Ok(Some(client)) => client,
                Ok(None) => break,
                Err(error) => {
                    log::error!("cannot accept clients: {}", reason(&error));
                    break;
                }
            };
            let open = open.clone();
            let (line, shutdown) = (line.clone(), shutdown.clone());
            let carried = named("connection", move || {
                let _permit = permit;
                log::info!("{peer} connected");
                match carry(client, server, &open, &line, &shutdown) {
                    Ok(()) => log::info!("{peer} closed"),
                    Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
                }
            });
            if let Err(error) = carried {
                log::warn!("{peer} dropped: no thread for it: {error}");
            }
        }
        drop(listener);
        permits.wait_until_free();
    })
}

/// The next client; `None` when the proxy is stopping.
fn accept(
    listener: &TcpListener,
    shutdown: &Shutdown,
) -> io::Result<Option<(TcpStream, SocketAddr)>> {
    while !shutdown.is_stopping() {
        let waited = wait::ready(listener, Interest::Reading, Some(shutdown), Deadline::NEVER)?;
        if waited == Waited::Ready {
            match listener.accept().and_then(prepare) {
                Ok(client) => return Ok(Some(client)),
                Err(error) => pass_over(error, shutdown)?,
            }
        }
    }
    Ok(None)
}

fn prepare((stream, peer): (TcpStream, SocketAddr)) -> io::Result<(TcpStream, SocketAddr)> {
    // On BSD, macOS and Windows the stream inherits the listener's mode.
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    Ok((stream, peer))
}

/// The connections under way, which a stop closes: their threads wait in blocking calls.
#[derive(Clone, Default)]
struct Open(Arc<Mutex<Vec<Weak<TcpStream>>>>);

impl Open {
    fn add(&self, stream: TcpStream) -> Arc<TcpStream> {
        let stream = Arc::new(stream);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|stream| stream.strong_count() > 0);
        open.push(Arc::downgrade(&stream));
        stream
    }

    fn close_all(&self) {
        for stream in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(stream) = stream.upgrade() {
                // Fails only where the peer has closed already, which is as good.
                let _ = stream.shutdown(Side::Both);
            }
        }
    }
}

/// One connection, until both directions have ended.
fn carry(
    client: TcpStream,
    server: SocketAddr,
    open: &Open,
    line: &Arc<Line>,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let stream = TcpStream::connect_timeout(&server, CONNECT)?;
    stream.set_nodelay(true)?;
    let (client, server) = (open.add(client), open.add(stream));
    if shutdown.is_stopping() {
        // It may have begun before these were among those that it closes.
        open.close_all();
    }
    let connection = line.next_connection();
    let there = direction(&client, &server, connection, Way::ToServer, line, shutdown)?;
    let back = direction(&server, &client, connection, Way::ToClient, line, shutdown)?;
    let results: Vec<io::Result<()>> = [there, back].into_iter().flatten().map(join).collect();
    results.into_iter().collect()
}

/// What is under way: bytes, or the end of the stream, and when they are due.
type Segment = (Instant, Option<Vec<u8>>);

fn direction(
    from: &Arc<TcpStream>,
    to: &Arc<TcpStream>,
    connection: u64,
    way: Way,
    line: &Arc<Line>,
    shutdown: &Shutdown,
) -> io::Result<[JoinHandle<io::Result<()>>; 2]> {
    let (sender, receiver) = sync_channel(UNDER_WAY);
    let (source, reader_line) = (from.clone(), line.clone());
    let reader = named("reader", move || read(&source, connection, way, &reader_line, &sender))?;
    let (source, target, line, shutdown) =
        (from.clone(), to.clone(), line.clone(), shutdown.clone());
    let writer = named("writer", move || {
        let written = write(&target, connection, way, &line, &shutdown, &receiver);
        if written.is_err() {
            // Neither end has anything to expect of the other any more. This wakes the reader as
            // well.
            let _ = source.shutdown(Side::Both);
            let _ = target.shutdown(Side::Both);
        }
        written
    })?;
    Ok([reader, writer])
}

fn read(
    mut from: &TcpStream,
    connection: u64,
    way: Way,
    line: &Line,
    to: &SyncSender<Segment>,
) -> io::Result<()> {
    let mut random = line.random(connection, way);
    let mut timing = Timing::new();
    let mut last = Instant::now();
    let mut buf = vec![0; BUFFER];
    loop {
        let n = match from.read(&mut buf) {
            Ok(n) => n,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            // The writer learns it from the queue, which ends without an end of stream.
            Err(error) => return Err(error),
        };
        for bytes in buf[..n].chunks(line.network.slice.unwrap_or(BUFFER).max(1)) {
            let mut due = timing.due(&line.network, &mut random, bytes.len());
            if random.happens(line.network.loss) {
                due += RETRANSMISSION;
            }
            // TCP keeps the order, so what is late delays what follows.
            last = last.max(due);
            if to.send((last, Some(bytes.to_vec()))).is_err() {
                return Ok(());
            }
        }
        if n == 0 {
            last = last.max(timing.due(&line.network, &mut random, 0));
            let _ = to.send((last, None));
            return Ok(());
        }
    }
}

fn write(
    mut to: &TcpStream,
    connection: u64,
    way: Way,
    line: &Line,
    shutdown: &Shutdown,
    from: &Receiver<Segment>,
) -> io::Result<()> {
    let mut left = line.network.cut_after;
    for (due, bytes) in from {
        wait::pause(due.saturating_duration_since(Instant::now()), shutdown)?;
        let Some(bytes) = bytes else {
            // Half-close: this direction has ended, the other one goes on.
            line.record(connection, way, Fate::Ended, &[]);
            return to.shutdown(Side::Write);
        };
        let n = left.map_or(bytes.len(), |left| {
            bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX))
        });
        // Before the write: whoever receives it may answer before this thread goes on.
        line.record(connection, way, Fate::Delivered, &bytes[..n]);
        to.write_all(&bytes[..n])?;
        if let Some(left) = &mut left {
            *left -= n as u64;
            if *left == 0 {
                line.record(connection, way, Fate::Cut, &[]);
                return Err(io::Error::other("cut as it was asked for"));
            }
        }
    }
    // The reader has failed: the sender has reset the connection, say.
    Err(ErrorKind::ConnectionAborted.into())
}

fn join(thread: JoinHandle<io::Result<()>>) -> io::Result<()> {
    thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread of it panicked")))
}
