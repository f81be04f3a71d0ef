//! Datagrams: a window of them in flight, and those that are lost.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use clap::Args;
use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};
use netcore::{Error, cli, listen};

use crate::args::{RunArgs, address};
use crate::bound::Bound;
use crate::datagrams::{Calls, Inbox, LARGEST, Outbox};
use crate::faults::Fault;
use crate::meter::Meter;
use crate::open::wait;
use crate::pattern::Pattern;
use crate::progress::Progress;
use crate::report::Report;
use crate::stop::Stop;

/// Each datagram begins with its number.
const NUMBER: usize = 8;

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
    /// Send and receive many datagrams with each system call, where it can (Linux)
    #[arg(long)]
    pub batch: bool,
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
    let events_of = socket.try_clone().map_err(Error::failed("wait for events"))?;
    let calls = if options.batch { Calls::Many } else { Calls::One };
    let outbox =
        Outbox::new(socket, address, size, calls).map_err(Error::failed("send many at once"))?;
    let mut window = Window::new(outbox, options)?;
    if let Err(fault) = window.exchange(&mut UdpSocket::from_std(events_of), stop) {
        window.meter.faults.count(0, &fault);
    }
    // Losses are the network's way. Nothing at all is no server.
    if window.lost > 0 && window.meter.replies() == 0 && window.meter.faults.total() == 0 {
        window.meter.faults.count(0, &Fault::TimedOut);
    }
    let (lost, stray) = (Some(window.lost), Some(window.stray));
    let report = Report::new("udp-echo", address, window.meter);
    let in_flight = options.window.into();
    Ok(Report { in_flight, size, lost, stray, interrupted: stop.is_told(), ..report })
}

#[derive(Debug)]
struct Window {
    outbox: Outbox,
    pattern: Pattern,
    size: usize,
    lost_after: Duration,
    bound: Bound,
    meter: Meter,
    /// The datagram in each place; those that follow it there have its number plus the
    /// number of places.
    places: Vec<Place>,
    /// Datagrams whose replies are awaited.
    outstanding: usize,
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
    fn new(outbox: Outbox, options: &Options) -> Result<Window, Error> {
        Ok(Window {
            outbox,
            pattern: Pattern::new(options.size),
            size: options.size,
            lost_after: options.lost_after,
            bound: options.run.bound(),
            meter: Meter::new()?,
            places: (0..options.window.into())
                .map(|number| Place { number, since: None })
                .collect(),
            outstanding: 0,
            lost: 0,
            stray: 0,
        })
    }

    /// `socket` is the one that the outbox has, and tells when there is something to
    /// do.
    fn exchange(&mut self, socket: &mut UdpSocket, stop: &Stop) -> Result<(), Fault> {
        let mut poll = Poll::new()?;
        poll.registry().register(socket, Token(0), Interest::READABLE | Interest::WRITABLE)?;
        let mut events = Events::with_capacity(1);
        let mut inbox = Inbox::default();
        let start = Instant::now();
        self.bound.start(start);
        self.meter.start(start);
        let mut progress = Progress::start(start);
        let mut tick = start + TICK;
        for place in 0..self.places.len() {
            self.send(place, start);
        }
        self.outbox.flush()?;
        let mut emptied = true;
        while self.outstanding > 0 {
            // What was left in the socket at a tick is announced no second time.
            if emptied {
                wait(&mut poll, &mut events, TICK)?;
            }
            self.outbox.flush()?;
            emptied = false;
            while Instant::now() < tick {
                emptied = !self.outbox.receive(&mut inbox)?;
                if emptied {
                    break;
                }
                let now = Instant::now();
                for datagram in inbox.datagrams() {
                    self.check(datagram, now)?;
                }
                self.outbox.flush()?;
            }
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

    fn check(&mut self, got: &[u8], now: Instant) -> Result<(), Fault> {
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
            let wrong =
                format!("a datagram of {} bytes came back for one of {}", got.len(), self.size);
            return Err(Fault::Wrong(wrong));
        }
        if let Some((offset, got, expected)) = self.pattern.difference(number, rest) {
            let byte = offset + NUMBER;
            let wrong =
                format!("byte {byte} of a datagram is {got:#04x} and should be {expected:#04x}");
            return Err(Fault::Wrong(wrong));
        }
        let since = match place.since {
            Some(since) if place.number == number => since,
            _ => {
                self.stray += 1;
                return Ok(());
            }
        };
        self.meter.reply(since, now);
        self.meter.bytes(got.len(), now);
        self.free(index);
        self.send(index, now);
        Ok(())
    }

    /// Makes room for the next datagram of a place.
    fn free(&mut self, index: usize) {
        let places = self.places.len() as u64;
        let place = &mut self.places[index];
        place.since = None;
        place.number += places;
        self.outstanding -= 1;
    }

    /// Sends the datagram of a place at the next flush, unless the run is over.
    fn send(&mut self, index: usize, now: Instant) {
        if !self.bound.take(now) {
            return;
        }
        let place = &mut self.places[index];
        place.since = Some(now);
        self.outstanding += 1;
        let waiting = self.outbox.waiting();
        waiting.extend_from_slice(&place.number.to_le_bytes());
        waiting.extend_from_slice(self.pattern.at(place.number, self.size - NUMBER));
    }

    fn give_up_lost(&mut self, now: Instant) -> Result<(), Fault> {
        for index in 0..self.places.len() {
            let since = self.places[index].since;
            if since.is_some_and(|since| now.saturating_duration_since(since) > self.lost_after) {
                self.lost += 1;
                self.free(index);
                self.send(index, now);
            }
        }
        Ok(self.outbox.flush()?)
    }
}
