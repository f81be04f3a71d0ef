//! One handle that ends every blocked call of the process.
//!
//! A signal handler alone does not end a server: the blocked accept is retried, and so
//! is the read of the connection in hand. A stop here wakes both, lets the work in hand
//! end, and closes what is left at a limit.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::{Shutdown as Side, TcpStream};
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::deadline::{Deadline, Stream};
use crate::waker::{WakeSocket, Waker};
use crate::{Error, wait};

/// How long the work in hand may go on after a stop, unless the rung offers `--drain`.
/// What is still open then is closed.
pub const DRAIN: Duration = Duration::from_secs(5);

/// The exit code after a second signal: 128 and SIGINT, as shells have it.
const INTERRUPTED_TWICE: i32 = 130;

/// Tells every thread of a server to stop, and wakes those that are blocked. Clones are
/// the same handle.
#[derive(Clone)]
pub struct Shutdown(Arc<State>);

struct State {
    stopping: AtomicBool,
    waker: Waker,
    drain: Duration,
    next_id: AtomicU64,
    connections: Mutex<HashMap<u64, Arc<TcpStream>>>,
    drained: Condvar,
    at_stop: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

impl Shutdown {
    /// A handle that [`stop`](Shutdown::stop) triggers, for tests and for servers
    /// inside other programs. `drain` is how long connections may stay open after a
    /// stop.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn new(drain: Duration) -> Result<Shutdown, Error> {
        let waker = Waker::new().map_err(Error::failed("prepare for a stop"))?;
        Ok(Shutdown(Arc::new(State {
            stopping: AtomicBool::new(false),
            waker,
            drain,
            next_id: AtomicU64::new(0),
            connections: Mutex::default(),
            drained: Condvar::new(),
            at_stop: Mutex::default(),
        })))
    }

    /// A handle that SIGINT, SIGTERM or SIGHUP triggers (Ctrl-C or Ctrl-Break on
    /// Windows, which gives no time for a drain when the window is closed).
    /// A second signal ends the process at once with exit code 130.
    ///
    /// SIGHUP counts even under `nohup`, which only has it ignored until this call;
    /// `setsid` keeps it away.
    ///
    /// # Errors
    /// When the process has such a handle already: signals belong to the whole process.
    pub fn on_signals(drain: Duration) -> Result<Shutdown, Error> {
        let shutdown = Shutdown::new(drain)?;
        let handle = shutdown.clone();
        ctrlc::set_handler(move || {
            if handle.is_stopping() {
                std::process::exit(INTERRUPTED_TWICE);
            }
            log::info!("stopping; a second signal ends at once");
            handle.stop();
        })
        .map_err(|error| Error::failed("prepare for signals")(io::Error::other(error)))?;
        Ok(shutdown)
    }

    /// Begins the stop: blocked accepts and reads end now, connections at the drain
    /// limit at the latest.
    pub fn stop(&self) {
        let connections = self.connections();
        if self.0.stopping.swap(true, Ordering::SeqCst) {
            return;
        }
        self.0.waker.wake();
        for stream in connections.values() {
            end_reads(stream);
        }
        drop(connections);
        let at_stop =
            std::mem::take(&mut *self.0.at_stop.lock().unwrap_or_else(PoisonError::into_inner));
        for wake in at_stop {
            wake();
        }
        let shutdown = self.clone();
        let spawned = thread::Builder::new()
            .name("drain".into())
            .spawn(move || shutdown.close_at_drain_limit());
        if spawned.is_err() {
            // Without a thread to wait in, the limit is now.
            self.close_all();
        }
    }

    /// Whether a stop has begun.
    pub fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::SeqCst)
    }

    /// Calls `wake` when a stop begins, or at once if it has begun: for a server that
    /// waits in an event loop.
    pub fn on_stop(&self, wake: impl FnOnce() + Send + 'static) {
        let mut at_stop = self.0.at_stop.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock, so that a stop which begins now either finds this in the list or is
        // seen here.
        if self.is_stopping() {
            drop(at_stop);
            wake();
        } else {
            at_stop.push(Box::new(wake));
        }
    }

    /// Waits until a stop begins.
    ///
    /// # Errors
    /// Only what the system says of the wait itself.
    pub fn wait(&self) -> io::Result<()> {
        while !self.is_stopping() {
            wait::pause(Duration::MAX, self)?;
        }
        Ok(())
    }

    /// Takes a stream under the care of this handle: a stop ends its blocked reads, the
    /// drain limit closes it. A stream that comes after a stop is closed at once,
    /// as those are that are still in the backlog.
    pub fn watch(&self, stream: TcpStream) -> Connection {
        let stream = Arc::new(stream);
        let id = self.0.next_id.fetch_add(1, Ordering::Relaxed);
        let mut connections = self.connections();
        // Under the lock, so that a stop which begins now either finds this stream in the map
        // or is seen here.
        if self.is_stopping() {
            // Whoever waits for the drain limit may have gone: it ends with the last connection.
            close(&stream);
        }
        connections.insert(id, stream.clone());
        drop(connections);
        Connection { stream, id, shutdown: self.clone() }
    }

    pub(crate) fn waker(&self) -> &WakeSocket {
        self.0.waker.socket()
    }

    fn close_at_drain_limit(&self) {
        let connections = self.connections();
        let still_open = |open: &mut HashMap<u64, Arc<TcpStream>>| !open.is_empty();
        let (connections, limit) = self
            .0
            .drained
            .wait_timeout_while(connections, self.0.drain, still_open)
            .unwrap_or_else(PoisonError::into_inner);
        if limit.timed_out() {
            log::warn!(
                "closing {} connections that did not end in {:?}",
                connections.len(),
                self.0.drain
            );
        }
        drop(connections);
        self.close_all();
    }

    fn close_all(&self) {
        for stream in self.connections().values() {
            close(stream);
        }
    }

    fn connections(&self) -> MutexGuard<'_, HashMap<u64, Arc<TcpStream>>> {
        // The map is whole even if a thread that held it panicked: each change is one call.
        self.0.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("stopping", &self.is_stopping()).finish_non_exhaustive()
    }
}

