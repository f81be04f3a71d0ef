//! What is known of every node, and the rules by which that changes. Each node has the
//! only say about itself, so there is nothing to merge: the newer word wins.
//!
//! No clock: `now` is handed in, in milliseconds since the program began.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::Arc;

use crate::wire::{Batch, Line, Name, Notice};
use crate::{Settings, millis};

/// Notices of one node that are kept; the oldest makes room. So a table is never more than
/// the nodes in it times these, whatever anybody sends.
pub const NOTICES: usize = 8;

/// Bytes of notices in one datagram at most, so that there is room for the digest as well.
const BATCHES: usize = 800;

/// What has happened, for whoever looks at the board.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A node that was not known.
    Joined(Name),
    /// Its counter stands still.
    Away(Name),
    /// Its counter counts again.
    Back(Name),
    /// It has said goodbye.
    Left(Name),
    /// It has written something.
    Wrote(Name, Arc<str>),
    /// Another living node has our name; that is its address.
    SameName(SocketAddr),
    /// A word about a node that is not believed or has no place, and why.
    Refused(Name, &'static str),
}

/// What is known of one node.
#[derive(Debug)]
pub struct Member {
    /// Which life of it.
    pub generation: u64,
    /// Where its counter stands.
    pub heartbeat: u32,
    /// Its counter stands still.
    pub is_away: bool,
    /// It has said goodbye.
    pub left: bool,
    /// Where it is asked.
    pub address: Option<SocketAddr>,
    /// Its notices before this number have been taken back.
    pub first: u32,
    /// All up to this number have been here.
    pub last: u32,
    heard: i64,
    notices: VecDeque<Kept>,
}

#[derive(Debug)]
struct Kept {
    number: u32,
    born: i64,
    text: Arc<str>,
}

impl Member {
    fn new(generation: u64, address: Option<SocketAddr>, heard: i64) -> Member {
        let (heartbeat, first, last) = (0, 1, 0);
        let (is_away, left, notices) = (false, false, VecDeque::new());
        Member { generation, heartbeat, is_away, left, address, first, last, heard, notices }
    }

    /// Whether it can be expected to answer.
    pub fn is_here(&self) -> bool {
        !self.is_away && !self.left
    }

    /// Its notices, the oldest first.
    pub fn notices(&self) -> impl Iterator<Item = (u32, &Arc<str>)> {
        self.notices.iter().map(|kept| (kept.number, &kept.text))
    }

    fn take_back(&mut self, first: u32) {
        self.first = self.first.max(first);
        self.notices.retain(|kept| kept.number >= self.first);
    }

    fn keep(&mut self, number: u32, born: i64, text: Arc<str>) {
        self.notices.push_back(Kept { number, born, text });
        if self.notices.len() > NOTICES {
            self.notices.pop_front();
        }
    }
}

/// All members, ourselves included.
#[derive(Debug)]
pub struct Table {
    me: Name,
    members: BTreeMap<Name, Member>,
    /// Of whom there is something new, and in how many more digests it comes first.
    news: BTreeMap<Name, u32>,
    settings: Settings,
    /// The last name that a digest has ended with: the next one goes on from here.
    cursor: Name,
    /// Nobody is called away before: we have not listened ourselves for a while.
    lenient_until: i64,
    events: Vec<Event>,
}

impl Table {
    /// With nobody in it but ourselves.
    pub fn new(
        me: Name,
        generation: u64,
        address: Option<SocketAddr>,
        settings: Settings,
    ) -> Table {
        let members = BTreeMap::from([(me.clone(), Member::new(generation, address, 0))]);
        let (cursor, news, events) = (me.clone(), BTreeMap::new(), Vec::new());
        Table { me, members, news, settings, cursor, lenient_until: 0, events }
    }

    /// Our own name.
    pub fn me(&self) -> &Name {
        &self.me
    }

    /// What is known of all, by name.
    pub fn members(&self) -> &BTreeMap<Name, Member> {
        &self.members
    }

    /// What has happened since this was last asked: to be asked after each step.
    pub fn events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// All have heard of all.
    pub(crate) fn settle(&mut self) {
        self.news.clear();
        self.events.clear();
    }

