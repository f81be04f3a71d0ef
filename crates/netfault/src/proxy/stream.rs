//! One connection through a bad network: a thread that waits for both of its ends, and
//! for each direction a queue of what is under way.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::net::Shutdown as Side;
use std::time::{Duration, Instant};

use netcore::shutdown::Shutdown;
use netcore::wait::timespec;
use rustix::event::{PollFd, PollFlags, poll};
use socket2::Socket;

use super::reader::Reader;
use super::record::{Fate, Way};
use super::{Line, Network, RETRANSMISSION, Timing};
use crate::random::Random;

/// Bytes that are read at once.
const BUFFER: usize = 16 << 10;

/// Segments under way in one direction. When they are as many, the sender has to wait,
/// as for any slow network.
const UNDER_WAY: usize = 64;

/// Both ends of a connection.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) client: Socket,
    pub(super) server: Socket,
}

impl Ends {
    /// Neither end has anything to expect of the other any more. It looks like an end.
    pub(super) fn close(&self) {
        for stream in [&self.client, &self.server] {
            let _ = stream.shutdown(Side::Both);
        }
    }

    /// The same, and what was cut must not look whole: with a linger time of zero the
    /// close that follows is a reset. On a UNIX socket what the [`Reader`] has left makes it
    /// one; towards an end there that has said nothing it cannot be told from an end.
    fn reset(&self) {
        for stream in [&self.client, &self.server] {
            let _ = stream.set_linger(Some(Duration::ZERO));
        }
    }
}

/// Carries both directions to their ends. When one end breaks off, so does the other.
pub(super) fn carry(
    ends: &Ends,
    connection: u64,
    line: &Line,
    shutdown: &Shutdown,
) -> io::Result<()> {
    let mut there = Direction::new(line, connection, Way::ToServer, &ends.client)?;
    let mut back = Direction::new(line, connection, Way::ToClient, &ends.server)?;
    let carried = carry_both(ends, &mut there, &mut back, shutdown);
    let cut = there.cut || back.cut;
    if carried.is_err() && !cut {
        ends.reset();
        return carried;
    }
    there.reader.leave_nothing(&ends.client);
    back.reader.leave_nothing(&ends.server);
    if cut {
        ends.close();
    }
    carried
}

fn carry_both(
    Ends { client, server }: &Ends,
    there: &mut Direction,
    back: &mut Direction,
    shutdown: &Shutdown,
) -> io::Result<()> {
    for stream in [client, server] {
        stream.set_nonblocking(true)?;
        // A UNIX socket holds nothing back, and has no such option.
        let _ = stream.set_tcp_nodelay(true);
    }
    let mut buf = vec![0; BUFFER];
    while !(there.ended && back.ended) {
        // A stop closes both ends from outside, which is no end of a stream. Looked at before
        // the wait as well, for one that came before there was anything to close.
        stopping(shutdown)?;
        let ready = wait(client, server, there, back)?;
        stopping(shutdown)?;
        if ready.client {
            there.receive(client, &mut buf);
        }
        if ready.server {
            back.receive(server, &mut buf);
        }
        // To an end that has broken off, nothing can be handed on; what it has said is under
        // way.
        if !back.broken {
            there.deliver(server)?;
        }
        if !there.broken {
            back.deliver(client)?;
        }
    }
    Ok(())
}

fn stopping(shutdown: &Shutdown) -> io::Result<()> {
    match shutdown.is_stopping() {
        true => Err(io::Error::other("the proxy has ended")),
        false => Ok(()),
    }
}

/// Which ends have something to read.
struct Ready {
    client: bool,
    server: bool,
}

/// Until one end can be read or written where that is wanted, or something is due.
fn wait(
    client: &Socket,
    server: &Socket,
    there: &Direction,
    back: &Direction,
) -> io::Result<Ready> {
    let now = Instant::now();
    let wanted = |flag: PollFlags, is: bool| if is { flag } else { PollFlags::empty() };
    // One that has said all and heard all would be ready for ever.
    let mut ends = vec![(client, there, back), (server, back, there)];
    ends.retain(|(_, reads, writes)| {
        !(reads.broken || reads.gone || reads.heard_out && writes.ended)
    });
    let both = ends.iter().flat_map(|(stream, reads, writes)| {
        let readable = reads.reader.readable(stream);
        [
            PollFd::new(*stream, wanted(PollFlags::OUT, writes.is_due(now))),
            PollFd::from_borrowed_fd(readable, wanted(PollFlags::IN, reads.has_room())),
        ]
    });
    let mut fds: Vec<PollFd> = both.collect();
    // What is due already waits for room, not for time; and what is for an end that has broken
    // off, for nothing. Neither delays what comes due the other way.
    let pairs = [(there, back), (back, there)];
    let open = pairs.iter().filter(|(_, receiver)| !receiver.broken);
    let next = open.filter_map(|(writes, _)| writes.next()).filter(|due| *due > now).min();
    let timeout = next.map(|at| timespec(at.saturating_duration_since(now)));
    match poll(&mut fds, timeout.as_ref()) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let mut ready = Ready { client: false, server: false };
    for ((stream, reads, _), fds) in ends.iter().zip(fds.chunks(2)) {
        // An end that has broken off tells it whether it is asked or not; a read says how.
        let broken = fds[0].revents().intersects(PollFlags::ERR | PollFlags::HUP);
        if broken && reads.heard_out {
            stream.take_error()?.map_or(Ok(()), Err)?;
        }
        // Several bits on Windows, of which it tells one.
        if broken || fds[1].revents().intersects(PollFlags::IN) {
            match reads.way {
                Way::ToServer => ready.client = true,
                Way::ToClient => ready.server = true,
            }
        }
    }
    Ok(ready)
}

