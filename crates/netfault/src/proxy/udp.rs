//! Datagrams through a bad network: one queue for all, in the order in which they are
//! due.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::shutdown::Shutdown;
use netcore::wait::{self, Waited};

use super::record::{Fate, Way};
use super::{HELD_BACK, Line, Network, Timing, named};
use crate::faults::datagrams::BUFFER;
use crate::random::Random;

/// Clients at a time. Each has a socket of its own towards the server; what further
/// ones send is lost.
const CLIENTS: usize = 256;

/// A client that has neither sent nor been answered for this long has gone.
pub(super) const IDLE: Duration = Duration::from_secs(60);

/// Datagrams under way. What comes when they are as many is lost, as by any router.
const UNDER_WAY: usize = 1_000;

/// Starts the threads that carry datagrams until `shutdown` stops them. They forget a
/// client after `idle`.
pub(super) fn start(
    socket: UdpSocket,
    server: SocketAddr,
    line: Arc<Line>,
    idle: Duration,
    shutdown: &Shutdown,
) -> io::Result<Vec<JoinHandle<()>>> {
    socket.set_nonblocking(true)?;
    let post = Arc::new(Post { line, queue: Mutex::default(), changed: Condvar::new() });
    let waking = post.clone();
    shutdown.on_stop(move || {
        // Whoever has seen no stop under the lock waits by the time we have it.
        waking.queue().closed = true;
        waking.changed.notify_all();
    });
    let delivering = post.clone();
    let deliverer = named("delivery", move || delivering.deliver())?;
    let shutdown = shutdown.clone();
    let receiver = named("proxy", move || {
        if let Err(error) = receive(&Arc::new(socket), server, &post, idle, &shutdown) {
            log::error!("cannot receive datagrams: {}", reason(&error));
        }
    })?;
    Ok(vec![receiver, deliverer])
}

/// A client that has not gone.
#[derive(Clone)]
struct Client {
    /// Its own socket towards the server.
    upstream: Arc<UdpSocket>,
    connection: u64,
    /// When it has last sent or been answered.
    last: Arc<Mutex<Instant>>,
}

/// What clients send.
fn receive(
    socket: &Arc<UdpSocket>,
    server: SocketAddr,
    post: &Arc<Post>,
    idle: Duration,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let clients = Arc::new(Mutex::new(HashMap::<SocketAddr, Client>::new()));
    let mut directions: HashMap<u64, Direction> = HashMap::new();
    let mut threads = Vec::new();
    let mut buf = vec![0; BUFFER];
    while let Some((n, peer)) = next(socket, &mut buf, shutdown, Deadline::NEVER)? {
        let known = lock(&clients).get(&peer).cloned();
        let client = match known {
            Some(known) => known,
            None if lock(&clients).len() == CLIENTS => continue,
            None => {
                let upstream = Arc::new(towards(server)?);
                let connection = post.line.next_connection();
                let client =
                    Client { upstream, connection, last: Arc::new(Mutex::new(Instant::now())) };
                lock(&clients).insert(peer, client.clone());
                log::info!("{peer} is a new client");
                let (answered, downstream) = (client.clone(), socket.clone());
                let (post, shutdown, clients) = (post.clone(), shutdown.clone(), clients.clone());
                threads.push(named("answers", move || {
                    answer(&answered, &downstream, peer, &post, idle, &shutdown);
                    lock(&clients).remove(&peer);
                })?);
                client
            }
        };
        *lock(&client.last) = Instant::now();
        let direction = directions
            .entry(client.connection)
            .or_insert_with(|| Direction::new(&post.line, client.connection, Way::ToServer));
        post.take(direction, &client.upstream, server, &buf[..n]);
        threads.retain(|thread| !thread.is_finished());
        if directions.len() > 2 * CLIENTS {
            let alive: Vec<u64> = lock(&clients).values().map(|client| client.connection).collect();
            directions.retain(|connection, _| alive.contains(connection));
        }
    }
    for thread in threads {
        let _ = thread.join();
    }
    Ok(())
}

/// What the server sends to one client.
fn answer(
    client: &Client,
    downstream: &Arc<UdpSocket>,
    peer: SocketAddr,
    post: &Post,
    idle: Duration,
    shutdown: &Shutdown,
) {
    let mut direction = Direction::new(&post.line, client.connection, Way::ToClient);
    let mut buf = vec![0; BUFFER];
    loop {
        let left = idle.saturating_sub(lock(&client.last).elapsed());
        match next(&client.upstream, &mut buf, shutdown, Deadline::after(left)) {
            Ok(Some((n, _))) => {
                *lock(&client.last) = Instant::now();
                post.take(&mut direction, downstream, peer, &buf[..n]);
            }
            // The client has sent meanwhile.
            Ok(None) if !shutdown.is_stopping() && lock(&client.last).elapsed() < idle => {}
            Ok(None) | Err(_) => return,
        }
    }
}

/// The next datagram; `None` at a stop or at the deadline.
fn next(
    socket: &UdpSocket,
    buf: &mut [u8],
    shutdown: &Shutdown,
    deadline: Deadline,
) -> io::Result<Option<(usize, SocketAddr)>> {
    loop {
        match socket.recv_from(buf) {
            _ if shutdown.is_stopping() => return Ok(None),
            Ok(received) => return Ok(Some(received)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                if wait::readable(socket, shutdown, deadline)? != Waited::Ready {
                    return Ok(None);
                }
            }
            // A server or client that has gone, told by an earlier datagram; a signal.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::Interrupted
                        | ErrorKind::ConnectionReset
                        | ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => return Err(error),
        }
    }
}

