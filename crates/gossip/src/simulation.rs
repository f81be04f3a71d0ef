//! A network of replicas in one process: a virtual clock, and everything that goes wrong
//! by a seed, so that what was seen once can be seen again.
//!
//! What passes is bodies: the door of a node and its socket are left to the tests of real
//! processes.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use crate::Settings;
use crate::replica::{Outgoing, Replica, generation};
use crate::table::Event;
use crate::wire::{Body, HEAD, Kind, Line};

/// What a network does to datagrams.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// Of a hundred datagrams, so many are lost,
    pub lost: u64,
    /// and so many come twice.
    pub doubled: u64,
    /// Each takes up to so many milliseconds beyond one: with more than a little of that,
    /// they overtake each other.
    pub jitter: u64,
}

/// SplitMix64: numbers that look like chance and are the same for the same seed.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    /// The next one.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`, which is not 0.
    pub fn below(&mut self, end: u64) -> u64 {
        self.draw() % end
    }
}

/// What happens next, and when, in milliseconds; in the order in which it was decided,
/// where that is the same.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Due(u64, u64, What);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Round(usize),
    Arrival(u64),
}

/// The board of one node: who has written what.
pub type Board = BTreeMap<String, Vec<String>>;

/// All nodes and what is between them.
#[derive(Debug)]
pub struct Simulation {
    /// What the network does.
    pub weather: Weather,
    /// Nodes on different sides of this number do not reach each other.
    pub cut: Option<usize>,
    /// Bytes that each node has sent, without what UDP and IP add.
    pub sent: Vec<u64>,
    /// What each node has told.
    pub told: Vec<Vec<Event>>,
    settings: Settings,
    random: Random,
    nodes: Vec<Replica>,
    is_running: Vec<bool>,
    now: u64,
    decided: u64,
    due: BinaryHeap<Reverse<Due>>,
    on_the_way: BTreeMap<u64, (usize, SocketAddr, Body)>,
}

impl Simulation {
    /// So many nodes, each of which knows `seeds` of the others from the start: of the first
    /// one, where that is 1.
    pub fn new(nodes: usize, seeds: usize, seed: u64, settings: &Settings) -> Simulation {
        let mut simulation = Simulation {
            weather: Weather::default(),
            cut: None,
            sent: vec![0; nodes],
            told: vec![Vec::new(); nodes],
            settings: settings.clone(),
            random: Random(seed),
            nodes: Vec::new(),
            is_running: vec![true; nodes],
            now: 0,
            decided: 0,
            due: BinaryHeap::new(),
            on_the_way: BTreeMap::new(),
        };
        for number in 0..nodes {
            let node = simulation.node_with_seeds(number, nodes, seeds);
            simulation.nodes.push(node);
            let first = simulation.random.below(simulation.every());
            simulation.decide(first, What::Round(number));
        }
        simulation
    }

    /// Nodes that all know each other already.
    ///
    /// # Panics
    /// When they do not meet in a reasonable time.
    pub fn acquainted(nodes: usize, seed: u64, settings: &Settings) -> Simulation {
        let mut simulation = Simulation::new(nodes, 1, seed, settings);
        let all_met = |it: &Simulation| it.running().all(|one| it.knows(one) == nodes);
        let took = simulation.rounds_until(40 + 2 * nodes as u64, all_met);
        assert!(took.is_some(), "{nodes} nodes have not met, seed {seed}");
        simulation
    }

    /// A network that is at rest: each node knows as many others as it has room for, `talker`
    /// among them, and nothing is new to anybody: with a free place, the next who is heard of
    /// would be news.
    pub fn settled(nodes: usize, talker: usize, seed: u64, settings: &Settings) -> Simulation {
        let mut simulation = Simulation::new(nodes, 0, seed, settings);
        let lines: Vec<Line> = (0..nodes).map(|number| simulation.first_line(number)).collect();
        for number in 0..nodes {
            let mut known = BTreeSet::from([number, talker]);
            while known.len() < settings.max_nodes.min(nodes) {
                known.insert(simulation.random.below(nodes as u64) as usize);
            }
            let known = known.into_iter().map(|other| lines[other].clone()).collect();
            let from = address(if talker == number { (number + 1) % nodes } else { talker });
            let body = Body { kind: Kind::Push, lines: known, batches: Vec::new() };
            simulation.nodes[number].receive(from, &body, Duration::ZERO);
            simulation.nodes[number].settle();
        }
        simulation
    }

    fn first_line(&self, number: usize) -> Line {
        let name = format!("n{number}").into();
        let generation = self.nodes[number].members()[&name].generation;
        let (quiet, heartbeat, first, last, left) = (0, 0, 1, 0, false);
        let address = Some(address(number));
        Line { name, generation, heartbeat, quiet, first, last, left, address }
    }

    fn node_with_seeds(&mut self, number: usize, nodes: usize, seeds: usize) -> Replica {
        let seeds: Vec<SocketAddr> = match seeds {
            1 => vec![address(0)],
            seeds => {
                (0..seeds).map(|_| address(self.random.below(nodes as u64) as usize)).collect()
            }
        };
        let life = generation(Duration::from_millis(self.now), self.random.draw() as u16);
        let name = format!("n{number}");
        Replica::new(name.into(), life, Some(address(number)), seeds, self.settings.clone())
    }

    /// One node.
    pub fn node(&mut self, number: usize) -> &mut Replica {
        &mut self.nodes[number]
    }

