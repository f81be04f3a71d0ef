//! One node: whom it asks in each round, and what it answers. No socket, no clock and no
//! chance in here: time is handed in as what has passed since the program began, and
//! chance as a number, so that a test is any network that it likes.
//!
//! What has come through the door ([`proofs`](crate::proofs)) is from the address that it
//! says, and no more than that: with a secret for the board, it is also from somebody who
//! has the secret.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::table::{Event, Member, Table};
use crate::wire::{Batch, Body, COUNTS, Kind, LONGEST_TEXT, Line, Name, ROOM};
use crate::{Settings, millis};

/// In one of so many rounds somebody is asked who may not be there: one who is away, or a
/// seed that nobody has heard of. So those come back that nobody asks by chance.
const VAIN: u64 = 4;

/// Datagrams in a round with which we go on where an answer has brought something and
/// there is more. The rest has time until the next round.
const FURTHER: u32 = 16;

/// Other nodes of our name that are looked after.
const RIVALS: usize = 8;

/// Lines whose generation is so far ahead of our clock are not believed, or nobody could
/// ever be newer.
const CLOCKS_DIFFER: Duration = Duration::from_secs(24 * 60 * 60);

/// Bits of a generation below its milliseconds: what tells two apart that were started
/// at once.
pub const CHANCE_BITS: u32 = 16;

/// A datagram to be sent.
pub type Outgoing = (SocketAddr, Body);

/// One node of a board.
#[derive(Debug)]
pub struct Replica {
    table: Table,
    seeds: Vec<SocketAddr>,
    address: Option<SocketAddr>,
    settings: Settings,
    started: u64,
    rounds: u64,
    last_round: Option<i64>,
    further: u32,
    rivals: Vec<SocketAddr>,
}

/// Which life of a node begins now: milliseconds since 1970, and chance.
pub fn generation(since_1970: Duration, chance: u16) -> u64 {
    (since_1970.as_millis() as u64) << CHANCE_BITS | u64::from(chance)
}

impl Replica {
    /// A node that knows nobody but its `seeds`. `address` is where others ask it; without
    /// one it visits: it asks, and nobody asks it.
    pub fn new(
        name: Name,
        generation: u64,
        address: Option<SocketAddr>,
        mut seeds: Vec<SocketAddr>,
        settings: Settings,
    ) -> Replica {
        seeds.retain(|seed| Some(*seed) != address);
        let table = Table::new(name, generation, address, settings.clone());
        let (started, rounds, last_round, further) = (generation, 0, None, FURTHER);
        let rivals = Vec::new();
        Replica { table, seeds, address, settings, started, rounds, last_round, further, rivals }
    }

    /// What the clock says now, as since 1970: it may have been behind at the start and been
    /// set, or the machine has slept, which `now` does not count. One that is set back makes
    /// nobody unbelievable who was believed.
    pub fn look_at_clock(&mut self, since_1970: Duration, now: Duration) {
        self.started = self.started.max(generation(since_1970.saturating_sub(now), 0));
    }

    /// What is known of all nodes, by name, this one included.
    pub fn members(&self) -> &BTreeMap<Name, Member> {
        self.table.members()
    }

    /// What has happened since this was last asked.
    pub fn events(&mut self) -> Vec<Event> {
        self.table.events()
    }

    /// Nothing that is known is new any more, as after a long time.
    pub(crate) fn settle(&mut self) {
        self.table.settle();
    }

    /// Writes a notice, which the next rounds spread.
    ///
    /// # Errors
    /// Why it is none: it is empty, or longer than [`LONGEST_TEXT`].
    pub fn say(&mut self, text: &str, now: Duration) -> Result<(), String> {
        match text.len() {
            0 => Err("an empty notice says nothing".into()),
            1..=LONGEST_TEXT => {
                self.table.write(Arc::from(text), millis(now));
                Ok(())
            }
            length => Err(format!("{length} bytes are more than the {LONGEST_TEXT} of a notice")),
        }
    }

    /// Takes all notices of this node back, everywhere.
    pub fn take_back(&mut self, now: Duration) {
        self.table.take_back(millis(now));
    }

