//! A network that impairs what passes: loss, delay, reordering, duplicates, a low rate,
//! small segments, a cut.
//!
//! [`Proxy`] stands between clients and a server. What happens to a segment or datagram
//! is drawn from a seed, so a run can be repeated as far as the two ends send the same
//! again. Half-close is kept: the end of one direction is passed on, and the other
//! direction goes on. So is a reset: what was cut must not look whole to the other end. On a
//! UNIX socket, Linux has a reset for an end that has said something; all else may look like
//! an end there.
//!
//! TCP itself repairs loss, order and duplicates, so its user sees a lost segment as a
//! pause, and the other two not at all. Datagrams show all three.
//!
//! | module | idea |
//! |---|---|
//! | `streams` | accepts connections, so many at most |
//! | `stream` | one connection: a thread, and a bounded queue for each direction |
//! | `reader` | what an end says, read so that its close can still be a reset |
//! | `udp` | clients over UDP, each with a socket of its own towards the server |
//! | `post` | one queue for all datagrams, by the time at which each is due |
//! | [`record`] | what has passed, for whoever wants to see it |

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use netcore::address::Address;
use netcore::shutdown::Shutdown;
use socket2::Socket;

use crate::random::Random;

mod args;
mod post;
#[cfg(target_os = "linux")]
mod reader;
#[cfg(not(target_os = "linux"))]
#[path = "plain_reader.rs"]
mod reader;
pub mod record;

mod stream;
mod streams;
mod udp;

pub use args::{NetworkArgs, pause};
pub use record::{Fate, Missed, Passed, Recorder, Way};

/// How long a connection may go on when the proxy is told to stop.
const DRAIN: Duration = Duration::from_millis(200);

/// What the network does. The default is a good one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Network {
    /// How many of the datagrams are lost, from 0 to 1. For TCP, how many segments come
    /// [`RETRANSMISSION`] later.
    pub loss: f64,
    /// Time from one end to the other.
    pub delay: Duration,
    /// More or less than [`delay`](Network::delay) by up to so much, each time anew.
    pub jitter: Duration,
    /// How many of the datagrams are held back so that later ones overtake them, from 0
    /// to 1. TCP hides it.
    pub reorder: f64,
    /// How many of the datagrams come twice, from 0 to 1. TCP hides it.
    pub duplicate: f64,
    /// Bits a second each way; `None` for no bound.
    pub rate: Option<u64>,
    /// Bytes in a segment of TCP at most; `None` for as many as there are.
    pub slice: Option<usize>,
    /// Bytes after which a direction is cut: a connection is closed, datagrams get
    /// lost.
    pub cut_after: Option<u64>,
    /// What chance is drawn from.
    pub seed: u64,
}

/// What TCP waits at least before it sends a lost segment again (Linux; RFC 6298 says a
/// second).
pub const RETRANSMISSION: Duration = Duration::from_millis(200);

/// How long a datagram is held back for others to overtake it.
const HELD_BACK: Duration = Duration::from_millis(20);

/// A proxy that runs until it is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: Address,
    line: Arc<Line>,
    shutdown: Shutdown,
    threads: Vec<JoinHandle<()>>,
}

impl Proxy {
    /// Carries connections from `listener` to `server`, each of which may be a file.
    /// Everything that passes is told to `recorder`.
    ///
    /// # Errors
    /// When the system has no descriptor or thread left.
    pub fn streams(
        listener: impl Into<Socket>,
        server: impl Into<Address>,
        network: &Network,
        recorder: Option<Recorder>,
    ) -> io::Result<Proxy> {
        let listener = listener.into();
        let nowhere = || io::Error::new(io::ErrorKind::InvalidInput, "it listens nowhere");
        let address = Address::of(&listener.local_addr()?).ok_or_else(nowhere)?;
        let shutdown = Shutdown::new(DRAIN).map_err(io::Error::other)?;
        let line = Line::new(network, recorder);
        let threads = vec![streams::start(listener, server.into(), line.clone(), &shutdown)?];
        Ok(Proxy { address, line, shutdown, threads })
    }

    /// Carries datagrams from `socket` to `server` and their answers back.
    ///
    /// # Errors
    /// As [`streams`](Proxy::streams).
    pub fn udp(
        socket: UdpSocket,
        server: SocketAddr,
        network: &Network,
        recorder: Option<Recorder>,
    ) -> io::Result<Proxy> {
        let address = socket.local_addr()?.into();
        let shutdown = Shutdown::new(DRAIN).map_err(io::Error::other)?;
        let line = Line::new(network, recorder);
        let threads = udp::start(socket, server, line.clone(), udp::IDLE, &shutdown)?;
        Ok(Proxy { address, line, shutdown, threads })
    }

    /// Where clients go.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// From here on the network does this, also to conversations that have begun: to what
    /// is sent from now on, and not to what is under way. The seed stays as it was, and what
    /// has begun is cut, if at all, where it was to be.
    pub fn change(&self, network: &Network) {
        *lock(&self.line.network) = network.clone();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shutdown.stop();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Starts a thread that a debugger shows under this name.
fn named<T: Send + 'static>(
    name: &str,
    run: impl FnOnce() -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    thread::Builder::new().name(name.into()).spawn(run)
}

/// What every direction of every connection shares.
#[derive(Debug)]
struct Line {
    network: Mutex<Network>,
    seed: u64,
    recorder: Option<Recorder>,
    connections: AtomicU64,
}

impl Line {
    fn new(network: &Network, recorder: Option<Recorder>) -> Arc<Line> {
        let (seed, network) = (network.seed, Mutex::new(network.clone()));
        Arc::new(Line { network, seed, recorder, connections: AtomicU64::new(0) })
    }

    /// What the network does now.
    fn network(&self) -> Network {
        lock(&self.network).clone()
    }

    fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// The chance of one direction. Each has its own, so that one does not depend on
    /// when the other sends.
    fn random(&self, connection: u64, way: Way) -> Random {
        let mut random = Random::new(self.seed);
        random = Random::new(random.bits() ^ (connection << 1 | u64::from(way == Way::ToClient)));
        random
    }

    fn record(&self, connection: u64, way: Way, fate: Fate, bytes: &[u8]) {
        if let Some(recorder) = &self.recorder {
            let (at, bytes) = (SystemTime::now(), bytes.to_vec());
            recorder.tell(Passed { at, connection, way, fate, bytes });
        }
    }
}

/// When what is sent now arrives, in one direction.
#[derive(Debug)]
struct Timing {
    /// The sender's end of the line is busy until then.
    busy_until: Instant,
}

impl Timing {
    fn new() -> Timing {
        Timing { busy_until: Instant::now() }
    }

    fn due(&mut self, network: &Network, random: &mut Random, bytes: usize) -> Instant {
        self.busy_until = self.busy_until.max(Instant::now());
        if let Some(rate) = network.rate {
            self.busy_until += Duration::from_secs_f64(bytes as f64 * 8.0 / rate.max(1) as f64);
        }
        let early = network.delay.saturating_sub(network.jitter);
        let spread = (network.delay + network.jitter).saturating_sub(early);
        self.busy_until + early + spread.mul_f64(random.fraction())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one call, so what a thread that panicked has left is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
