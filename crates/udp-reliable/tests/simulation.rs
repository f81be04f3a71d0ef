//! Clients and a server over a bad network, in simulated time: thousands of exchanges
//! in a moment, the same at each run. Whatever is replied: that `reply` counts its runs
//! is all that they know of it.

mod dice;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use dice::Dice;
use netcore::request::{Kind, Message};
use udp_reliable::server::{Memory, answer};
use udp_reliable::timer::Timer;
use udp_reliable::{Echo, Patience};

const CLIENTS: usize = 8;

/// Exchanges of each client.
const EXCHANGES: u64 = 500;

/// Exchanges after which a client is started again, on the same port.
const RESTART: u64 = 50;

/// In percent and milliseconds.
#[derive(Debug, Clone, Copy)]
struct Weather {
    lost: u64,
    doubled: u64,
    /// A datagram takes at least so long.
    delay: u64,
    /// And up to so much longer: what is sent later may come earlier.
    spread: u64,
}

/// A moment, a number that keeps what happens at the same moment in order, and what
/// happens then.
type Event = Reverse<(Duration, u64, What)>;

/// A client, its session, and the number in it.
type Request = (usize, u64, u64);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A datagram from this client comes to the server.
    AtServer(usize, Vec<u8>),
    /// A datagram comes to this client.
    AtClient(usize, Vec<u8>),
    /// The wait of this client for try `.1` of exchange `.2` is over.
    Waited(usize, u8, u64),
}

struct World {
    weather: Weather,
    dice: Dice,
    start: Instant,
    /// Since the start.
    now: Duration,
    to_come: BinaryHeap<Event>,
    happened: u64,
    echo: Echo,
    memory: Memory,
    clients: Vec<Client>,
    tries: u8,
    sends: u64,
    given_up: u64,
    /// The reply of each request that has run.
    replies: BTreeMap<Request, Vec<u8>>,
    answered: u64,
}

struct Client {
    session: u64,
    /// Numbers start again with each session; exchanges do not.
    id: u64,
    exchange: u64,
    timer: Timer,
    /// The last try.
    attempt: u8,
}

impl World {
    fn new(seed: u64, weather: Weather, tries: u8) -> World {
        let client = || Client { session: 0, id: 0, exchange: 0, timer: timer(tries), attempt: 0 };
        World {
            weather,
            dice: Dice(seed),
            start: Instant::now(),
            now: Duration::ZERO,
            to_come: BinaryHeap::new(),
            happened: 0,
            echo: Echo::default(),
            memory: Memory::new(Default::default()),
            clients: (0..CLIENTS).map(|_| client()).collect(),
            tries,
            sends: 0,
            given_up: 0,
            replies: BTreeMap::new(),
            answered: 0,
        }
    }

    /// Plays until nothing is to come any more.
    fn play(mut self) -> World {
        for client in 0..CLIENTS {
            self.next_exchange(client);
        }
        while let Some(Reverse((at, _, what))) = self.to_come.pop() {
            self.now = at;
            match what {
                What::AtServer(client, datagram) => self.answer(client, &datagram),
                What::AtClient(client, datagram) => self.receive(client, &datagram),
                What::Waited(client, attempt, exchange) => {
                    let at = &self.clients[client];
                    if at.exchange == exchange && attempt == self.attempts(client) {
                        self.send(client);
                    }
                }
            }
        }
        self
    }

    fn answer(&mut self, index: usize, datagram: &[u8]) {
        let (peer, now, before) = (address(index), self.start + self.now, self.runs());
        let Some(answer) = answer(&self.echo, &mut self.memory, datagram, peer, now) else {
            return;
        };
        if self.runs() > before {
            let request = Message::request_in(datagram).unwrap();
            let request = (index, request.session, request.id);
            let reply = Message::decode(&answer).unwrap().payload.to_vec();
            assert_eq!(self.replies.insert(request, reply), None, "{request:?} has run twice");
        }
        self.carry(|datagram| What::AtClient(index, datagram), &answer);
    }

    /// Requests that have run.
    fn runs(&self) -> u64 {
        self.echo.runs.load(Ordering::Relaxed)
    }

    fn attempts(&self, client: usize) -> u8 {
        self.clients[client].attempt
    }

    fn next_exchange(&mut self, index: usize) {
        let client = &mut self.clients[index];
        if client.exchange == EXCHANGES {
            client.exchange += 1;
            return;
        }
        if client.exchange.is_multiple_of(RESTART) {
            (client.session, client.id) = (self.dice.throw(), 0);
            client.timer = timer(self.tries);
        }
        client.exchange += 1;
        client.id += 1;
        client.timer.sent.clear();
        self.send(index);
    }