/// A stream that a stop can wake. It reads and writes as the [`TcpStream`] in it does.
#[derive(Debug)]
pub struct Connection {
    stream: Arc<TcpStream>,
    id: u64,
    shutdown: Shutdown,
}

impl Deref for Connection {
    type Target = TcpStream;

    fn deref(&self) -> &TcpStream {
        &self.stream
    }
}

impl Stream for Connection {
    fn stream(&self) -> &TcpStream {
        &self.stream
    }

    fn watched_by(&self) -> Option<&Shutdown> {
        Some(&self.shutdown)
    }
}

impl Read for Connection {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // For Windows: elsewhere a stop wakes the read itself.
        if wait::stop_ends_read(&self.stream, self.watched_by(), Deadline::NEVER)? {
            return Ok(0);
        }
        (&*self.stream).read(buf)
    }
}

impl Write for Connection {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self.stream).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        (&*self.stream).write_vectored(bufs)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.stream).flush()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let mut connections = self.shutdown.connections();
        connections.remove(&self.id);
        if connections.is_empty() {
            self.shutdown.0.drained.notify_all();
        }
    }
}

fn close(stream: &TcpStream) {
    // Fails only where the peer has closed already, which is as good.
    let _ = stream.shutdown(Side::Both);
}

/// Ends blocked reads; replies can still be sent. On Linux, what has arrived can still
/// be read; macOS and the BSDs discard it.
#[cfg(not(windows))]
fn end_reads(stream: &TcpStream) {
    // Nothing is sent to the peer: SHUT_RD is a local matter. Fails only where the peer has
    // gone already.
    let _ = stream.shutdown(Side::Read);
}

/// On Windows this would not wake a read that is blocked, and data that arrives
/// afterwards would be answered with a reset. There, a read waits where a stop wakes
/// it.
#[cfg(windows)]
fn end_reads(_: &TcpStream) {}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::mpsc;

    use super::*;

    const GENEROUS: Duration = Duration::from_secs(20);

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        (client, listener.accept().unwrap().0)
    }

    // Windows leaves a write that is blocked asleep until its own limit.
    #[cfg(not(windows))]
    #[test]
    fn a_connection_that_does_not_end_is_closed_at_the_drain_limit_and_not_before() {
        use std::time::Instant;

        /// Short beside [`GENEROUS`], so that a limit which did not work could not be
        /// mistaken for a slow machine.
        const SHORT: Duration = Duration::from_millis(200);
        let shutdown = Shutdown::new(SHORT).unwrap();
        let (_deaf, stream) = pair();
        stream.set_write_timeout(Some(GENEROUS)).unwrap();
        let mut stream = shutdown.watch(stream);
        let started = Instant::now();
        shutdown.stop();
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
        // More than the buffers of both ends together can hold.
        assert!(stream.write_all(&vec![0; 64 << 20]).is_err());
        assert!(started.elapsed() >= SHORT && started.elapsed() < GENEROUS);
    }

    #[test]
    fn a_connection_that_comes_after_a_stop_is_closed_at_once() {
        /// Beyond [`GENEROUS`], so that a stream which the drain limit closes is told
        /// from one that is closed at once.
        const FAR: Duration = Duration::from_secs(600);
        let shutdown = Shutdown::new(FAR).unwrap();
        shutdown.stop();
        let (_client, stream) = pair();
        stream.set_read_timeout(Some(GENEROUS)).unwrap();
        let mut stream = shutdown.watch(stream);
        assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
        assert!(stream.write_all(b"too late").is_err());
    }

    #[test]
    fn whoever_asks_to_be_woken_at_a_stop_is_woken_before_and_after_it() {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let (woken, wakes) = mpsc::channel();
        let before = woken.clone();
        shutdown.on_stop(move || before.send("before").unwrap());
        assert!(wakes.try_recv().is_err());
        shutdown.stop();
        assert_eq!(wakes.recv().unwrap(), "before");
        shutdown.on_stop(move || woken.send("after").unwrap());
        assert_eq!(wakes.recv().unwrap(), "after");
    }
}
