//! Problem 6: cameras tell which car they have seen where and when, and dispatchers are told
//! who was too fast. As in `chat`, the server speaks by itself, and nobody waits for a
//! dispatcher that does not read.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufReader, ErrorKind, Read};
use std::net::SocketAddr;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::outbox::{Line, Outbox};

use crate::server::{IDLE, has_more};

/// Messages that may wait for a client before it is dropped.
const QUEUE: usize = 1000;

/// Sightings, and tickets that wait for a dispatcher, at most: the bound on memory.
const MOST: usize = 1_000_000;

const SECONDS_OF_A_DAY: u32 = 86_400;

/// A car and the road that it was seen on.
type Car = (Vec<u8>, u16);

/// What all clients share.
#[derive(Debug, Default)]
pub struct Roads(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// At which mile, by time.
    seen: HashMap<Car, BTreeMap<u32, u16>>,
    sightings: usize,
    /// The days, from one to another, that a car has its ticket for.
    ticketed: HashMap<Vec<u8>, Vec<(u32, u32)>>,
    /// Tickets for roads that no dispatcher is there for.
    waiting: Vec<(u16, Line)>,
    dispatchers: Vec<(Vec<u16>, Arc<Outbox>)>,
}

#[derive(Debug, Clone, Copy)]
struct Camera {
    road: u16,
    mile: u16,
    limit: u16,
}

/// What a client is.
#[derive(Debug)]
enum Role {
    Unknown,
    Camera(Camera),
    Dispatcher,
}

impl Roads {
    /// One client.
    ///
    /// # Errors
    /// What the connection says, and what the client did wrong, which it is told.
    pub fn talk(&self, stream: &mut Connection, _: SocketAddr) -> io::Result<()> {
        let outbox = Outbox::new(stream, QUEUE, missed)?;
        let done = self.listen(&mut BufReader::new(stream), &outbox);
        self.state().dispatchers.retain(|(_, other)| !Arc::ptr_eq(other, &outbox));
        if let Err(error) = &done
            && error.kind() == ErrorKind::InvalidData
        {
            outbox.dismiss(&[&[0x10][..], &text(error.to_string().as_bytes())].concat());
        }
        done
    }

    fn listen(
        &self,
        reader: &mut BufReader<&mut Connection>,
        outbox: &Arc<Outbox>,
    ) -> io::Result<()> {
        let (mut role, mut heartbeat) = (Role::Unknown, None);
        loop {
            // A dispatcher may have nothing to say for long.
            let idle = if matches!(role, Role::Dispatcher) { 10 * IDLE } else { IDLE };
            reader.get_mut().set_deadline(Deadline::after(idle));
            if !has_more(reader) {
                return reader.get_mut().check_deadline();
            }
            let [kind] = bytes(reader)?;
            match (kind, &role) {
                (0x20, Role::Camera(camera)) => {
                    let [length] = bytes(reader)?;
                    let mut plate = vec![0; length.into()];
                    reader.read_exact(&mut plate)?;
                    let time = u32::from_be_bytes(bytes(reader)?);
                    self.has_seen(*camera, plate, time)?;
                }
                (0x40, _) if heartbeat.is_none() => {
                    let tenths = u32::from_be_bytes(bytes(reader)?);
                    heartbeat = Some(beat(100 * u64::from(tenths), outbox)?);
                }
                (0x80, Role::Unknown) => {
                    let [road, mile, limit] = [number(reader)?, number(reader)?, number(reader)?];
                    role = Role::Camera(Camera { road, mile, limit });
                }
                (0x81, Role::Unknown) => {
                    let [roads] = bytes(reader)?;
                    let roads = (0..roads).map(|_| number(reader)).collect::<io::Result<_>>()?;
                    self.welcome(roads, outbox);
                    role = Role::Dispatcher;
                }
                _ => return Err(wrong("no such message, or not from you, or not now")),
            }
        }
    }

