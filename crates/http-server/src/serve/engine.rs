//! The server: one thread that waits for all connections and answers what needs no other
//! wait, and workers for the rest.
//!
//! A connection that is idle, sends its request byte by byte, takes no response or makes
//! no handshake costs a record here and no thread. What may take its time goes with its
//! connection to the [`Pool`] and comes back. Who is closed for whom when there is no
//! room, the [`Crowd`] knows.

use std::io::{self, ErrorKind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Token, Waker};
use netcore::accept::{SHORTAGE_PAUSE, affordable, log_accept_error};
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::reach::Reach;
use netcore::shutdown::Shutdown;
use netcore::visit::caught;
use socket2::Socket;

use super::conversation::{Conversation, Next, Standing, Told};
use super::crowd::Crowd;
use super::door::{Door, Visitor};
use super::exchange::{Client, Desk};
use super::metrics::{Metrics, Refused};
use super::pool::{Done, Job, Pool};
use super::service::{Service, lobby};
use super::stream::ClientStream;
use super::tls::Tls;

/// Events that one call of the system reports at most; the others come with the next.
const EVENTS: usize = 1024;

/// The token of the waker that workers and a stop use. Those of the doors come below it,
/// and those of the clients are their numbers, from 0 on.
const WAKE: Token = Token(usize::MAX);

/// Clients of one door in one round. The others come in the next: those that are there
/// want their turn.
const ARRIVALS: usize = 64;

/// Bytes of bodies that are kept for handlers at most, of all connections together. With
/// more, a worker waits for the rest of a body.
const COLLECTED_LIMIT: usize = 64 << 20;

/// For workers to end after the drain limit.
const GRACE: Duration = Duration::from_secs(1);

/// Serves clients of all `listeners` until `shutdown` is told to stop, and until what
/// is under way then has ended or the drain limit has passed.
///
/// # Errors
/// What accept says when no further client could be accepted, and what the system says
/// when no worker can be started. A client's error is logged and ends that client only.
pub fn serve(listeners: Vec<Socket>, service: Service, shutdown: &Shutdown) -> io::Result<()> {
    let service = Arc::new(service);
    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), WAKE)?);
    let pool = Pool::new(&service, shutdown, &waker)?;
    shutdown.on_stop(move || drop(waker.wake()));
    let mut doors = Vec::new();
    for (place, listener) in listeners.into_iter().enumerate() {
        let mut door = Door::new(listener)?;
        poll.registry().register(door.source(), token_of(place), Interest::READABLE)?;
        // Events tell of a change: until accept has found nobody, there may be more.
        doors.push((door, true));
    }
    let crowd = Crowd::new(service.limits.clients, lobby(service.limits.clients));
    let desk = Desk::new(&service, shutdown, false);
    let shutdown = shutdown.clone();
    // Counted where nobody looks as well.
    let (paused, metrics) = (None, service.metrics.clone().unwrap_or_default());
    Engine { poll, doors, paused, crowd, pool, desk, service, metrics, shutdown }.run()
}

fn token_of(door: usize) -> Token {
    Token(WAKE.0 - 1 - door)
}

struct Engine {
    poll: Poll,
    /// Where clients come in, and whether somebody may be waiting there.
    doors: Vec<(Door, bool)>,
    /// When descriptors or memory have run out, nobody is let in until then.
    paused: Option<Instant>,
    crowd: Crowd,
    pool: Pool,
    desk: Desk,
    service: Arc<Service>,
    metrics: Metrics,
    shutdown: Shutdown,
}

