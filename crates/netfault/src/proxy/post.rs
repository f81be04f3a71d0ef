//! Datagrams under way: one queue for all, in the order in which they are due.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use netcore::error::reason;

use super::record::{Fate, Way};
use super::{HELD_BACK, Line, Network, Timing, lock};
use crate::random::Random;

/// Datagrams under way. What comes when they are as many is lost, as by any router.
const UNDER_WAY: usize = 1_000;

/// The chance and the timing of what one end sends.
pub(super) struct Direction {
    connection: u64,
    way: Way,
    random: Random,
    timing: Timing,
    /// Bytes that may still pass.
    left: Option<u64>,
}

impl Direction {
    pub(super) fn new(line: &Line, connection: u64, way: Way) -> Direction {
        let random = line.random(connection, way);
        Direction { connection, way, random, timing: Timing::new(), left: line.network().cut_after }
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
pub(super) struct Post {
    pub(super) line: Arc<Line>,
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
    pub(super) fn new(line: Arc<Line>) -> Post {
        Post { line, queue: Mutex::default(), changed: Condvar::new() }
    }

    /// Whoever has seen no stop under the lock waits by the time that we have it.
    pub(super) fn close(&self) {
        self.queue().closed = true;
        self.changed.notify_all();
    }

    pub(super) fn take(
        &self,
        direction: &mut Direction,
        from: &Arc<UdpSocket>,
        to: SocketAddr,
        bytes: &[u8],
    ) {
        let times = direction.draw(&self.line.network(), bytes.len());
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

    pub(super) fn deliver(&self) {
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