    /// The time, from the beginning.
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.now)
    }

    /// Writes a notice at a node.
    ///
    /// # Panics
    /// When it is none.
    pub fn say(&mut self, number: usize, text: &str) {
        let now = self.now();
        let said = self.nodes[number].say(text, now);
        said.unwrap_or_else(|why| panic!("{why}"));
    }

    /// Ends a node without a word, or lets it stand still.
    pub fn halt(&mut self, number: usize) {
        self.is_running[number] = false;
    }

    /// Lets a node go on that stood still, as it was.
    pub fn go_on(&mut self, number: usize) {
        self.is_running[number] = true;
    }

    /// Starts a node anew, with nothing but one seed.
    pub fn restart(&mut self, number: usize, seed: usize) {
        let life = generation(self.now(), self.random.draw() as u16);
        let name = format!("n{number}");
        let seeds = vec![address(seed)];
        self.nodes[number] =
            Replica::new(name.into(), life, Some(address(number)), seeds, self.settings.clone());
        self.is_running[number] = true;
    }

    /// Lets so many rounds of each node pass.
    pub fn rounds(&mut self, rounds: u64) {
        self.run_until(self.now + rounds * self.every());
    }

    /// The boards of all nodes that run are the same, and name so many authors.
    pub fn is_agreed(&self, authors: usize) -> bool {
        let mut boards = self.running().map(|number| self.board(number));
        let first = boards.next().unwrap_or_default();
        first.len() == authors && boards.all(|board| board == first)
    }

    /// How many rounds it takes until `is_so`; `None` where that is more than `most`.
    pub fn rounds_until(&mut self, most: u64, is_so: impl Fn(&Simulation) -> bool) -> Option<u64> {
        for round in 0..=most {
            if is_so(self) {
                return Some(round);
            }
            self.rounds(1);
        }
        None
    }

    /// Nodes that run.
    pub fn running(&self) -> impl Iterator<Item = usize> {
        (0..self.nodes.len()).filter(|number| self.is_running[*number])
    }

    /// What one node shows.
    pub fn board(&self, number: usize) -> Board {
        let mut board = Board::new();
        for (name, member) in self.nodes[number].members() {
            let texts: Vec<String> = member.notices().map(|(_, text)| text.to_string()).collect();
            if !texts.is_empty() {
                board.insert(name.to_string(), texts);
            }
        }
        board
    }

    /// Whether one node takes another for living.
    pub fn sees(&self, number: usize, other: usize) -> bool {
        let other = format!("n{other}");
        self.nodes[number].members().get(other.as_str()).is_some_and(|member| member.is_here())
    }

    /// How many nodes one of them knows, itself included.
    pub fn knows(&self, number: usize) -> usize {
        self.nodes[number].members().len()
    }

    /// Hands a datagram to whoever is at `to`, at once, and drops what that answers.
    pub fn deliver(&mut self, from: SocketAddr, to: SocketAddr, body: Body) {
        let now = self.now();
        self.nodes[number(to)].receive(from, &body, now);
    }

    fn every(&self) -> u64 {
        self.settings.every.as_millis() as u64
    }

    fn decide(&mut self, after: u64, what: What) {
        self.decided += 1;
        self.due.push(Reverse(Due(self.now + after, self.decided, what)));
    }

    fn run_until(&mut self, end: u64) {
        while let Some(Reverse(Due(at, _, _))) = self.due.peek() {
            if *at > end {
                break;
            }
            let Some(Reverse(Due(at, _, what))) = self.due.pop() else { break };
            self.now = at;
            match what {
                What::Round(number) => self.round(number),
                What::Arrival(number) => self.arrive(number),
            }
        }
        self.now = end;
    }

    fn round(&mut self, number: usize) {
        self.decide(self.every(), What::Round(number));
        if self.is_running[number] {
            let (now, chance) = (self.now(), self.random.draw());
            let asked = self.nodes[number].tick(now, chance);
            self.sent_by(number, asked);
        }
    }

    fn arrive(&mut self, number: u64) {
        let Some((to, from, body)) = self.on_the_way.remove(&number) else { return };
        if self.is_running[to] {
            let now = self.now();
            let answer = self.nodes[to].receive(from, &body, now);
            self.sent_by(to, answer.map(|answer| (from, answer)));
        }
    }

    fn sent_by(&mut self, from: usize, outgoing: Option<Outgoing>) {
        let told = self.nodes[from].events();
        self.told[from].extend(told);
        let Some((to, body)) = outgoing else { return };
        self.sent[from] += (HEAD + body.size()) as u64;
        let to = number(to);
        let is_apart = self.cut.is_some_and(|cut| (from < cut) != (to < cut));
        if to >= self.nodes.len() || is_apart || self.random.below(100) < self.weather.lost {
            return;
        }
        if self.random.below(100) < self.weather.doubled {
            self.send(from, to, body.clone());
        }
        self.send(from, to, body);
    }

    fn send(&mut self, from: usize, to: usize, body: Body) {
        let takes = 1 + self.random.below(self.weather.jitter + 1);
        self.decide(takes, What::Arrival(self.decided + 1));
        self.on_the_way.insert(self.decided, (to, address(from), body));
    }
}

/// Where the node of this number is.
pub fn address(number: usize) -> SocketAddr {
    (Ipv4Addr::from_bits(0x0a00_0000 + number as u32), 7400).into()
}

fn number(address: SocketAddr) -> usize {
    match address.ip() {
        std::net::IpAddr::V4(ip) => ip.to_bits().wrapping_sub(0x0a00_0000) as usize,
        std::net::IpAddr::V6(_) => usize::MAX,
    }
}
