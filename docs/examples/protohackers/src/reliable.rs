//! Problem 7: lines that are turned around, over a small TCP of our own on datagrams: sessions,
//! positions, acknowledgements, and asking again. The clock is handed in, as to the timer of
//! `udp-reliable`.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use netcore::datagrams::{BUFFER, Datagrams};
use netcore::shutdown::Shutdown;

/// A datagram has fewer bytes.
const LARGEST: usize = 1000;

/// What is not acknowledged is sent again.
const AGAIN: Duration = Duration::from_secs(3);

/// Who says nothing for so long has gone.
const GONE: Duration = Duration::from_secs(60);

/// Sessions at most, bytes of a line at most, and bytes that wait for an acknowledgement before
/// nothing more is taken in: together the bound on memory.
const MOST: (usize, usize, usize) = (1000, 10_000, 64 << 10);

/// Numbers are below this.
const NUMBERS: u32 = 1 << 31;

/// A message, and to whom.
pub type Outgoing = (SocketAddr, Vec<u8>);

/// All sessions.
#[derive(Debug, Default)]
pub struct Sessions(HashMap<(SocketAddr, u32), Session>);

#[derive(Debug)]
struct Session {
    /// Bytes that have come, and those of them that are no whole line yet.
    received: u32,
    line: Vec<u8>,
    /// Bytes that were acknowledged, and those behind them that were not.
    acknowledged: u32,
    waiting: Vec<u8>,
    heard: Instant,
    sent: Instant,
}

#[derive(Debug, PartialEq, Eq)]
enum Message {
    Connect(u32),
    Data(u32, u32, Vec<u8>),
    Ack(u32, u32),
    Close(u32),
}

impl Sessions {
    /// What is sent when this datagram has come.
    pub fn receive(&mut self, datagram: &[u8], peer: SocketAddr, now: Instant) -> Vec<Outgoing> {
        let Some(message) = parse(datagram) else { return Vec::new() };
        let id = match message {
            Message::Connect(id)
            | Message::Data(id, ..)
            | Message::Ack(id, _)
            | Message::Close(id) => id,
        };
        if let Message::Connect(_) = message
            && (self.0.len() < MOST.0 || self.0.contains_key(&(peer, id)))
        {
            self.0.entry((peer, id)).or_insert_with(|| Session::new(now));
        }
        let answers = self.0.get_mut(&(peer, id)).and_then(|session| {
            session.heard = now;
            match message {
                Message::Connect(_) => Some(vec![session.ack(id)]),
                Message::Data(_, position, data) => session.take(id, position, &data, now),
                Message::Ack(_, length) => session.is_acknowledged(id, length, now),
                Message::Close(_) => None,
            }
        });
        let answers = answers.unwrap_or_else(|| {
            self.0.remove(&(peer, id));
            vec![format!("/close/{id}/").into_bytes()]
        });
        answers.into_iter().map(|answer| (peer, answer)).collect()
    }

    /// What is sent because of the time; whoever has gone is forgotten.
    pub fn tick(&mut self, now: Instant) -> Vec<Outgoing> {
        self.0.retain(|_, session| now < session.heard + GONE);
        let mut out = Vec::new();
        for ((peer, id), session) in &mut self.0 {
            if !session.waiting.is_empty() && now >= session.sent + AGAIN {
                out.extend(session.send(*id, 0, now).into_iter().map(|it| (*peer, it)));
            }
        }
        out
    }

    /// When [`tick`](Sessions::tick) has something to do.
    pub fn next(&self) -> Option<Instant> {
        let due = |session: &Session| {
            let again = (!session.waiting.is_empty()).then(|| session.sent + AGAIN);
            again.into_iter().chain([session.heard + GONE]).min()
        };
        self.0.values().filter_map(due).min()
    }
}

impl Session {
    fn new(now: Instant) -> Session {
        let (line, waiting) = (Vec::new(), Vec::new());
        Session { received: 0, line, acknowledged: 0, waiting, heard: now, sent: now }
    }

    fn ack(&self, id: u32) -> Vec<u8> {
        format!("/ack/{id}/{}/", self.received).into_bytes()
    }

    /// `None` ends the session, here and below.
    fn take(&mut self, id: u32, position: u32, data: &[u8], now: Instant) -> Option<Vec<Vec<u8>>> {
        // What has come before may come again, with more behind it. Where something before it
        // is missing, or nobody takes what we say, the same acknowledgement says so.
        let known = self.received.checked_sub(position).map(|known| known as usize);
        let new = known.and_then(|known| data.get(known..)).unwrap_or_default();
        if self.waiting.len() >= MOST.2 {
            return Some(vec![self.ack(id)]);
        }
        self.received = self.received.checked_add(new.len() as u32).filter(|n| *n < NUMBERS)?;
        let before = self.waiting.len();
        for byte in new {
            if *byte == b'\n' {
                self.waiting.extend(self.line.drain(..).rev());
                self.waiting.push(b'\n');
            } else {
                self.line.push(*byte);
            }
        }
        if self.line.len() > MOST.1 {
            return None;
        }
        let mut out = vec![self.ack(id)];
        out.extend(self.send(id, before, now));
        Some(out)
    }