impl Engine {
    fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        let mut failed = None;
        while !self.shutdown.is_stopping() {
            self.wait(&mut events)?;
            if let Err(error) = self.let_in() {
                failed = Some(error);
                self.shutdown.stop();
            }
            self.give_turns();
        }
        // New ones are refused from here on.
        self.doors.clear();
        for id in self.crowd.ids() {
            self.end(id, Conversation::stop);
        }
        let drained = self.shutdown.drain_deadline();
        let mut limit = drained;
        while self.crowd.len() > 0 {
            self.wait_until(&mut events, limit)?;
            self.give_turns();
            if limit.has_passed() {
                if limit != drained {
                    log::warn!(
                        "{} handlers have not returned and are left behind",
                        self.crowd.len()
                    );
                    break;
                }
                self.drop_all();
                limit = Deadline::after(GRACE);
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Whoever has not ended in time.
    fn drop_all(&mut self) {
        let ids = self.crowd.ids();
        if !ids.is_empty() {
            let limit = self.service.limits.drain;
            log::warn!("closing {} connections that did not end in {limit:?}", ids.len());
        }
        ids.into_iter().for_each(|id| self.remove(id));
    }

    fn wait(&mut self, events: &mut Events) -> io::Result<()> {
        self.paused = self.paused.filter(|until| *until > Instant::now());
        let somebody_waits = self.doors.iter().any(|(_, waiting)| *waiting);
        let may_come = || self.crowd.has_room() || self.crowd.leaves(Instant::now()).is_some();
        let until = match self.paused {
            Some(until) => until.into(),
            None if !somebody_waits => Deadline::NEVER,
            None if may_come() => Instant::now().into(),
            // In a while, somebody will have been in the lobby for long enough.
            None => Deadline::after(SHORTAGE_PAUSE),
        };
        self.wait_until(events, until)
    }

    /// Waits for events, and takes note of them.
    fn wait_until(&mut self, events: &mut Events, until: Deadline) -> io::Result<()> {
        let until = match self.crowd.promised() {
            0 => until.or_sooner(self.crowd.deadline()),
            _ => Instant::now().into(),
        };
        match self.poll.poll(events, until.patience()) {
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            waited => waited?,
        }
        for event in events.iter() {
            let token = event.token();
            match WAKE.0 - token.0 {
                0 => {}
                door if door <= self.doors.len() => self.doors[door - 1].1 = true,
                _ => self.crowd.tell(token.0, told(event)),
            }
        }
        for Done { job, next } in self.pool.done() {
            self.settle(job.id, job.conversation, next);
        }
        Ok(())
    }

    /// Gives each client that was promised a turn its turn. Who has more to do has the next
    /// one when the others have had theirs.
    fn give_turns(&mut self) {
        let now = Instant::now();
        while let Some(id) = self.crowd.late(now) {
            let Some(mut conversation) = self.crowd.take(id) else { continue };
            let next = caught(|| conversation.is_late(&mut self.desk));
            self.settle(id, conversation, next);
        }
        for _ in 0..self.crowd.promised() {
            if let Some(id) = self.crowd.next_turn()
                && let Some(conversation) = self.crowd.take(id)
            {
                self.give_turn(id, conversation);
            }
        }
    }

    fn give_turn(&mut self, id: usize, mut conversation: Box<Conversation>) {
        self.desk.tools.has_place = self.crowd.has_place();
        self.desk.tools.room = COLLECTED_LIMIT.saturating_sub(self.crowd.collected());
        let next = caught(|| conversation.turn(&mut self.desk));
        self.settle(id, conversation, next);
    }

    /// What comes after a turn.
    fn settle(&mut self, id: usize, mut conversation: Box<Conversation>, next: io::Result<Next>) {
        match next {
            // One that was answered after the stop had come to the others.
            Ok(Next::Wait) if self.shutdown.is_stopping() && conversation.stop() == Next::Over => {
                self.settle(id, conversation, Ok(Next::Over));
            }
            Ok(Next::Wait) => self.crowd.put_back(id, conversation),
            Ok(Next::Unfinished) => {
                self.crowd.put_back(id, conversation);
                self.crowd.promise(id);
            }
            Ok(Next::Work) => {
                self.crowd.hand_over(id, &conversation);
                if let Err(Job { id, mut conversation }) =
                    self.pool.submit(Job { id, conversation })
                {
                    self.metrics.refused(Refused::Full);
                    let next = caught(|| conversation.is_too_much(&mut self.desk));
                    self.settle(id, conversation, next);
                }
            }
            Ok(Next::Seat) => {
                let seated = self.crowd.has_place() || self.frees_place();
                if !seated {
                    self.metrics.refused(Refused::Full);
                }
                conversation.set_standing(match seated {
                    true => Standing::Seated,
                    false => Standing::TurnedAway,
                });
                self.crowd.put_back(id, conversation);
                self.crowd.promise(id);
            }
            Ok(Next::Over) => {
                log::debug!("{} closed", conversation.name());
                self.remove(id);
            }
            Err(error) => {
                log::info!("{} dropped: {}", conversation.name(), reason(&error));
                if conversation.stream().is_handshaking() {
                    self.metrics.refused(Refused::Handshake);
                }
                self.remove(id);
            }
        }
    }

    /// Accepts whoever waits at the doors.
    ///
    /// # Errors
    /// Those that every further accept would meet as well.
    fn let_in(&mut self) -> io::Result<()> {
        for place in 0..self.doors.len() {
            for _ in 0..ARRIVALS {
                let is_open = self.doors[place].1 && self.paused.is_none();
                if !is_open || self.shutdown.is_stopping() || !self.has_room() {
                    break;
                }
                match affordable(self.doors[place].0.accept()) {
                    Ok(visitor) => self.welcome(visitor),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        self.doors[place].1 = false;
                    }
                    Err(error) => {
                        if log_accept_error(error)? == Reach::AllForNow {
                            self.metrics.refused(Refused::Shortage);
                            if !self.frees_files() {
                                self.paused = Some(Instant::now() + SHORTAGE_PAUSE);
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }

    fn welcome(&mut self, Visitor { socket, peer, name }: Visitor) {
        // Who comes through a socket file is on this machine: there is nothing to hide on the
        // way.
        let tls = self.service.tls.as_ref().filter(|_| peer.is_some());
        let session = match tls.map(Tls::session).transpose() {
            Ok(session) => session,
            Err(error) => return log::warn!("{name} dropped: {}", reason(&error)),
        };
        let limits = &self.service.limits;
        let stream = ClientStream::new(socket, session, limits.write, &self.shutdown);
        let client = Client { peer, name };
        let mut conversation = Box::new(Conversation::new(stream, client, limits));
        let token = Token(self.crowd.next_id());
        let both = Interest::READABLE | Interest::WRITABLE;
        // Asked for both once: an event tells of a change, and not of what has not changed.
        match self.poll.registry().register(conversation.stream().socket(), token, both) {
            Ok(()) => {
                self.metrics.accepted();
                let id = self.crowd.insert(conversation);
                // What a client of HTTP has to say is often there already.
                self.crowd.promise(id);
            }
            Err(error) => log::warn!("{} dropped: {}", conversation.name(), reason(&error)),
        }
    }

    /// Whether one more may come in, if need be for one that leaves.
    fn has_room(&mut self) -> bool {
        self.crowd.has_room() || self.frees_files()
    }

    /// Whether a connection could be closed at once, that nothing is done for.
    fn frees_files(&mut self) -> bool {
        let before = self.crowd.len();
        match self.crowd.leaves(Instant::now()) {
            Some(id) if self.crowd.has_ended(id) => self.remove(id),
            Some(id) => self.make_room(id),
            None => {}
        }
        self.crowd.len() < before
    }

    /// Whether somebody idle could give its place.
    fn frees_place(&mut self) -> bool {
        let Some(id) = self.crowd.gives_place() else { return false };
        self.make_room(id);
        self.crowd.has_place()
    }

    fn make_room(&mut self, id: usize) {
        self.metrics.refused(Refused::MadeRoom);
        self.end(id, Conversation::make_room);
    }

    fn remove(&mut self, id: usize) {
        self.crowd.remove(id);
        self.metrics.closed();
    }

    fn end(&mut self, id: usize, how: impl FnOnce(&mut Conversation) -> Next) {
        if let Some(mut conversation) = self.crowd.take(id) {
            let next = how(&mut conversation);
            self.settle(id, conversation, Ok(next));
        }
    }
}

fn told(event: &Event) -> Told {
    Told {
        readable: event.is_readable() || event.is_error() || event.is_read_closed(),
        writable: event.is_writable() || event.is_error(),
        closed: event.is_read_closed(),
    }
}
