//! All connections of a server: who has a place, who has a turn, and who is closed for
//! others when there is no room.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;
use netcore::timers::Timers;
use slab::Slab;

use super::conversation::{Claim, Conversation, Standing, Told};

/// How long a client may take to its first whole head before it may be closed for
/// another one: longer than any way there and back, with a handshake in between.
const GRACE: Duration = Duration::from_secs(2);

/// The connections.
#[derive(Debug)]
pub struct Crowd {
    members: Slab<Member>,
    timers: Timers,
    /// Each at most once.
    promised: VecDeque<usize>,
    /// Connections that have a place.
    places: usize,
    seated: usize,
    /// Connections that may be open beyond those: their requests are read, and answered with
    /// 503 where there is no place for them by then.
    lobby: usize,
    /// Bytes of bodies that are kept for handlers.
    collected: usize,
}

#[derive(Debug)]
struct Member {
    /// `None` while a worker has it.
    conversation: Option<Box<Conversation>>,
    /// What events have told meanwhile.
    told: Told,
    is_promised: bool,
    is_seated: bool,
    collected: usize,
}

impl Crowd {
    /// A crowd with `places` for clients, and so many in its lobby.
    pub fn new(places: usize, lobby: usize) -> Crowd {
        let (members, timers, promised) = (Slab::new(), Timers::default(), VecDeque::new());
        let (places, seated, collected) = (places.max(1), 0, 0);
        Crowd { members, timers, promised, places, seated, lobby, collected }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Bytes of bodies that are kept.
    pub fn collected(&self) -> usize {
        self.collected
    }

    /// Whether one more may come in, if only into the lobby.
    pub fn has_room(&self) -> bool {
        self.members.len() < self.places + self.lobby
    }

    /// The number that the next one will have.
    pub fn next_id(&self) -> usize {
        self.members.vacant_key()
    }

    /// Whether there is a place; it is taken with the next [`insert`](Crowd::insert) or
    /// [`seat`](Crowd::seat).
    pub fn has_place(&self) -> bool {
        self.seated < self.places
    }

    /// Adds one.
    pub fn insert(&mut self, conversation: Box<Conversation>) -> usize {
        let is_seated = conversation.standing() == Standing::Seated;
        self.seated += usize::from(is_seated);
        let deadline = conversation.deadline();
        let (told, is_promised) = (Told::default(), false);
        let conversation = Some(conversation);
        let member = Member { conversation, told, is_promised, is_seated, collected: 0 };
        let id = self.members.insert(member);
        self.timers.set(id, deadline);
        id
    }

    /// Gives it a place.
    pub fn seat(&mut self, id: usize) {
        if let Some(member) = self.members.get_mut(id) {
            self.seated += usize::from(!std::mem::replace(&mut member.is_seated, true));
        }
    }

    /// Forgets one.
    pub fn remove(&mut self, id: usize) {
        if let Some(member) = self.members.try_remove(id) {
            self.seated -= usize::from(member.is_seated);
            self.collected -= member.collected;
        }
        self.timers.remove(id);
    }

    /// Takes one out, for its turn; `None` where a worker has it, or it is gone.
    pub fn take(&mut self, id: usize) -> Option<Box<Conversation>> {
        self.members.get_mut(id)?.conversation.take()
    }

    /// A worker has it: no deadline of ours is about it.
    pub fn hand_over(&mut self, id: usize) {
        self.timers.remove(id);
    }

    /// Puts it back behind its turn.
    pub fn put_back(&mut self, id: usize, mut conversation: Box<Conversation>) {
        let Some(member) = self.members.get_mut(id) else { return };
        let collected = conversation.collected();
        self.collected = self.collected + collected - member.collected;
        member.collected = collected;
        self.timers.set(id, conversation.deadline());
        let told = std::mem::take(&mut member.told);
        let is_told = conversation.is_told(told);
        if conversation.claim().0 == Claim::Ended {
            self.seated -= usize::from(std::mem::replace(&mut member.is_seated, false));
        }
        member.conversation = Some(conversation);
        if is_told {
            self.promise(id);
        }
    }

    /// An event has come: if it is about what is waited for, it means a turn.
    pub fn tell(&mut self, id: usize, told: Told) {
        let Some(member) = self.members.get_mut(id) else { return };
        match &mut member.conversation {
            Some(conversation) => {
                if conversation.is_told(told) {
                    self.promise(id);
                }
            }
            None => {
                member.told.readable |= told.readable;
                member.told.writable |= told.writable;
                member.told.closed |= told.closed;
            }
        }
    }

    /// It has a turn in this round.
    pub fn promise(&mut self, id: usize) {
        if let Some(member) = self.members.get_mut(id)
            && !std::mem::replace(&mut member.is_promised, true)
        {
            self.promised.push_back(id);
        }
    }

    /// How many have a turn.
    pub fn promised(&self) -> usize {
        self.promised.len()
    }

    /// Whose turn is next.
    pub fn next_turn(&mut self) -> Option<usize> {
        let id = self.promised.pop_front()?;
        if let Some(member) = self.members.get_mut(id) {
            member.is_promised = false;
        }
        Some(id)
    }

    /// When the next one is late.
    pub fn deadline(&self) -> Deadline {
        self.timers.next()
    }

    /// One whose deadline has come by `now`.
    pub fn late(&mut self, now: Instant) -> Option<usize> {
        self.timers.expired(now)
    }

    /// All that no worker has.
    pub fn ids(&self) -> Vec<usize> {
        let here = self.members.iter().filter(|(_, member)| member.conversation.is_some());
        here.map(|(id, _)| id).collect()
    }

    /// Who makes room for a client that wants a place: the one that has been idle longest,
    /// else the one that has taken longest to its first request.
    pub fn makes_room(&self, now: Instant) -> Option<usize> {
        let seated = |member: &&Member| member.is_seated;
        let idle = self.oldest(Claim::Idle, seated).map(|(_, id)| id);
        idle.or_else(|| self.headless(seated, now))
    }

    /// Who leaves a lobby that is full: one that has its answer, else the one that has taken
    /// longest to its first request.
    pub fn leaves_lobby(&self, now: Instant) -> Option<usize> {
        let standing = |member: &&Member| !member.is_seated;
        let ended = self.oldest(Claim::Ended, standing).map(|(_, id)| id);
        ended.or_else(|| self.headless(standing, now))
    }

    /// One that makes room has no place from here on.
    pub fn unseat(&mut self, id: usize) {
        if let Some(member) = self.members.get_mut(id) {
            self.seated -= usize::from(std::mem::replace(&mut member.is_seated, false));
        }
    }

    fn headless(&self, among: impl Fn(&&Member) -> bool, now: Instant) -> Option<usize> {
        let (since, id) = self.oldest(Claim::Headless, among)?;
        (now.saturating_duration_since(since) >= GRACE).then_some(id)
    }

    fn oldest(&self, wanted: Claim, among: impl Fn(&&Member) -> bool) -> Option<(Instant, usize)> {
        let members = self.members.iter().filter(|(_, member)| among(member));
        let claims = members.filter_map(|(id, member)| {
            let (claim, since) = member.conversation.as_ref()?.claim();
            (claim == wanted).then_some((since, id))
        });
        claims.min()
    }
}
