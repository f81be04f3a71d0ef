//! A network between nodes that all ask each other: it can be cut in two and healed, and
//! it can lose a share of what passes.
//!
//! Each node tells the others an address of the mesh as its own. So what it sends goes
//! through here, and comes from the address that the others know it by.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::DATAGRAM;
use crate::random::Random;

/// How soon the threads of a mesh see that it has gone.
const LOOK_UP: Duration = Duration::from_millis(50);

/// The addresses of all nodes, and what is between them.
#[derive(Debug)]
pub struct Mesh(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    doors: Vec<UdpSocket>,
    addresses: Vec<SocketAddr>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Where each node really listens.
    real: Vec<Option<SocketAddr>>,
    /// Nodes below it and the others do not reach each other.
    cut: Option<usize>,
    /// The share of what passes that is lost, from 0 to 1.
    lost: f64,
    random: Random,
    is_over: bool,
    passed: u64,
}

impl Mesh {
    /// A mesh for so many nodes, on this machine.
    ///
    /// # Errors
    /// When there are not so many sockets to be had.
    pub fn new(nodes: usize, seed: u64) -> io::Result<Mesh> {
        let bind = |_| {
            let door = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            door.set_read_timeout(Some(LOOK_UP))?;
            Ok(door)
        };
        let doors: Vec<UdpSocket> = (0..nodes).map(bind).collect::<io::Result<_>>()?;
        let addresses = doors.iter().map(UdpSocket::local_addr).collect::<io::Result<_>>()?;
        let (real, random) = (vec![None; nodes], Random::new(seed));
        let state = State { real, cut: None, lost: 0.0, random, is_over: false, passed: 0 };
        let shared = Arc::new(Shared { doors, addresses, state: Mutex::new(state) });
        for number in 0..nodes {
            let shared = shared.clone();
            thread::Builder::new().spawn(move || shared.pass_on(number))?;
        }
        Ok(Mesh(shared))
    }

    /// What this node tells the others as its address.
    pub fn address(&self, node: usize) -> SocketAddr {
        self.0.addresses[node]
    }

    /// Says where this node really listens.
    pub fn attach(&self, node: usize, real: SocketAddr) {
        self.0.state().real[node] = Some(real);
    }

    /// From now on, nodes below `at` and the others do not reach each other.
    pub fn cut(&self, at: usize) {
        self.0.state().cut = Some(at);
    }

    /// From now on all reach each other again.
    pub fn heal(&self) {
        self.0.state().cut = None;
    }

    /// From now on this share is lost, from 0 to 1.
    pub fn lose(&self, share: f64) {
        self.0.state().lost = share;
    }

    /// Bytes that nodes have sent so far.
    pub fn passed(&self) -> u64 {
        self.0.state().passed
    }
}

impl Drop for Mesh {
    fn drop(&mut self) {
        self.0.state().is_over = true;
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Passes on what is for this node, from the address that its sender is known by.
    fn pass_on(&self, to: usize) {
        let mut buf = vec![0; DATAGRAM];
        while !self.state().is_over {
            let (n, peer) = match self.doors[to].recv_from(&mut buf) {
                Ok(received) => received,
                Err(error) => match error.kind() {
                    // A node that has ended refuses what is sent to it; nothing else is wrong.
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {
                        continue;
                    }
                    ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset => continue,
                    _ => return,
                },
            };
            if let Some((from, real)) = self.way(peer, to, n) {
                // Lost where it cannot be sent, as on any network.
                let _ = self.doors[from].send_to(&buf[..n], real);
            }
        }
    }

    /// Which node it is from and where it goes, if it arrives.
    fn way(&self, peer: SocketAddr, to: usize, bytes: usize) -> Option<(usize, SocketAddr)> {
        let mut state = self.state();
        let from = state.real.iter().position(|real| *real == Some(peer))?;
        state.passed += bytes as u64;
        let is_apart = state.cut.is_some_and(|cut| (from < cut) != (to < cut));
        let lost = state.lost;
        let is_lost = state.random.happens(lost);
        if is_apart || is_lost { None } else { Some((from, state.real[to]?)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_comes_from_the_address_that_its_sender_is_known_by_until_the_mesh_is_cut() {
        let mesh = Mesh::new(2, 7).unwrap();
        let nodes: Vec<UdpSocket> =
            (0..2).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        for (number, node) in nodes.iter().enumerate() {
            node.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            mesh.attach(number, node.local_addr().unwrap());
        }
        let heard = |text: &str| {
            nodes[0].send_to(text.as_bytes(), mesh.address(1)).unwrap();
            let mut buf = [0; 100];
            let (n, peer) = nodes[1].recv_from(&mut buf).unwrap();
            assert_eq!(peer, mesh.address(0));
            String::from_utf8_lossy(&buf[..n]).into_owned()
        };
        assert_eq!(heard("whole"), "whole");
        mesh.cut(1);
        nodes[0].send_to(b"cut", mesh.address(1)).unwrap();
        while mesh.passed() < 8 {
            thread::yield_now();
        }
        mesh.heal();
        assert_eq!(heard("healed"), "healed");
        mesh.lose(1.0);
        nodes[0].send_to(b"lost", mesh.address(1)).unwrap();
        while mesh.passed() < 18 {
            thread::yield_now();
        }
        mesh.lose(0.0);
        assert_eq!(heard("kept"), "kept");
    }
}
