//! One who joins and never reads, in every other slice of a run.
//!
//! Whatever else slows the machine slows neighbouring slices alike, and the deaf one slows
//! only those in which it is there: so each is put beside the one before it, and the median
//! of these ratios is what the deaf one costs.

use std::io::{self, ErrorKind, Write};
use std::net::TcpStream;
use std::time::Instant;

use mio::Events;
use socket2::{Domain, Socket, Type};

use super::{Failed, FanOut, Options};
use crate::bound::Bound;
use crate::deafness::Deafness;
use crate::faults::Fault;
use crate::meter::Meter;
use crate::stop::Stop;

/// Lines that are measured in a slice.
const SLICE: usize = 100;

/// Lines that are said at the beginning of each slice, and are not measured: they fill what
/// the system holds for one who does not read. From then on it is the server who has to do
/// something with what comes.
const FILLING: usize = 250;

/// Bytes of such a line, and how many are said until all have heard them.
const LONG: usize = 1000;
const AT_A_TIME: usize = 25;

/// Bytes that a deaf member has room for.
const LITTLE_ROOM: usize = 4 << 10;

/// Joins and is left alone: what comes for it stays where it is.
fn join(options: &Options) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(options.address), Type::STREAM, None)?;
    // A size that was asked for is never made larger by the system.
    socket.set_recv_buffer_size(LITTLE_ROOM)?;
    socket.connect(&options.address.into())?;
    let mut stream = TcpStream::from(socket);
    stream.write_all(options.dialect.hello("deaf", true).as_bytes())?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// Whether the server has let it in, and told it something, or has ended it by now.
fn is_there(deaf: &TcpStream) -> bool {
    !matches!(deaf.peek(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

impl FanOut<'_> {
    /// Slices in pairs until the bound. What the report counts are those with the deaf one.
    pub(super) fn play_slices(
        &mut self,
        events: &mut Events,
        bound: &mut Bound,
        stop: &Stop,
    ) -> Result<Option<Deafness>, Failed> {
        let (mut pairs, mut more) = (Vec::new(), true);
        while more && !stop.is_told() {
            let p99 = |meter: &Meter| meter.latency().map_or(0.0, |latency| latency.p99);
            // Counted in a meter of its own, each, and those with it in that of the report as well.
            let without = self.slice(None, events, bound, stop, &mut more)?;
            let deaf = join(self.options).map_err(|error| (self.members.len(), error.into()))?;
            let with = self.slice(Some(&deaf), events, bound, stop, &mut more)?;
            drop(deaf);
            self.meter.take_in(&with);
            if !stop.is_told() {
                pairs.push((p99(&without), p99(&with)));
            }
        }
        Ok(Deafness::of(&pairs))
    }

    fn slice(
        &mut self,
        deaf: Option<&TcpStream>,
        events: &mut Events,
        bound: &mut Bound,
        stop: &Stop,
        more: &mut bool,
    ) -> Result<Meter, Failed> {
        self.fill(deaf, events, stop)?;
        let whole = std::mem::replace(&mut self.meter, self.empty.clone());
        self.meter.start(Instant::now());
        self.measures = true;
        let played = self.play_lines(events, stop, SLICE, || *more &= bound.take(Instant::now()));
        self.measures = false;
        let slice = std::mem::replace(&mut self.meter, whole);
        played.map(|()| slice)
    }

    /// Lines that nobody counts, each few of them followed by one that all have to hear: until
    /// the deaf one is there as well.
    fn fill(
        &mut self,
        deaf: Option<&TcpStream>,
        events: &mut Events,
        stop: &Stop,
    ) -> Result<(), Failed> {
        let line = self.options.dialect.say(&"x".repeat(LONG));
        let (began, mut said) = (Instant::now(), 0);
        while !stop.is_told() && (said < FILLING || !deaf.is_none_or(is_there)) {
            if said >= FILLING && began.elapsed() > self.options.timeout {
                return Err((self.members.len(), Fault::TimedOut));
            }
            let talker = &mut self.members[self.listeners].stream;
            let written = talker.write_all(line.repeat(AT_A_TIME).as_bytes());
            written.map_err(|error| (self.listeners, error.into()))?;
            self.say(0)?;
            self.settle(events, stop)?;
            said += AT_A_TIME;
        }
        Ok(())
    }

    /// So many lines, by the talkers in turn.
    fn play_lines(
        &mut self,
        events: &mut Events,
        stop: &Stop,
        lines: usize,
        mut count: impl FnMut(),
    ) -> Result<(), Failed> {
        let mut left = lines;
        while left > 0 && !stop.is_told() {
            for talker in 0..self.said.len() {
                while left > 0 && self.said[talker].open.len() < usize::from(self.options.in_flight)
                {
                    count();
                    self.say(talker)?;
                    left -= 1;
                }
            }
            self.read(events, super::TICK)?;
        }
        self.settle(events, stop)
    }
}