    /// Says goodbye: what is to be sent before the end, to some of those who are here.
    pub fn leave(&mut self, now: Duration, chance: u64) -> Vec<Outgoing> {
        self.table.change_me(millis(now), |me| me.left = true);
        let here = self.addresses(Member::is_here);
        let some = (0..3).filter_map(|further| pick(&here, chance.wrapping_add(further)));
        let some: BTreeSet<SocketAddr> = some.collect();
        some.into_iter().map(|to| (to, self.body(Kind::Push, now))).collect()
    }

    /// One round: whom to ask now. To be called every [`Settings::every`].
    pub fn tick(&mut self, now: Duration, chance: u64) -> Option<Outgoing> {
        let at = millis(now);
        let pause = self.last_round.map_or(0, |before| at - before);
        if pause > 4 * millis(self.settings.every) {
            self.table.forgive(at);
        }
        (self.last_round, self.further) = (Some(at), FURTHER);
        self.rounds += 1;
        self.table.change_me(at, |_| {});
        self.table.grow_old(at);
        let to = self.whom(chance)?;
        Some((to, self.body(Kind::Ask, now)))
    }

    /// A question beside those of the rounds, for who has let us in. `None` where there were
    /// enough in this round.
    pub fn ask(&mut self, now: Duration) -> Option<Body> {
        self.further = self.further.checked_sub(1)?;
        Some(self.body(Kind::Ask, now))
    }

    fn body(&mut self, kind: Kind, now: Duration) -> Body {
        let (lines, said, room) = self.begin(millis(now));
        let lines = [lines, self.table.digest(&said, room, millis(now))].concat();
        Body { kind, lines, batches: Vec::new() }
    }

    fn whom(&mut self, chance: u64) -> Option<SocketAddr> {
        let here = self.addresses(Member::is_here);
        let mut vain = self.addresses(|member| member.is_away && !member.left);
        vain.extend(self.seeds.iter().filter(|seed| !here.contains(seed)));
        vain.extend(&self.rivals);
        let in_vain = here.is_empty() || self.rounds.is_multiple_of(VAIN);
        let chosen = if in_vain { pick(&vain, chance) } else { None };
        chosen.or_else(|| pick(&here, chance))
    }

    fn addresses(&self, wanted: impl Fn(&Member) -> bool) -> Vec<SocketAddr> {
        let others = self.members().iter().filter(|(name, _)| *name != self.table.me());
        let wanted = others.filter(|(_, member)| wanted(member));
        let addresses = wanted.filter_map(|(_, member)| member.address);
        addresses.filter(|address| Some(*address) != self.address).collect()
    }

    /// Takes in what has come from `from`, and says what to answer.
    pub fn receive(&mut self, from: SocketAddr, body: &Body, now: Duration) -> Option<Body> {
        let at = millis(now);
        if let Some(theirs) = body.lines.first() {
            self.look_at(theirs, from);
        }
        for line in &body.lines {
            self.believe(line, at);
        }
        let mut brought = false;
        for batch in &body.batches {
            brought |= self.table.learn(batch, at);
        }
        if body.kind == Kind::Ask {
            return Some(self.answer(&body.lines, at));
        }
        if self.further == 0 {
            return None;
        }
        // Of a push that has brought nothing, more of the same would bring nothing either.
        let asks_on = body.kind == Kind::Answer || brought;
        let further = self.go_on(&body.lines, asks_on, at)?;
        self.further -= 1;
        Some(further)
    }

    /// Whoever speaks itself under our name is no former life of ours.
    fn look_at(&mut self, theirs: &Line, from: SocketAddr) {
        let is_other = theirs.name == *self.table.me() && Some(from) != self.address;
        if is_other && theirs.address != self.address {
            self.table.tell(Event::SameName(from));
        }
    }

    fn believe(&mut self, line: &Line, at: i64) {
        let ahead = (at as u64 + CLOCKS_DIFFER.as_millis() as u64) << CHANCE_BITS;
        if line.generation > self.started.saturating_add(ahead) {
            let why = "its clock, or ours, is more than a day wrong";
            return self.table.tell(Event::Refused(line.name.clone(), why));
        }
        match line.name == *self.table.me() {
            true => self.compare(line, at),
            false => self.table.believe(line, at),
        }
    }