    fn has_seen(&self, camera: Camera, plate: Vec<u8>, time: u32) -> io::Result<()> {
        let mut state = self.state();
        if state.sightings >= MOST {
            return Err(wrong("no room for another sighting"));
        }
        state.sightings += 1;
        let seen = state.seen.entry((plate.clone(), camera.road)).or_default();
        seen.insert(time, camera.mile);
        // Who was too fast between two sightings was so between two neighbours among them.
        let before = seen.range(..time).next_back().map(|(time, mile)| (*time, *mile));
        let after =
            seen.range((Excluded(time), Unbounded)).next().map(|(time, mile)| (*time, *mile));
        let now = Some((time, camera.mile));
        for pair in [before.zip(now), now.zip(after)].into_iter().flatten() {
            if let Some(ticket) = state.ticket(camera, &plate, pair) {
                state.deliver(camera.road, ticket);
            }
        }
        Ok(())
    }

    fn welcome(&self, roads: Vec<u16>, outbox: &Arc<Outbox>) {
        let mut state = self.state();
        state.dispatchers.push((roads, outbox.clone()));
        let waiting = std::mem::take(&mut state.waiting);
        // Those of other roads go back to where they were.
        for (road, ticket) in waiting {
            state.deliver(road, ticket);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// For a car that was at one place and then at another; `None` where it was not too fast,
    /// or has its ticket for one of these days.
    fn ticket(
        &mut self,
        camera: Camera,
        plate: &[u8],
        ((from, first), (to, last)): ((u32, u16), (u32, u16)),
    ) -> Option<Line> {
        // Miles an hour, times 100. Two sightings of one moment are no journey.
        let miles = u64::from(first.abs_diff(last));
        let speed = (miles * 3600 * 100).checked_div((to - from).into())?;
        let days = (from / SECONDS_OF_A_DAY, to / SECONDS_OF_A_DAY);
        let ticketed = self.ticketed.entry(plate.into()).or_default();
        let has_one = ticketed.iter().any(|known| known.0 <= days.1 && days.0 <= known.1);
        if speed <= 100 * u64::from(camera.limit) || has_one {
            return None;
        }
        ticketed.push(days);
        let mut ticket = [&[0x21][..], &text(plate)].concat();
        ticket.extend(camera.road.to_be_bytes());
        for (mile, time) in [(first, from), (last, to)] {
            ticket.extend(mile.to_be_bytes());
            ticket.extend(time.to_be_bytes());
        }
        ticket.extend(u16::try_from(speed).unwrap_or(u16::MAX).to_be_bytes());
        Some(ticket.into())
    }

    /// To one dispatcher of the road, or kept until one comes.
    fn deliver(&mut self, road: u16, ticket: Line) {
        while let Some(at) = self.dispatchers.iter().position(|(roads, _)| roads.contains(&road)) {
            let outbox = &self.dispatchers[at].1;
            if outbox.push(&ticket) {
                return outbox.send();
            }
            outbox.dismiss(b"");
            self.dispatchers.remove(at);
        }
        if self.waiting.len() < MOST {
            self.waiting.push((road, ticket));
        }
    }
}

/// A heartbeat until the sender is dropped; none where it is wanted every 0 ms.
fn beat(milliseconds: u64, outbox: &Arc<Outbox>) -> io::Result<Sender<()>> {
    let (lives, ends) = mpsc::channel();
    let outbox = outbox.clone();
    let beats = move || {
        let every = Duration::from_millis(milliseconds);
        while ends.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            if !outbox.push(&Line::from([0x41])) {
                return outbox.dismiss(b"");
            }
            outbox.send();
        }
    };
    if milliseconds > 0 {
        thread::Builder::new().spawn(beats)?;
    }
    Ok(lives)
}

fn bytes<const N: usize>(reader: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    reader.read_exact(&mut bytes).map(|()| bytes)
}

fn number(reader: &mut impl Read) -> io::Result<u16> {
    bytes(reader).map(u16::from_be_bytes)
}

/// A text with its length, of which 255 bytes can be said.
fn text(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len()).unwrap_or(u8::MAX);
    [&[length][..], &text[..length.into()]].concat()
}

fn wrong(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why)
}

/// Never said: whoever has missed anything is dropped.
fn missed(_: u64) -> Line {
    Line::from([])
}
