//! The event loop: many connections in one thread, each with its own conversation.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Registry, Token};
use netcore::Error;
use netcore::address::Address;
use netcore::tls::ClientSide;

use crate::bound::Bound;
use crate::conversation::{Conversation, Reply};
use crate::faults::Fault;
use crate::meter::Meter;
use crate::open::{established, wait};
use crate::progress::Progress;
use crate::source;
use crate::stop::Stop;
use crate::wire::Wire;

/// Bytes that one call reads at most.
const BUFFER: usize = 256 << 10;

/// How often the loop looks at what is no event: late replies, a stop, the progress
/// line.
const TICK: Duration = Duration::from_millis(100);

/// epoll and kqueue report a socket again when more arrives after a read that did not
/// fill the buffer. What mio does on Windows reports it again only after a read that
/// would have blocked.
const SHORT_READ_EMPTIES: bool = cfg!(unix);

/// What a run needs beside its conversations.
#[derive(Debug)]
pub struct Plan<'a> {
    /// Where new connections go.
    pub address: Address,
    /// Requests that each connection keeps in flight; 1 where replies are the last of
    /// their connection.
    pub in_flight: usize,
    /// How long a reply may take.
    pub timeout: Duration,
    /// What new connections are wrapped in.
    pub tls: Option<ClientSide>,
    /// What ends the run early.
    pub stop: &'a Stop,
}

/// Connections and what they have said so far.
#[derive(Debug)]
pub struct Drive<'a, C> {
    plan: &'a Plan<'a>,
    poll: Poll,
    slots: Vec<Slot<C>>,
    run: Run,
}

/// What all connections of a run share.
#[derive(Debug)]
struct Run {
    bound: Bound,
    meter: Meter,
    /// Requests whose replies are awaited, over all connections.
    outstanding: usize,
    /// Connections that were begun.
    connects: u64,
}

/// The place of one connection, which another can take when it ends.
#[derive(Debug)]
struct Slot<C> {
    number: usize,
    conversation: C,
    link: Link,
    /// Requests that are not sent yet.
    out: Vec<u8>,
    written: usize,
    /// When each request was made whose reply is awaited, the oldest first.
    awaited: VecDeque<Instant>,
}

#[derive(Debug)]
enum Link {
    None,
    Connecting(TcpStream),
    Open(Wire),
}

impl<'a, C: Conversation> Drive<'a, C> {
    /// A run that does as much as `bound` allows and counts it in `meter`.
    ///
    /// # Errors
    /// When the system has no descriptors left.
    pub fn new(plan: &'a Plan<'a>, bound: Bound, meter: Meter) -> Result<Drive<'a, C>, Error> {
        let poll = Poll::new().map_err(Error::failed("wait for events"))?;
        Ok(Drive {
            plan,
            poll,
            slots: Vec::new(),
            run: Run { bound, meter, outstanding: 0, connects: 0 },
        })
    }

    /// Adds a connection that is open already.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn add_open(&mut self, mut stream: Wire, conversation: C) -> Result<(), Error> {
        let token = Token(self.slots.len());
        register(self.poll.registry(), stream.socket(), token)
            .map_err(Error::failed("wait for events"))?;
        self.add(Link::Open(stream), conversation);
        Ok(())
    }

    /// Adds a connection that is made when the run begins.
    pub fn add_new(&mut self, conversation: C) {
        self.add(Link::None, conversation);
    }

    fn add(&mut self, link: Link, conversation: C) {
        let number = self.slots.len();
        let (out, awaited) = (Vec::new(), VecDeque::new());
        self.slots.push(Slot { number, conversation, link, out, written: 0, awaited });
    }

    /// Runs until the bound is reached and every request has its reply, or its
    /// connection has failed. Returns what was counted, and the connections that
    /// are still open.
    ///
    /// # Errors
    /// When events cannot be waited for. What goes wrong on a connection is counted and
    /// ends that one only.
    pub fn run(mut self) -> Result<(Meter, Vec<Wire>), Error> {
        let mut events = Events::with_capacity(1024);
        let mut buf = vec![0; BUFFER];
        let start = Instant::now();
        self.run.bound.start(start);
        self.run.meter.start(start);
        let mut progress = Progress::start(start);
        let mut tick = start + TICK;
        let (plan, registry) = (self.plan, self.poll.registry().try_clone());
        let registry = registry.map_err(Error::failed("wait for events"))?;
        for slot in &mut self.slots {
            let begun = slot.begin(plan, &registry, &mut self.run);
            slot.end_on_fault(begun, &mut self.run);
        }
        while self.run.outstanding > 0 {
            // Many turns for each look at all connections, which costs as much as several of their
            // replies.
            while self.run.outstanding > 0 && Instant::now() < tick {
                wait(&mut self.poll, &mut events, TICK)
                    .map_err(Error::failed("wait for events"))?;
                for event in &events {
                    let slot = &mut self.slots[event.token().0];
                    let closing = event.is_read_closed() || event.is_error();
                    let turned = slot.turn(closing, &mut buf, plan, &registry, &mut self.run);
                    slot.end_on_fault(turned, &mut self.run);
                }
            }
            let now = Instant::now();
            tick = now + TICK;
            for slot in &mut self.slots {
                let checked = slot.check_timeout(plan.timeout, now);
                slot.end_on_fault(checked, &mut self.run);
            }
            progress.show(&self.run.meter, now);
            if plan.stop.is_told() {
                self.run.bound.end();
            }
        }
        let streams = self.slots.into_iter().filter_map(|slot| match slot.link {
            Link::Open(stream) => Some(stream),
            Link::None | Link::Connecting(_) => None,
        });
        Ok((self.run.meter, streams.collect()))
    }
}

