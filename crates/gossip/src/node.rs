//! The loop around a replica: one thread receives, one asks somebody in each round, one
//! prints, and one reads what is typed. All that they share is behind one lock, which
//! nobody holds while it waits.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use netcore::datagrams::{BUFFER, Datagrams, answer_for};
use netcore::log::{harmless, payload};
use netcore::shutdown::Shutdown;
use netcore::wait;
use ring::rand::{self, SystemRandom};

use crate::proofs::{Opened, Proofs};
use crate::replica::{Outgoing, Replica, generation};
use crate::table::Event;
use crate::wire::LARGEST;

/// Lines for the screen that wait for it. Where nobody reads them, further ones are lost,
/// and the node goes on.
pub const UNPRINTED: usize = 1_000;

/// The same trouble is told so often at most.
const TROUBLE: Duration = Duration::from_secs(10);

/// A node, for all its threads.
#[derive(Debug)]
pub struct Node {
    state: Mutex<State>,
    every: Duration,
    started: Instant,
    screen: SyncSender<String>,
}

#[derive(Debug)]
struct State {
    replica: Replica,
    proofs: Proofs,
    /// When each kind of trouble was told last.
    warned: HashMap<&'static str, Instant>,
}

impl Node {
    /// A node that asks every `every` and hands what happens to `screen`, line by line.
    pub fn new(
        replica: Replica,
        proofs: Proofs,
        every: Duration,
        screen: SyncSender<String>,
    ) -> Arc<Node> {
        let state = Mutex::new(State { replica, proofs, warned: HashMap::new() });
        Arc::new(Node { state, every, started: Instant::now(), screen })
    }

    /// Does with the replica what a person wants.
    pub fn with<T>(&self, act: impl FnOnce(&mut Replica, Duration) -> T) -> T {
        act(&mut self.state().replica, self.started.elapsed())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // What panicked has changed one entry at most, and each entry stands by itself.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One round: the datagram that goes out in it.
    fn round(&self) -> Option<(SocketAddr, Vec<u8>)> {
        let (mut state, chance, now) = (self.state(), chance(), self.started.elapsed());
        state.replica.look_at_clock(since_1970(), now);
        let asked = state.replica.tick(now, chance);
        self.tell(&mut state);
        asked.map(|asked| state.close(asked))
    }

    /// Takes in a datagram: what goes back.
    fn receive(&self, datagram: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
        // On a socket for both families, whoever is asked at 127.0.0.1 answers from
        // ::ffff:127.0.0.1, and is the same one.
        let peer = match peer.ip().to_canonical() {
            ip @ IpAddr::V4(_) => SocketAddr::new(ip, peer.port()),
            IpAddr::V6(_) => peer,
        };
        log::debug!("{peer} received {} bytes {}", datagram.len(), payload(datagram));
        let (mut state, now) = (self.state(), self.started.elapsed());
        let opened = match datagram.len() {
            0..=LARGEST => state.proofs.open(peer, datagram),
            _ => Opened::Refused("it is longer than any of ours"),
        };
        let body = match opened {
            Opened::Body(body) => state.replica.receive(peer, &body, now),
            Opened::Admitted => state.replica.ask(now),
            Opened::Challenge(token) => return Some(token),
            Opened::Refused(why) => {
                state.trouble(why, &format!("{peer} refused {} bytes: {why}", datagram.len()));
                None
            }
        };
        self.tell(&mut state);
        body.map(|body| state.close((peer, body)).1)
    }

    fn goodbye(&self) -> Vec<(SocketAddr, Vec<u8>)> {
        let mut state = self.state();
        let last = state.replica.leave(self.started.elapsed(), chance());
        last.into_iter().map(|body| state.close(body)).collect()
    }

    /// A datagram that cannot be sent is lost, as the network may lose any.
    fn send(&self, datagrams: &Datagrams, datagram: &[u8], peer: SocketAddr) {
        if let Err(why) = datagrams.try_send(datagram, peer) {
            self.state().trouble("unsent", &format!("{peer} dropped: {why}"));
        }
    }

    /// What has happened, for the screen and for the log.
    fn tell(&self, state: &mut State) {
        for event in state.replica.events() {
            let line = match event {
                Event::Wrote(name, text) => format!("{name}: {}", harmless(&text)),
                Event::Joined(name) => format!("* {name} joined"),
                Event::Back(name) => format!("* {name} is back"),
                Event::Left(name) => format!("* {name} left"),
                Event::Away(name) => {
                    // Whoever has its address next has let nobody in.
                    if let Some(address) =
                        state.replica.members().get(&name).and_then(|it| it.address)
                    {
                        state.proofs.forget(address);
                    }
                    format!("* {name} is away")
                }
                Event::SameName(peer) => {
                    let why = "has the same name as this node: rename one";
                    state.trouble(why, &format!("{peer} {why}"));
                    continue;
                }
                Event::Refused(name, why) => {
                    state.trouble(why, &format!("nothing is taken of {name}: {why}"));
                    continue;
                }
            };
            // Lost where the screen is that far behind.
            let _ = self.screen.try_send(line);
        }
    }
}

impl State {
    fn close(&self, (to, body): Outgoing) -> (SocketAddr, Vec<u8>) {
        let datagram = self.proofs.close(to, &body);
        log::debug!("{to} sending {} bytes {}", datagram.len(), payload(&datagram));
        (to, datagram)
    }