fn towards(server: SocketAddr) -> io::Result<UdpSocket> {
    let socket = match server {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0)),
    }?;
    // Strangers cannot answer for the server.
    socket.connect(server)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// The chance and the timing of what one end sends.
struct Direction {
    connection: u64,
    way: Way,
    random: Random,
    timing: Timing,
    /// Bytes that may still pass.
    left: Option<u64>,
}

impl Direction {
    fn new(line: &Line, connection: u64, way: Way) -> Direction {
        let random = line.random(connection, way);
        Direction { connection, way, random, timing: Timing::new(), left: line.network.cut_after }
    }

    /// When it is due, and once more where it comes twice; none where it is lost.
    fn draw(&mut self, network: &Network, bytes: usize) -> Vec<Instant> {
        if let Some(left) = &mut self.left {
            let Some(less) = left.checked_sub(bytes as u64) else { return Vec::new() };
            *left = less;
        }
        // Always as many draws, so that one setting does not change the chance of the others.
        let lost = self.random.happens(network.loss);
        let twice = self.random.happens(network.duplicate);
        let late = self.random.happens(network.reorder);
        let due = self.timing.due(network, &mut self.random, bytes);
        let due = if late { due + HELD_BACK + network.jitter } else { due };
        match (lost, twice) {
            (true, _) => Vec::new(),
            (false, true) => vec![due, due],
            (false, false) => vec![due],
        }
    }
}

/// Datagrams under way, for all clients and both directions.
struct Post {
    line: Arc<Line>,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// By time, and those of one time as they came.
    mail: BTreeMap<(Instant, u64), Mail>,
    count: u64,
    closed: bool,
}

struct Mail {
    from: Arc<UdpSocket>,
    to: SocketAddr,
    connection: u64,
    way: Way,
    fate: Fate,
    bytes: Vec<u8>,
}

impl Post {
    fn take(&self, direction: &mut Direction, from: &Arc<UdpSocket>, to: SocketAddr, bytes: &[u8]) {
        let times = direction.draw(&self.line.network, bytes.len());
        let mut queue = self.queue();
        if times.is_empty() || queue.mail.len() >= UNDER_WAY {
            self.line.record(direction.connection, direction.way, Fate::Lost, bytes);
            return;
        }
        for (copy, due) in times.into_iter().enumerate() {
            let fate = if copy == 0 { Fate::Delivered } else { Fate::Repeated };
            let (connection, way) = (direction.connection, direction.way);
            let mail =
                Mail { from: from.clone(), to, connection, way, fate, bytes: bytes.to_vec() };
            queue.count += 1;
            let key = (due, queue.count);
            queue.mail.insert(key, mail);
        }
        self.changed.notify_one();
    }

    fn deliver(&self) {
        let mut queue = self.queue();
        while !queue.closed {
            let now = Instant::now();
            queue = match queue.mail.first_entry() {
                None => self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner),
                Some(first) if first.key().0 <= now => {
                    let mail = first.remove();
                    drop(queue);
                    self.send(&mail);
                    self.queue()
                }
                Some(first) => {
                    let pause = first.key().0 - now;
                    self.changed
                        .wait_timeout(queue, pause)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }

    fn send(&self, mail: &Mail) {
        // Before it is sent: whoever receives it may answer before this thread goes on.
        self.line.record(mail.connection, mail.way, mail.fate, &mail.bytes);
        let sent = match mail.way {
            Way::ToServer => mail.from.send(&mail.bytes),
            Way::ToClient => mail.from.send_to(&mail.bytes, mail.to),
        };
        if let Err(error) = sent {
            log::debug!("{} a datagram was not taken: {}", mail.to, reason(&error));
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        lock(&self.queue)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each change is one call, so what a thread that panicked has left is whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const IDLE: Duration = Duration::from_secs(3);

    /// A hundred times shorter, so that a machine that stalls does not make the client
    /// idle.
    const PAUSE: Duration = Duration::from_millis(30);

    #[test]
    fn a_client_that_goes_on_sending_keeps_its_port_though_the_server_is_silent() {
        let here = (Ipv4Addr::LOCALHOST, 0);
        let server = UdpSocket::bind(here).unwrap();
        server.set_read_timeout(Some(IDLE)).unwrap();
        let socket = UdpSocket::bind(here).unwrap();
        let client = UdpSocket::bind(here).unwrap();
        client.connect(socket.local_addr().unwrap()).unwrap();
        let shutdown = Shutdown::new(Duration::ZERO).unwrap();
        let line = Line::new(&Network::default(), None);
        let threads = start(socket, server.local_addr().unwrap(), line, IDLE, &shutdown).unwrap();

        let (started, mut first) = (Instant::now(), None);
        while started.elapsed() < IDLE * 2 {
            client.send(b"anybody?").unwrap();
            let (_, from) = server.recv_from(&mut [0; 8]).unwrap();
            assert_eq!(*first.get_or_insert(from), from);
            // The pause of the client is what this is about.
            thread::sleep(PAUSE);
        }
        shutdown.stop();
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
