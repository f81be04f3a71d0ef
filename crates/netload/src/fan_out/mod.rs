//! What one says many hear: each line is counted once for everybody who hears it.
//!
//! A talker says its next line when the one before has been heard by all, or so many are
//! on their way. So the slowest who listens sets the pace; one who does not is not waited
//! for, by the load nor, it is to be hoped, by the server.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Args;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use netcore::{Error, cli};

use crate::args::{RunArgs, address, message_size};
use crate::bound::Bound;
use crate::deafness::Deafness;
use crate::faults::Fault;
use crate::meter::Meter;
use crate::open::{established, open, wait};
use crate::report::Report;
use crate::stop::Stop;

use dialect::Dialect;
use text::{SHORTEST, parse, text};

mod deaf;
pub mod dialect;
mod text;

/// How often the loop looks at a stop while nothing happens.
const TICK: Duration = Duration::from_millis(100);

/// Between two lines that are said until all are there who are to hear them.
const AGAIN: Duration = Duration::from_millis(50);

/// Bytes that one call reads at most.
const BUFFER: usize = 64 << 10;

/// What a server may say in a line beside the text. One that goes on for longer without an
/// end would fill our memory.
const BESIDE: usize = 64 << 10;

/// What the scenario can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The server, as in 127.0.0.1:9092
    #[arg(value_name = "ADDR", value_parser = address)]
    pub address: SocketAddr,
    /// What it understands
    #[arg(long, value_enum, value_name = "DIALECT", default_value = "chat")]
    pub dialect: Dialect,
    /// Those who listen
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 100)]
    pub connections: u16,
    /// Those who talk, beside them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..100), default_value_t = 1)]
    pub talkers: u16,
    /// Bytes of a line
    #[arg(long, value_name = "SIZE", value_parser = message_size, default_value = "64")]
    pub size: usize,
    /// Lines that a talker says before all have heard the first of them
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 1)]
    pub in_flight: u16,
    /// One more joins now and then, and never reads: what that costs the others is told
    #[arg(long)]
    pub deaf: bool,
    /// Give up when nobody hears anything for this long
    #[arg(long, value_name = "DURATION", value_parser = cli::duration, default_value = "10s")]
    pub timeout: Duration,
    /// How long the run lasts.
    #[command(flatten)]
    pub run: RunArgs,
}

/// Lets all join, and then measures from line to line and listener to listener.
///
/// # Errors
/// When a connection cannot be opened. What goes wrong later is in the report.
pub fn run(options: &Options, stop: &Stop) -> Result<Report, Error> {
    let mut meter = Meter::new()?;
    let listeners = usize::from(options.connections);
    let talkers = usize::from(options.talkers);
    let streams = open(&options.address.into(), listeners + talkers)?;
    meter.opened = (listeners + talkers) as u64;
    let mut fan_out =
        FanOut::new(options, streams, meter).map_err(Error::failed("register the connections"))?;
    let played = fan_out.play(options.run.bound(), stop);
    let deaf = played.unwrap_or_else(|(number, fault)| {
        fan_out.meter.faults.count(number, &fault);
        None
    });
    let (connections, in_flight) = (listeners, options.in_flight.into());
    let report = Report::new("fan-out", options.address, fan_out.meter);
    let size = options.size.max(SHORTEST);
    Ok(Report { connections, in_flight, size, deaf, interrupted: stop.is_told(), ..report })
}

/// One who listens, or talks and takes no notice of what comes.
struct Member {
    stream: TcpStream,
    /// What has come of a line that is not whole.
    part: Vec<u8>,
    /// Of each talker, the line that is due next; `None` before the first of it.
    due: Vec<Option<u64>>,
}

/// The lines of one talker that are on their way.
#[derive(Default)]
struct Said {
    /// The next one.
    next: u64,
    /// When each was said, and who has yet to hear it; the first is the oldest.
    open: std::collections::VecDeque<(Instant, usize)>,
}

struct FanOut<'a> {
    options: &'a Options,
    size: usize,
    listeners: usize,
    members: Vec<Member>,
    said: Vec<Said>,
    poll: Poll,
    meter: Meter,
    /// What a meter is before it has counted anything.
    empty: Meter,
    /// Not while they come in.
    measures: bool,
    last: Instant,
}

type Failed = (usize, Fault);