/// What is under way.
enum Piece {
    Bytes(Vec<u8>),
    /// The sender has closed its side.
    End,
    /// The sender has broken off.
    Reset(io::Error),
}

/// One direction: what its sender has said and its receiver has yet to hear.
struct Direction<'a> {
    line: &'a Line,
    connection: u64,
    way: Way,
    random: Random,
    timing: Timing,
    /// Each with the time at which it is due, in order: TCP keeps it, so what is late
    /// delays what follows.
    queue: VecDeque<(Instant, Piece)>,
    last: Instant,
    /// Bytes of the first piece that have been delivered, once it has been recorded.
    begun: Option<usize>,
    /// Bytes that may still pass.
    left: Option<u64>,
    reader: Reader,
    heard_out: bool,
    broken: bool,
    /// The sender, heard out, has closed altogether: it hears nothing more either.
    gone: bool,
    ended: bool,
    cut: bool,
}

impl<'a> Direction<'a> {
    fn new(line: &'a Line, connection: u64, way: Way, from: &Socket) -> io::Result<Direction<'a>> {
        Ok(Direction {
            line,
            connection,
            way,
            random: line.random(connection, way),
            timing: Timing::new(),
            queue: VecDeque::new(),
            last: Instant::now(),
            begun: None,
            left: line.network().cut_after,
            reader: Reader::of(from)?,
            heard_out: false,
            broken: false,
            gone: false,
            ended: false,
            cut: false,
        })
    }

    fn has_room(&self) -> bool {
        !self.heard_out && self.queue.len() < UNDER_WAY
    }

    fn next(&self) -> Option<Instant> {
        self.queue.front().map(|(due, _)| *due)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.next().is_some_and(|due| due <= now)
    }

    fn record(&self, fate: Fate, bytes: &[u8]) {
        self.line.record(self.connection, self.way, fate, bytes);
    }

    fn push(&mut self, network: &Network, piece: Piece, bytes: usize) {
        let mut due = self.timing.due(network, &mut self.random, bytes);
        if bytes > 0 && self.random.happens(network.loss) {
            due += RETRANSMISSION;
        }
        self.last = self.last.max(due);
        self.queue.push_back((self.last, piece));
    }

    fn receive(&mut self, from: &Socket, buf: &mut [u8]) {
        if self.heard_out {
            self.gone = true;
            return;
        }
        let read = self.reader.read(from, buf);
        // Once for all that has come together.
        let network = &self.line.network();
        match read {
            Ok([]) => {
                self.heard_out = true;
                self.push(network, Piece::End, 0);
            }
            Ok(read) => {
                let slice = network.slice.unwrap_or(BUFFER).max(1);
                for bytes in read.chunks(slice) {
                    self.push(network, Piece::Bytes(bytes.to_vec()), bytes.len());
                }
            }
            Err(error) if passes(&error) => {}
            // What is under way arrives all the same, and then the reset.
            Err(error) => {
                (self.heard_out, self.broken) = (true, true);
                self.push(network, Piece::Reset(error), 0);
            }
        }
    }

    /// Hands on whatever is due, as far as the receiver has room.
    fn deliver(&mut self, mut to: &Socket) -> io::Result<()> {
        while self.is_due(Instant::now()) {
            let Some((due, piece)) = self.queue.pop_front() else { return Ok(()) };
            let bytes = match piece {
                Piece::Bytes(bytes) => bytes,
                Piece::End => {
                    // Half-close: this direction has ended, the other one goes on.
                    self.record(Fate::Ended, &[]);
                    self.ended = true;
                    return to.shutdown(Side::Write);
                }
                Piece::Reset(error) => {
                    self.record(Fate::Reset, &[]);
                    return Err(error);
                }
            };
            let left =
                self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
            let passing = &bytes[..bytes.len().min(left)];
            // Before the write: whoever receives it may answer before this thread goes on.
            if self.begun.is_none() {
                self.record(Fate::Delivered, passing);
            }
            let begun = self.begun.take().unwrap_or(0);
            match to.write(&passing[begun..]) {
                Ok(n) if begun + n == passing.len() => {}
                Ok(n) => {
                    self.put_back(due, bytes, begun + n);
                    return Ok(());
                }
                Err(error) if passes(&error) => {
                    self.put_back(due, bytes, begun);
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
            if let Some(left) = &mut self.left {
                *left -= passing.len() as u64;
                if *left == 0 {
                    self.record(Fate::Cut, &[]);
                    self.cut = true;
                    return Err(io::Error::other("cut as it was asked for"));
                }
            }
        }
        Ok(())
    }

    fn put_back(&mut self, due: Instant, bytes: Vec<u8>, begun: usize) {
        self.begun = Some(begun);
        self.queue.push_front((due, Piece::Bytes(bytes)));
    }
}

fn passes(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}