    /// Whoever floods us does not fill the log as well, nor hides trouble of another `kind`.
    fn trouble(&mut self, kind: &'static str, what: &str) {
        let now = Instant::now();
        if self.warned.get(kind).is_none_or(|before| now - *before >= TROUBLE) {
            self.warned.insert(kind, now);
            log::warn!("{what}");
        } else {
            log::debug!("{what}");
        }
    }
}

/// Asks and answers until `shutdown` is told to stop, and then says goodbye.
///
/// # Errors
/// What receive says when no further datagram could be received; that no thread could be
/// started.
pub fn serve(socket: UdpSocket, node: &Arc<Node>, shutdown: &Shutdown) -> io::Result<()> {
    let datagrams = &Datagrams::new(socket, shutdown)?;
    thread::scope(|scope| {
        thread::Builder::new().spawn_scoped(scope, || ask(node, datagrams, shutdown))?;
        let answered = answer(node, datagrams);
        // The other thread asks until it is told, and this scope ends with it.
        shutdown.stop();
        answered
    })?;
    for (peer, datagram) in node.goodbye() {
        node.send(datagrams, &datagram, peer);
    }
    Ok(())
}

fn answer(node: &Node, datagrams: &Datagrams) -> io::Result<()> {
    let mut buf = vec![0; BUFFER];
    while let Some((n, peer)) = datagrams.receive(&mut buf)? {
        if let Some(answer) = answer_for(peer, || node.receive(&buf[..n], peer)) {
            node.send(datagrams, &answer, peer);
        }
    }
    Ok(())
}

fn ask(node: &Node, datagrams: &Datagrams, shutdown: &Shutdown) {
    while !shutdown.is_stopping() {
        if let Some((peer, datagram)) = node.round() {
            node.send(datagrams, &datagram, peer);
        }
        if let Err(error) = wait::pause(node.every, shutdown) {
            log::error!("cannot wait for the next round: {error}");
            return shutdown.stop();
        }
    }
}

/// Which life of a node begins now.
pub fn life() -> u64 {
    generation(since_1970(), chance() as u16)
}

fn since_1970() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// A number that nobody can guess; zeros where the system has none, which is as good as
/// any to choose whom to ask.
pub fn chance() -> u64 {
    let random = rand::generate::<[u8; 8]>(&SystemRandom::new());
    random.map_or(0, |random| u64::from_be_bytes(random.expose()))
}