    /// Somebody has a line of our name. Where it is newer than we are, it is from a former
    /// life, when the clock was ahead, or from what this machine did before it was put back to
    /// an earlier state: we become newer still. Or there is another one of that name, who does
    /// the same, once: both are looked after, and hear of each other.
    fn compare(&mut self, line: &Line, at: i64) {
        let Some(me) = self.members().get(self.table.me()) else { return };
        let is_newer = (line.generation, line.heartbeat) > (me.generation, me.heartbeat);
        // What nobody has counted, but was taken for our word: it would stand in this life.
        let says_more = line.generation == me.generation
            && (line.first > me.first || line.last > me.last || line.left && !me.left);
        if !is_newer && !says_more {
            return;
        }
        let rival = line.address.filter(|address| Some(*address) != self.address);
        // Its owner has ended it, as both have said: the name is ours.
        let is_gone = line.left || i64::from(line.quiet) > self.table.patience();
        if is_gone {
            self.rivals.retain(|known| Some(*known) != rival);
        }
        let is_known = rival.is_some_and(|rival| self.rivals.contains(&rival));
        if is_known || self.rivals.len() >= RIVALS {
            return;
        }
        self.rivals.extend(rival.filter(|_| !is_gone));
        self.table.change_me(at, |me| me.generation = line.generation + 1);
    }

    /// Our own line, which begins every body.
    fn begin(&self, at: i64) -> (Vec<Line>, BTreeSet<Name>, usize) {
        let me = self.table.me();
        let lines: Vec<Line> = self.table.line(me, at).into_iter().collect();
        let room = ROOM - COUNTS - lines.iter().map(Line::size).sum::<usize>();
        (lines, BTreeSet::from([me.clone()]), room)
    }

    /// What they lack of all that they have named, where we know more or less than they do,
    /// and then whatever else there is room for.
    fn answer(&mut self, theirs: &[Line], at: i64) -> Body {
        let (mut lines, mut said, room) = self.begin(at);
        let (batches, mut room) = self.batches(theirs, room, at);
        for (number, their) in theirs.iter().enumerate() {
            let Some(ours) = self.table.line(&their.name, at) else { continue };
            let is_newer = (ours.generation, ours.heartbeat) > (their.generation, their.heartbeat);
            let differs = ours.generation == their.generation && ours.last != their.last;
            // Who asks hears in any case what is known of it.
            let is_new = is_newer || differs || number == 0;
            if said.insert(ours.name.clone()) && is_new && ours.size() <= room {
                room -= ours.size();
                lines.push(ours);
            }
        }
        lines.extend(self.table.digest(&said, room, at));
        Body { kind: Kind::Answer, lines, batches }
    }

    /// Where their lines show that somebody still lacks something: that, and what we lack.
    fn go_on(&mut self, theirs: &[Line], asks_on: bool, at: i64) -> Option<Body> {
        let (mut lines, mut said, room) = self.begin(at);
        let (batches, mut room) = self.batches(theirs, room, at);
        let mut lacks = !batches.is_empty();
        for their in theirs {
            let Some(ours) = self.table.line(&their.name, at) else { continue };
            let is_less = ours.generation == their.generation && ours.last < their.last;
            let is_less = is_less && asks_on;
            // With what we send, they see from our line how far it goes.
            let is_sent = batches.iter().any(|batch| batch.name == ours.name);
            if (is_less || is_sent) && said.insert(ours.name.clone()) && ours.size() <= room {
                room -= ours.size();
                lines.push(ours);
            }
            lacks |= is_less;
        }
        lacks.then_some(Body { kind: Kind::Push, lines, batches })
    }

    fn batches(&self, theirs: &[Line], room: usize, at: i64) -> (Vec<Batch>, usize) {
        // The other half of the datagram is for the digest.
        let (mut left, mut batches) = (room / 2, Vec::<Batch>::new());
        for their in theirs {
            if batches.iter().all(|batch| batch.name != their.name)
                && let Some(batch) = self.table.lacking(their, left, at)
            {
                left -= batch.size();
                batches.push(batch);
            }
        }
        (batches, room - room / 2 + left)
    }
}

fn pick(addresses: &[SocketAddr], chance: u64) -> Option<SocketAddr> {
    let number = chance.checked_rem(addresses.len() as u64)?;
    addresses.get(number as usize).copied()
}

#[cfg(test)]
mod tests;