    fn send(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let now = self.start + self.now;
        let Some((attempt, wait)) = client.timer.next(now, self.dice.throw()) else {
            self.given_up += 1;
            return self.next_exchange(index);
        };
        client.attempt = attempt;
        let text = format!("exchange {} of client {index}", client.exchange);
        let request = Message {
            kind: Kind::Request,
            attempt,
            session: client.session,
            id: client.id,
            payload: text.as_bytes(),
        };
        let (datagram, exchange) = (request.encode(), client.exchange);
        self.sends += 1;
        self.carry(|datagram| What::AtServer(index, datagram), &datagram);
        self.later(wait, What::Waited(index, attempt, exchange));
    }

    fn receive(&mut self, index: usize, datagram: &[u8]) {
        let now = self.start + self.now;
        let client = &mut self.clients[index];
        let reply = Message::decode(datagram).unwrap();
        if (reply.session, reply.id) != (client.session, client.id) || client.exchange > EXCHANGES {
            return;
        }
        client.timer.answered(reply.attempt, now);
        let due = &self.replies[&(index, client.session, client.id)];
        assert_eq!(reply.payload, due, "the reply to another request");
        self.answered += 1;
        self.next_exchange(index);
    }

    /// Hands a datagram to the network.
    fn carry(&mut self, arrives: impl Fn(Vec<u8>) -> What, datagram: &[u8]) {
        if self.dice.hit(self.weather.lost) {
            return;
        }
        let copies = if self.dice.hit(self.weather.doubled) { 2 } else { 1 };
        for _ in 0..copies {
            let delay = self.weather.delay + self.dice.below(self.weather.spread + 1);
            self.later(Duration::from_millis(delay), arrives(datagram.to_vec()));
        }
    }

    fn later(&mut self, delay: Duration, what: What) {
        self.happened += 1;
        self.to_come.push(Reverse((self.now + delay, self.happened, what)));
    }
}

fn timer(tries: u8) -> Timer {
    let timeout = Duration::from_secs(1);
    Timer::new(Patience { timeout, tries: tries.try_into().unwrap() })
}

fn address(client: usize) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, 40_000 + client as u16).into()
}

const ALL: u64 = CLIENTS as u64 * EXCHANGES;

#[test]
fn over_a_good_network_nothing_is_sent_twice() {
    // Longer than the shortest wait: it is the measuring that keeps the clients from asking
    // too early.
    let world = World::new(1, Weather { lost: 0, doubled: 0, delay: 200, spread: 50 }, 255).play();
    assert_eq!((world.sends, world.runs(), world.answered), (ALL, ALL, ALL));
}

#[test]
fn over_a_bad_network_each_request_runs_once_and_each_reply_is_its_own() {
    for seed in 0..8 {
        let weather = Weather { lost: 20, doubled: 20, delay: 5, spread: 2000 };
        let world = World::new(seed, weather, 255).play();
        assert_eq!((world.given_up, world.runs(), world.answered), (0, ALL, ALL), "seed {seed}");
        // Of the tries, 64 in 100 are answered. The rest of the bound is for those that were
        // only late.
        assert!(world.sends < ALL * 3, "seed {seed}: {} sends", world.sends);
    }
}

#[test]
fn a_request_that_was_given_up_has_run_once_or_not_at_all() {
    for seed in 0..8 {
        let weather = Weather { lost: 50, doubled: 30, delay: 5, spread: 5000 };
        let world = World::new(seed, weather, 3).play();
        let answered = world.answered;
        assert_eq!(answered + world.given_up, ALL, "seed {seed}");
        assert!(world.given_up > 0 && world.given_up < ALL, "seed {seed}: {}", world.given_up);
        assert!((answered..=ALL).contains(&world.runs()), "seed {seed}: {}", world.runs());
        assert!(world.sends <= ALL * 3, "seed {seed}: {} sends", world.sends);
    }
}

#[test]
fn the_same_seed_leads_to_the_same_end() {
    let weather = Weather { lost: 30, doubled: 10, delay: 1, spread: 300 };
    let (one, other) = (World::new(7, weather, 9).play(), World::new(7, weather, 9).play());
    assert_eq!((one.sends, one.now, one.given_up), (other.sends, other.now, other.given_up));
    assert_ne!(one.sends, World::new(8, weather, 9).play().sends);
}
