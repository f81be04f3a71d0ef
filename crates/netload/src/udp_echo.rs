//! Datagrams: a window of them in flight, and those that are lost.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Args;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use netcore::{Error, cli, listen};

use crate::args::{RunArgs, address};
use crate::bound::Bound;
use crate::faults::Fault;
use crate::meter::Meter;
use crate::open::wait;
use crate::pattern::Pattern;
use crate::progress::Progress;
use crate::report::Report;
use crate::stop::Stop;

/// Each datagram begins with its number.
const NUMBER: usize = 8;

/// The payload of the largest datagram over IPv4.
const LARGEST: usize = 65_507;

/// How often the loop looks for lost datagrams, a stop and the progress line.
const TICK: Duration = Duration::from_millis(50);

/// What the scenario can be told.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// The server, as in 127.0.0.1:9090
    #[arg(value_name = "ADDR", value_parser = address)]
    pub address: SocketAddr,
    /// Datagrams in flight
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), default_value_t = 64)]
    pub window: u16,
    /// Bytes of a datagram, from 8 to 65507
    #[arg(long, value_name = "SIZE", value_parser = datagram_size, default_value = "64")]
    pub size: usize,
    /// Count a datagram as lost when it is not back after this
    #[arg(long, value_name = "DURATION", value_parser = cli::duration, default_value = "1s")]
    pub lost_after: Duration,
    /// How long the run lasts.
    #[command(flatten)]
    pub run: RunArgs,
}

fn datagram_size(text: &str) -> Result<usize, String> {
    match cli::size(text)? {
        size @ NUMBER..=LARGEST => Ok(size),
        _ => Err(format!("a datagram has {NUMBER} to {LARGEST} bytes")),
    }
}

/// Keeps the window full: each datagram that is back, or lost, makes room for the next.
///
/// # Errors
/// When no socket can be opened. What goes wrong later is in the report.
pub fn run(options: &Options, stop: &Stop) -> Result<Report, Error> {
    let Options { address, size, .. } = *options;
    let host = if address.is_ipv4() { "0.0.0.0" } else { "::" };
    let socket = listen::udp(host, 0)?;
    // The kernel then drops what strangers send, and tells when nobody listens.
    let connected = socket.connect(address).and_then(|()| socket.set_nonblocking(true));
    connected.map_err(|source| Error::Connect { address: address.to_string(), source })?;
    let mut window = Window::new(UdpSocket::from_std(socket), options)?;
    if let Err(fault) = window.exchange(stop) {
        window.meter.faults.count(0, &fault);
    }
    let (lost, stray) = (Some(window.lost), Some(window.stray));
    let report = Report::new("udp-echo", address, window.meter);
    let in_flight = options.window.into();
    Ok(Report { in_flight, size, lost, stray, interrupted: stop.is_told(), ..report })
}

#[derive(Debug)]
struct Window {
    socket: UdpSocket,
    pattern: Pattern,
    size: usize,
    lost_after: Duration,
    bound: Bound,
    meter: Meter,
    /// The datagram in each place; those that follow it there have its number plus the number of places.
    places: Vec<Place>,
    /// Places whose datagram the socket did not take yet.
    unsent: VecDeque<usize>,
    out: Vec<u8>,
    lost: u64,
    stray: u64,
}

#[derive(Debug)]
struct Place {
    number: u64,
    /// When it was sent, while it is in flight.
    since: Option<Instant>,
}

impl Window {
    fn new(socket: UdpSocket, options: &Options) -> Result<Window, Error> {
        Ok(Window {
            socket,
            pattern: Pattern::new(options.size),
            size: options.size,
            lost_after: options.lost_after,
            bound: options.run.bound(),
            meter: Meter::new()?,
            places: (0..options.window.into()).map(|number| Place { number, since: None }).collect(),
            unsent: VecDeque::new(),
            out: Vec::with_capacity(options.size),
            lost: 0,
            stray: 0,
        })
    }