impl<C: Conversation> Slot<C> {
    /// The first requests, on a connection that is made for them where there is none.
    fn begin(&mut self, plan: &Plan, registry: &Registry, run: &mut Run) -> Result<(), Fault> {
        if matches!(self.link, Link::None) {
            return self.connect(plan, registry, run);
        }
        for _ in 0..plan.in_flight {
            self.ask(run, Instant::now());
        }
        self.flush()
    }

    /// Makes a connection for the next request, where there is one. Its latency begins
    /// here.
    fn connect(&mut self, plan: &Plan, registry: &Registry, run: &mut Run) -> Result<(), Fault> {
        self.link = Link::None;
        if !self.ask(run, Instant::now()) {
            return Ok(());
        }
        let mut stream =
            source::connect(&plan.address, run.connects).map_err(|error| match error.kind() {
                ErrorKind::AddrNotAvailable => io::Error::other(
                    "no local port is free: a closed connection holds its own for a while",
                ),
                _ => error,
            })?;
        run.connects += 1;
        register(registry, &mut stream, Token(self.number))?;
        self.link = Link::Connecting(stream);
        Ok(())
    }

    /// Makes one request, unless the run is over.
    fn ask(&mut self, run: &mut Run, now: Instant) -> bool {
        if !run.bound.take(now) {
            return false;
        }
        self.conversation.request(&mut self.out);
        self.awaited.push_back(now);
        run.outstanding += 1;
        true
    }

    /// Writes and reads what can be, after an event.
    fn turn(
        &mut self,
        closing: bool,
        buf: &mut [u8],
        plan: &Plan,
        registry: &Registry,
        run: &mut Run,
    ) -> Result<(), Fault> {
        if !self.is_open(plan, run)? {
            return Ok(());
        }
        self.flush()?;
        loop {
            let Link::Open(stream) = &mut self.link else { return Ok(()) };
            let empties = SHORT_READ_EMPTIES && !stream.is_encrypted();
            let n = match stream.read(buf) {
                Ok(0) if self.awaited.is_empty() => {
                    self.link = Link::None;
                    return Ok(());
                }
                Ok(0) => return Err(Fault::Closed),
                Ok(n) => n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(Fault::Io(error)),
            };
            match self.receive(&buf[..n], run)? {
                After::Stay => self.flush()?,
                After::Leave => return self.connect(plan, registry, run),
            }
            // The end of the stream, which was announced with these bytes, is announced no second
            // time.
            if empties && n < buf.len() && !closing {
                return Ok(());
            }
        }
    }

    /// Whether there is a connection by now.
    fn is_open(&mut self, plan: &Plan, run: &mut Run) -> io::Result<bool> {
        self.link = match std::mem::replace(&mut self.link, Link::None) {
            Link::Connecting(stream) if established(&stream)? => {
                run.meter.opened += 1;
                Link::Open(Wire::new(stream, plan.tls.as_ref())?)
            }
            link => link,
        };
        Ok(matches!(self.link, Link::Open(_)))
    }

    /// Checks what has come, and makes a request for each reply that is whole.
    fn receive(&mut self, mut bytes: &[u8], run: &mut Run) -> Result<After, Fault> {
        let now = Instant::now();
        while !bytes.is_empty() {
            let Some(since) = self.awaited.front() else {
                return Err(Fault::Wrong(format!(
                    "{} bytes came that nobody had asked for",
                    bytes.len()
                )));
            };
            let (used, after) = match self.conversation.reply(bytes).map_err(Fault::Wrong)? {
                Reply::Part => {
                    run.meter.bytes(bytes.len(), now);
                    return Ok(After::Stay);
                }
                Reply::Whole(used) => (used, After::Stay),
                Reply::Last(used) => (used, After::Leave),
            };
            run.meter.bytes(used, now);
            run.meter.reply(*since, now);
            run.outstanding -= 1;
            self.awaited.pop_front();
            bytes = &bytes[used..];
            match after {
                After::Stay => self.ask(run, now),
                After::Leave if bytes.is_empty() => return Ok(after),
                After::Leave => continue,
            };
        }
        Ok(After::Stay)
    }

    /// Writes requests until all are sent or the socket takes no more; then an event
    /// tells when it does again.
    fn flush(&mut self) -> Result<(), Fault> {
        let Link::Open(stream) = &mut self.link else { return Ok(()) };
        stream.push()?;
        while self.written < self.out.len() {
            match stream.write(&self.out[self.written..]) {
                Ok(n) => self.written += n,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(Fault::Io(error)),
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(())
    }

    fn check_timeout(&self, timeout: Duration, now: Instant) -> Result<(), Fault> {
        match self.awaited.front() {
            Some(since) if now.saturating_duration_since(*since) > timeout => Err(Fault::TimedOut),
            _ => Ok(()),
        }
    }

    /// Counts a fault and closes the connection: nothing that comes after it could be
    /// trusted.
    fn end_on_fault(&mut self, done: Result<(), Fault>, run: &mut Run) {
        let Err(fault) = done else { return };
        run.meter.faults.count(self.number, &fault);
        run.outstanding -= self.awaited.len();
        self.awaited.clear();
        self.out.clear();
        self.written = 0;
        self.link = Link::None;
    }
}

/// Whether the next request goes on the same connection.
#[derive(Debug, PartialEq, Eq)]
enum After {
    Stay,
    Leave,
}

fn register(registry: &Registry, stream: &mut TcpStream, token: Token) -> io::Result<()> {
    registry.register(stream, token, Interest::READABLE | Interest::WRITABLE)
}