    fn is_acknowledged(&mut self, id: u32, length: u32, now: Instant) -> Option<Vec<Vec<u8>>> {
        let Some(more) = length.checked_sub(self.acknowledged).filter(|more| *more > 0) else {
            // Late, or once more.
            return Some(Vec::new());
        };
        if more as usize > self.waiting.len() {
            return None;
        }
        self.waiting.drain(..more as usize);
        self.acknowledged = length;
        // The first of the rest shows what is missing, if it is. All of it, for each
        // acknowledgement of a part, would be many times what was asked for.
        let mut rest = self.send(id, 0, now);
        rest.truncate(1);
        Some(rest)
    }

    /// What waits for an acknowledgement from the byte `from` on, in datagrams.
    fn send(&mut self, id: u32, from: usize, now: Instant) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let mut at = from;
        while at < self.waiting.len() {
            self.sent = now;
            let position = self.acknowledged + at as u32;
            let mut datagram = format!("/data/{id}/{position}/").into_bytes();
            // Room for an escaped byte and the end.
            while let Some(byte) = self.waiting.get(at).filter(|_| datagram.len() + 3 < LARGEST) {
                if b"/\\".contains(byte) {
                    datagram.push(b'\\');
                }
                datagram.push(*byte);
                at += 1;
            }
            datagram.push(b'/');
            out.push(datagram);
        }
        out
    }
}

/// `None` where it is no message: nobody is answered then.
fn parse(datagram: &[u8]) -> Option<Message> {
    let inside = datagram.strip_prefix(b"/")?.strip_suffix(b"/")?;
    let mut parts = inside.splitn(4, |byte| *byte == b'/');
    let mut next = || parts.next();
    let message = match next()? {
        b"connect" => Message::Connect(number(next()?)?),
        b"close" => Message::Close(number(next()?)?),
        b"ack" => Message::Ack(number(next()?)?, number(next()?)?),
        b"data" => Message::Data(number(next()?)?, number(next()?)?, unescaped(next()?)?),
        _ => return None,
    };
    (datagram.len() < LARGEST && next().is_none()).then_some(message)
}

fn number(text: &[u8]) -> Option<u32> {
    let is_number = text.iter().all(u8::is_ascii_digit);
    let text = str::from_utf8(text).ok().filter(|_| is_number)?;
    text.parse().ok().filter(|number| *number < NUMBERS)
}

fn unescaped(data: &[u8]) -> Option<Vec<u8>> {
    let (mut out, mut bytes) = (Vec::with_capacity(data.len()), data.iter());
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'/' => return None,
            b'\\' => *bytes.next().filter(|byte| b"/\\".contains(byte))?,
            byte => *byte,
        });
    }
    Some(out)
}

/// What both threads share.
#[derive(Debug, Default)]
struct Shared {
    sessions: Mutex<Sessions>,
    /// There is something to send later, or the end.
    changed: Condvar,
}

impl Shared {
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers datagrams until it is told to stop. A thread of its own sends again what needs it.
///
/// # Errors
/// What receive says when no further datagram could be received.
pub fn serve(socket: UdpSocket, shutdown: &Shutdown) -> io::Result<()> {
    let datagrams = &Datagrams::new(socket, shutdown)?;
    let send_all = |out: Vec<Outgoing>| out.iter().for_each(|(to, it)| datagrams.send(it, *to));
    let shared = &Shared::default();
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut sessions = shared.sessions();
            while !shutdown.is_stopping() {
                send_all(sessions.tick(Instant::now()));
                let left = sessions.next().map(|at| at.saturating_duration_since(Instant::now()));
                let waited = shared.changed.wait_timeout(sessions, left.unwrap_or(GONE));
                sessions = waited.unwrap_or_else(PoisonError::into_inner).0;
            }
        });
        let mut buf = vec![0; BUFFER];
        let received = loop {
            match datagrams.receive(&mut buf) {
                Ok(Some((n, peer))) => {
                    let out = shared.sessions().receive(&buf[..n], peer, Instant::now());
                    shared.changed.notify_one();
                    send_all(out);
                }
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        // The other thread ends as well: it looks under the lock, and waits only after that.
        shutdown.stop();
        drop(shared.sessions());
        shared.changed.notify_one();
        received
    })
}

#[cfg(test)]
mod tests;