impl<'a> FanOut<'a> {
    /// The listeners come first, the talkers behind them.
    fn new(options: &'a Options, streams: Vec<TcpStream>, meter: Meter) -> io::Result<FanOut<'a>> {
        let (listeners, talkers) = (options.connections.into(), options.talkers.into());
        let (poll, mut members) = (Poll::new()?, Vec::new());
        for (number, mut stream) in streams.into_iter().enumerate() {
            established(&stream)?;
            let who = if number < listeners { "listener" } else { "talker" };
            let hello = options.dialect.hello(&format!("{who}{number}"), number < listeners);
            poll.registry().register(&mut stream, Token(number), Interest::READABLE)?;
            stream.write_all(hello.as_bytes())?;
            members.push(Member { stream, part: Vec::new(), due: vec![None; talkers] });
        }
        let said = (0..talkers).map(|_| Said::default()).collect();
        let (size, last) = (options.size.max(SHORTEST), Instant::now());
        let (measures, empty) = (false, meter.clone());
        Ok(FanOut { options, size, listeners, members, said, poll, meter, empty, measures, last })
    }

    fn play(&mut self, mut bound: Bound, stop: &Stop) -> Result<Option<Deafness>, Failed> {
        let mut events = Events::with_capacity(1024);
        // Until each has heard a line of each talker, lines are said into a room that fills.
        let mut again = Instant::now();
        while !stop.is_told() && !self.all_are_there() {
            if again <= Instant::now() {
                (0..self.said.len()).try_for_each(|talker| self.say(talker))?;
                again = Instant::now() + AGAIN;
            }
            self.read(&mut events, AGAIN)?;
        }
        self.settle(&mut events, stop)?;
        let start = Instant::now();
        self.meter.start(start);
        bound.start(start);
        if self.options.deaf {
            return self.play_slices(&mut events, &mut bound, stop);
        }
        self.measures = true;
        loop {
            for talker in 0..self.said.len() {
                while self.said[talker].open.len() < usize::from(self.options.in_flight) {
                    if stop.is_told() || !bound.take(Instant::now()) {
                        return self.settle(&mut events, stop).map(|()| None);
                    }
                    self.say(talker)?;
                }
            }
            self.read(&mut events, TICK)?;
        }
    }

    fn all_are_there(&self) -> bool {
        self.members[..self.listeners].iter().all(|member| member.due.iter().all(Option::is_some))
    }

    /// Until all have heard everything.
    fn settle(&mut self, events: &mut Events, stop: &Stop) -> Result<(), Failed> {
        while !stop.is_told()
            && self.members[..self.listeners].iter().any(|member| {
                member.due.iter().zip(&self.said).any(|(due, said)| *due != Some(said.next))
            })
        {
            self.read(events, TICK)?;
        }
        self.said.iter_mut().for_each(|said| said.open.clear());
        Ok(())
    }

    fn say(&mut self, talker: usize) -> Result<(), Failed> {
        let said = &mut self.said[talker];
        let line = self.options.dialect.say(&text(talker, said.next, self.size));
        said.next += 1;
        said.open.push_back((Instant::now(), self.listeners));
        let number = self.listeners + talker;
        // So few are on their way that there is room for them, or the server does not read.
        self.members[number]
            .stream
            .write_all(line.as_bytes())
            .map_err(|error| (number, error.into()))
    }

    fn read(&mut self, events: &mut Events, limit: Duration) -> Result<(), Failed> {
        wait(&mut self.poll, events, limit).map_err(|error| (0, error.into()))?;
        let mut buf = [0; BUFFER];
        for event in events.iter() {
            let Token(number) = event.token();
            loop {
                match self.members[number].stream.read(&mut buf) {
                    Ok(0) => return Err((number, Fault::Closed)),
                    Ok(n) => self.hear(number, &buf[..n]).map_err(|fault| (number, fault))?,
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) => return Err((number, error.into())),
                }
                // A server that says more than anybody reads is never read to its end.
                self.in_time()?;
            }
        }
        self.in_time()
    }

    fn in_time(&self) -> Result<(), Failed> {
        match self.last.elapsed() > self.options.timeout {
            true => Err((0, Fault::TimedOut)),
            false => Ok(()),
        }
    }

    fn hear(&mut self, number: usize, bytes: &[u8]) -> Result<(), Fault> {
        let now = Instant::now();
        let member = &mut self.members[number];
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            member.part.extend_from_slice(piece);
            if member.part.len() > self.size + BESIDE {
                let bytes = member.part.len();
                return Err(Fault::Wrong(format!("a line of {bytes} bytes and more came")));
            }
            if !piece.ends_with(b"\n") {
                break;
            }
            let line = member.part.trim_ascii_end();
            if let Some(answer) = self.options.dialect.answer(line) {
                member.stream.write_all(answer.as_bytes())?;
            }
            if number < self.listeners
                && let Some((talker, line)) = parse(line, self.size).map_err(Fault::Wrong)?
            {
                let Some(due) = member.due.get_mut(talker) else {
                    return Err(Fault::Wrong(format!("there is no talker {talker}")));
                };
                if let Some(due) = *due
                    && due != line
                {
                    return Err(Fault::Wrong(format!("line {line} came where {due} was due")));
                }
                *due = Some(line + 1);
                let said = &mut self.said[talker];
                let oldest = said.next - said.open.len() as u64;
                self.last = now;
                let at = line.checked_sub(oldest).and_then(|at| usize::try_from(at).ok());
                if let Some(at) = at
                    && self.measures
                    && let Some((since, missing)) = said.open.get_mut(at)
                {
                    self.meter.reply(*since, now);
                    self.meter.bytes(self.size, now);
                    *missing -= 1;
                }
                while said.open.front().is_some_and(|(_, missing)| *missing == 0) {
                    said.open.pop_front();
                }
            }
            member.part.clear();
        }
        Ok(())
    }
}