    fn exchange(&mut self, stop: &Stop) -> Result<(), Fault> {
        let mut poll = Poll::new()?;
        poll.registry().register(&mut self.socket, Token(0), Interest::READABLE | Interest::WRITABLE)?;
        let mut events = Events::with_capacity(1);
        let mut buf = vec![0; LARGEST];
        let start = Instant::now();
        self.bound.start(start);
        self.meter.start(start);
        let mut progress = Progress::start(start);
        let mut tick = start + TICK;
        for place in 0..self.places.len() {
            self.next(place, start)?;
        }
        while self.places.iter().any(|place| place.since.is_some()) {
            wait(&mut poll, &mut events, TICK)?;
            self.send_unsent()?;
            self.receive(&mut buf)?;
            let now = Instant::now();
            if now < tick {
                continue;
            }
            tick = now + TICK;
            self.give_up_lost(now)?;
            progress.show(&self.meter, now);
            if stop.is_told() {
                self.bound.end();
            }
        }
        Ok(())
    }

    /// Reads until the socket has no more.
    fn receive(&mut self, buf: &mut [u8]) -> Result<(), Fault> {
        loop {
            match self.socket.recv(buf) {
                Ok(n) => self.check(&buf[..n])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Io(error)),
            }
        }
    }

    fn check(&mut self, got: &[u8]) -> Result<(), Fault> {
        let Some((number, rest)) = got.split_first_chunk::<NUMBER>() else {
            return Err(Fault::Wrong(format!("a datagram of {} bytes came back", got.len())));
        };
        let number = u64::from_le_bytes(*number);
        let places = self.places.len() as u64;
        let index = (number % places) as usize;
        let place = &mut self.places[index];
        if number > place.number {
            return Err(Fault::Wrong(format!("datagram {number} came back and was never sent")));
        }
        if got.len() != self.size {
            let wrong = format!("a datagram of {} bytes came back for one of {}", got.len(), self.size);
            return Err(Fault::Wrong(wrong));
        }
        if let Some((offset, got, expected)) = self.pattern.difference(number, rest) {
            let byte = offset + NUMBER;
            let wrong = format!("byte {byte} of a datagram is {got:#04x} and should be {expected:#04x}");
            return Err(Fault::Wrong(wrong));
        }
        let since = match place.since {
            Some(since) if place.number == number => since,
            _ => {
                self.stray += 1;
                return Ok(());
            }
        };
        let now = Instant::now();
        self.meter.reply(since, now);
        self.meter.bytes(got.len(), now);
        place.since = None;
        place.number += places;
        self.next(index, now)
    }

    /// Sends the datagram of a place, unless the run is over.
    fn next(&mut self, place: usize, now: Instant) -> Result<(), Fault> {
        if !self.bound.take(now) {
            return Ok(());
        }
        self.places[place].since = Some(now);
        match self.send(place) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => self.unsent.push_back(place),
            done => done?,
        }
        Ok(())
    }

    fn send_unsent(&mut self) -> Result<(), Fault> {
        while let Some(place) = self.unsent.front() {
            match self.send(*place) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                done => done?,
            }
            self.unsent.pop_front();
        }
        Ok(())
    }

    fn send(&mut self, place: usize) -> io::Result<()> {
        let number = self.places[place].number;
        self.out.clear();
        self.out.extend_from_slice(&number.to_le_bytes());
        self.out.extend_from_slice(self.pattern.at(number, self.size - NUMBER));
        loop {
            match self.socket.send(&self.out) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A datagram is sent whole or not at all.
                done => return done.map(drop),
            }
        }
    }

    fn give_up_lost(&mut self, now: Instant) -> Result<(), Fault> {
        let places = self.places.len();
        for index in 0..places {
            let place = &mut self.places[index];
            if place.since.is_some_and(|since| now.saturating_duration_since(since) > self.lost_after) {
                self.lost += 1;
                place.since = None;
                place.number += places as u64;
                self.next(index, now)?;
            }
        }
        Ok(())
    }
}