    pub(crate) fn tell(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Changes what is said of ourselves, and has it told first.
    pub(crate) fn change_me(&mut self, now: i64, change: impl FnOnce(&mut Member)) {
        // Our own line is the first of every digest: it is never among the news.
        if let Some(me) = self.members.get_mut(&self.me) {
            me.heartbeat = me.heartbeat.saturating_add(1);
            me.heard = now;
            change(me);
        }
    }

    /// Writes a notice of our own.
    pub(crate) fn write(&mut self, text: Arc<str>, now: i64) {
        self.change_me(now, |me| {
            me.last += 1;
            me.keep(me.last, now, text);
        });
    }

    /// Takes all of our own notices back.
    pub(crate) fn take_back(&mut self, now: i64) {
        self.change_me(now, |me| me.take_back(me.last + 1));
    }

    /// There is something new of `name`. What each tells so often reaches all, as the number
    /// of those who know doubles in each round.
    fn spread(&mut self, name: &Name) {
        let often = 2 * (self.members.len() as u32 + 1).ilog2() + 4;
        self.news.insert(name.clone(), often);
    }

    /// After so long without a move of its counter, a node is away. A digest has room for
    /// some lines only; the more nodes, the longer until its line has come round.
    pub fn patience(&self) -> i64 {
        const LINES_OF_A_DIGEST: i64 = 25;
        let digests = self.members.len() as i64 / LINES_OF_A_DIGEST;
        millis(self.settings.away_after) * (digests + 1)
    }

    /// We have not run since `before`: nobody else is to blame for that silence.
    pub(crate) fn forgive(&mut self, now: i64) {
        self.lenient_until = now + self.patience();
    }

    /// Forgets what is too old, and calls away who has been silent too long.
    pub(crate) fn grow_old(&mut self, now: i64) {
        let (keep, patience) = (millis(self.settings.keep), self.patience());
        let me = &self.me;
        self.members.retain(|name, member| {
            member.notices.retain(|kept| now - kept.born <= keep);
            name == me || now - member.heard <= keep
        });
        self.news.retain(|name, _| self.members.contains_key(name));
        if now < self.lenient_until {
            return;
        }
        for (name, member) in &mut self.members {
            if member.is_here() && name != me && now - member.heard > patience {
                member.is_away = true;
                self.events.push(Event::Away(name.clone()));
            }
        }
    }

    /// Believes a line about somebody else, as far as it is newer than what is known.
    pub(crate) fn believe(&mut self, line: &Line, now: i64) {
        let (heard, patience) = (now - i64::from(line.quiet), self.patience());
        let Some(member) = self.members.get_mut(&line.name) else {
            return self.meet(line, heard, now);
        };
        if (line.generation, line.heartbeat) < (member.generation, member.heartbeat) {
            return;
        }
        let mut is_new = line.generation > member.generation;
        let was_gone = is_new && !member.is_here();
        if is_new {
            // Another life: what its former self has written is past.
            *member = Member::new(line.generation, line.address, heard);
            member.is_away = was_gone;
        }
        let has_moved = line.heartbeat > member.heartbeat;
        (member.heartbeat, member.address) = (line.heartbeat, line.address);
        member.heard = member.heard.max(heard);
        if line.first > member.first {
            member.take_back(line.first);
            is_new = true;
        }
        if line.left && !member.left {
            (member.left, is_new) = (true, true);
            // Who comes again to leave a notice has not been back.
            self.events.extend((!was_gone).then(|| Event::Left(line.name.clone())));
        } else if member.is_away && has_moved && now - member.heard <= patience {
            (member.is_away, is_new) = (false, true);
            self.events.push(Event::Back(line.name.clone()));
        }
        if is_new {
            self.spread(&line.name);
        }
    }

    /// Somebody who was not known, unless it is somebody whom we have forgotten.
    fn meet(&mut self, line: &Line, heard: i64, now: i64) {
        if now - heard > millis(self.settings.keep) {
            return;
        }
        if self.members.len() >= self.settings.max_nodes && !self.make_room() {
            return self.tell(Event::Refused(line.name.clone(), "there is no place for more"));
        }
        let mut member = Member::new(line.generation, line.address, heard);
        (member.heartbeat, member.left) = (line.heartbeat, line.left);
        member.first = line.first;
        member.is_away = now - heard > self.patience();
        if member.is_here() {
            self.tell(Event::Joined(line.name.clone()));
        }
        self.members.insert(line.name.clone(), member);
        self.spread(&line.name);
    }

    /// Forgets who has been silent for longest of those who are gone or only visit: nobody
    /// loses a node by that which it could ask.
    fn make_room(&mut self) -> bool {
        let lasts = |member: &Member| member.is_here() && member.address.is_some();
        let others = self.members.iter().filter(|(name, it)| **name != self.me && !lasts(it));
        let longest = others.min_by_key(|(_, member)| member.heard).map(|(name, _)| name.clone());
        longest.is_some_and(|name| {
            self.news.remove(&name);
            self.members.remove(&name).is_some()
        })
    }

    /// Takes the notices of a batch that are not here yet. Whether there were any.
    pub(crate) fn learn(&mut self, batch: &Batch, now: i64) -> bool {
        let keep = millis(self.settings.keep);
        let Some(member) = self.members.get_mut(&batch.name) else { return false };
        // Where something before it is missing, it comes again behind that.
        let fits = (batch.after..batch.upto).contains(&member.last);
        if batch.name == self.me || batch.generation != member.generation || !fits {
            return false;
        }
        for Notice { number, age, text } in &batch.notices {
            let born = now - i64::from(*age);
            if *number > member.last && *number >= member.first && now - born <= keep {
                member.keep(*number, born, text.clone());
                self.events.push(Event::Wrote(batch.name.clone(), text.clone()));
            }
        }
        member.last = batch.upto;
        self.spread(&batch.name);
        true
    }

    /// What is known of `name`, as a line.
    pub(crate) fn line(&self, name: &Name, now: i64) -> Option<Line> {
        let (name, member) = self.members.get_key_value(name)?;
        Some(line(name, member, now))
    }

    /// What whoever has sent this line lacks of that node's notices, up to `room` bytes.
    pub(crate) fn lacking(&self, theirs: &Line, room: usize, now: i64) -> Option<Batch> {
        let (name, member) = self.members.get_key_value(&theirs.name)?;
        let after = if theirs.generation == member.generation { theirs.last } else { 0 };
        if theirs.generation > member.generation || member.last <= after {
            return None;
        }
        let (name, generation) = (name.clone(), member.generation);
        let mut batch = Batch { name, generation, after, upto: member.last, notices: Vec::new() };
        let mut room = room.min(BATCHES).checked_sub(batch.size_of_head())?;
        for kept in member.notices.iter().filter(|kept| kept.number > after) {
            let (number, age) = (kept.number, clamp(now - kept.born));
            let notice = Notice { number, age, text: kept.text.clone() };
            let Some(rest) = room.checked_sub(notice.size()) else {
                batch.upto = batch.notices.last().map_or(after, |it: &Notice| it.number);
                break;
            };
            room = rest;
            batch.notices.push(notice);
        }
        (batch.upto > after).then_some(batch)
    }

    /// Lines up to `room` bytes, without those of `said`: first those with news, up to the
    /// half of it, then the others in turn, a further part in each digest.
    pub(crate) fn digest(&mut self, said: &BTreeSet<Name>, room: usize, now: i64) -> Vec<Line> {
        let mut lines: Vec<Line> = Vec::new();
        let mut news: Vec<(u32, &Name)> = self.news.iter().map(|(n, often)| (*often, n)).collect();
        news.retain(|(_, name)| !said.contains(*name));
        news.sort_by(|one, other| other.cmp(one));
        let mut left = room;
        for (_, name) in news {
            let Some(line) = self.line(name, now) else { continue };
            if room - left + line.size() > room / 2 {
                break;
            }
            left -= line.size();
            lines.push(line);
        }
        let chosen: BTreeSet<Name> = lines.iter().map(|line| line.name.clone()).collect();
        let behind = self.members.range::<Name, _>((Excluded(&self.cursor), Unbounded));
        let before = self.members.range::<Name, _>(..=&self.cursor);
        let mut cursor = self.cursor.clone();
        let is_said = |name: &Name| said.contains(name) || chosen.contains(name);
        for (name, member) in behind.chain(before).filter(|(name, _)| !is_said(name)) {
            let line = line(name, member, now);
            if line.size() > left {
                break;
            }
            left -= line.size();
            cursor = name.clone();
            lines.push(line);
        }
        self.cursor = cursor;
        for name in chosen {
            if let Some(often) = self.news.get_mut(&name) {
                *often -= 1;
                if *often == 0 {
                    self.news.remove(&name);
                }
            }
        }
        lines
    }
}

fn line(name: &Name, member: &Member, now: i64) -> Line {
    Line {
        name: name.clone(),
        generation: member.generation,
        heartbeat: member.heartbeat,
        quiet: clamp(now - member.heard),
        first: member.first,
        last: member.last,
        left: member.left,
        address: member.address,
    }
}

/// Older than can be said is as old as can be said: 49 days.
fn clamp(millis: i64) -> u32 {
    u32::try_from(millis.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
