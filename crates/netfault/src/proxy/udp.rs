//! Datagrams through a bad network: clients, each with a socket of its own towards the
//! server.

use std::collections::HashMap;
use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::reach::{Reach, of_receive};
use netcore::shutdown::Shutdown;
use netcore::wait::{self, Interest, Waited};

use super::post::{Direction, Post};
use super::record::Way;
use super::{Line, lock, named};
use crate::DATAGRAM;

/// Clients at a time. Each has a socket of its own towards the server; what further
/// ones send is lost.
const CLIENTS: usize = 256;

/// A client that has neither sent nor been answered for this long has gone.
pub(super) const IDLE: Duration = Duration::from_secs(60);

/// How long to leave the socket alone when it cannot be received from.
const SHORTAGE_PAUSE: Duration = Duration::from_millis(100);

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
    let post = Arc::new(Post::new(line));
    let waking = post.clone();
    shutdown.on_stop(move || waking.close());
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
    let mut buf = vec![0; DATAGRAM];
    let mut full = false;
    while !shutdown.is_stopping() {
        let (n, peer) = match next(socket, &mut buf, shutdown, Deadline::NEVER) {
            Ok(Some(received)) => received,
            Ok(None) => break,
            // A shortage, say, which passes.
            Err(error) => {
                log::warn!("cannot receive for now: {}", reason(&error));
                wait::pause(SHORTAGE_PAUSE, shutdown)?;
                continue;
            }
        };
        let known = lock(&clients).get(&peer).cloned();
        let client = match known {
            Some(known) => known,
            None if lock(&clients).len() == CLIENTS => {
                // Once, and not for each datagram.
                if !full {
                    log::warn!("{peer} is left out: there are {CLIENTS} clients already");
                }
                full = true;
                continue;
            }
            None => {
                full = false;
                match newcomer(socket, server, peer, &clients, post, idle, shutdown) {
                    Ok((client, thread)) => {
                        log::info!("{peer} is a new client");
                        threads.push(thread);
                        client
                    }
                    // Its next datagram may find more.
                    Err(error) => {
                        log::warn!("{peer} is left out for now: {}", reason(&error));
                        continue;
                    }
                }
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

/// A client of its own socket towards the server, and the thread for what comes back.
fn newcomer(
    socket: &Arc<UdpSocket>,
    server: SocketAddr,
    peer: SocketAddr,
    clients: &Arc<Mutex<HashMap<SocketAddr, Client>>>,
    post: &Arc<Post>,
    idle: Duration,
    shutdown: &Shutdown,
) -> io::Result<(Client, JoinHandle<()>)> {
    let upstream = Arc::new(towards(server)?);
    let connection = post.line.next_connection();
    let client = Client { upstream, connection, last: Arc::new(Mutex::new(Instant::now())) };
    lock(clients).insert(peer, client.clone());
    let (answered, downstream) = (client.clone(), socket.clone());
    let (post, shutdown, known) = (post.clone(), shutdown.clone(), clients.clone());
    let thread = named("answers", move || {
        answer(&answered, &downstream, peer, &post, idle, &shutdown);
        lock(&known).remove(&peer);
    });
    if thread.is_err() {
        lock(clients).remove(&peer);
    }
    Ok((client, thread?))
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
    let mut buf = vec![0; DATAGRAM];
    loop {
        let left = idle.saturating_sub(lock(&client.last).elapsed());
        match next(&client.upstream, &mut buf, shutdown, Deadline::after(left)) {
            Ok(Some((n, _))) => {
                *lock(&client.last) = Instant::now();
                post.take(&mut direction, downstream, peer, &buf[..n]);
            }
            // A shortage, say, which passes. Who has been asked may still answer.
            Err(error) => {
                log::warn!("cannot receive from the server for now: {}", reason(&error));
                if wait::pause(SHORTAGE_PAUSE, shutdown).is_err() {
                    return;
                }
            }
            // The client has sent meanwhile.
            Ok(None) if !shutdown.is_stopping() && lock(&client.last).elapsed() < idle => {}
            Ok(None) => return,
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
                if wait::ready(socket, Interest::Reading, Some(shutdown), deadline)?
                    != Waited::Ready
                {
                    return Ok(None);
                }
            }
            // Most often what has become of an earlier datagram: nobody listens there, no way
            // leads there.
            Err(error) if matches!(of_receive(&error), Reach::Nothing | Reach::One) => {}
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::super::Network;
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
