//! All connections of a server: who has a place, who has a turn, and who is closed for
//! others when there is no room.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use netcore::deadline::Deadline;
use netcore::timers::Timers;
use slab::Slab;

use super::conversation::{Claim, Conversation, Standing, Told};

/// How long a client may take to a whole head before it may be closed for another one:
/// longer than any way there and back, with a handshake in between.
const GRACE: Duration = Duration::from_secs(2);

/// The connections.
#[derive(Debug)]
pub struct Crowd {
    members: Slab<Member>,
    timers: Timers,
    /// Each at most once.
    promised: VecDeque<usize>,
    /// For clients that have asked for something.
    places: usize,
    seated: usize,
    /// Connections that may be open beyond those: whoever comes is read, and answered with 503
    /// where there is no place by then.
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

    /// Whether one more may come in.
    pub fn has_room(&self) -> bool {
        self.members.len() < self.places + self.lobby
    }

    /// The number that the next one will have.
    pub fn next_id(&self) -> usize {
        self.members.vacant_key()
    }

    /// Whether there is a place for one that has none.
    pub fn has_place(&self) -> bool {
        self.seated < self.places
    }

    /// Adds one.
    pub fn insert(&mut self, conversation: Box<Conversation>) -> usize {
        let deadline = conversation.deadline();
        let (told, is_promised, is_seated) = (Told::default(), false, false);
        let conversation = Some(conversation);
        let member = Member { conversation, told, is_promised, is_seated, collected: 0 };
        let id = self.members.insert(member);
        self.timers.set(id, deadline);
        id
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

    /// A worker is to have it: no deadline of ours is about it.
    pub fn hand_over(&mut self, id: usize, conversation: &Conversation) {
        self.timers.remove(id);
        self.note(id, conversation);
    }

    /// Takes note of what a turn has changed: who has a place has it until it is ended.
    fn note(&mut self, id: usize, conversation: &Conversation) {
        let Some(member) = self.members.get_mut(id) else { return };
        let is_seated =
            conversation.standing() == Standing::Seated && conversation.claim().0 != Claim::Ended;
        self.seated = self.seated + usize::from(is_seated) - usize::from(member.is_seated);
        let collected = conversation.collected();
        self.collected = self.collected + collected - member.collected;
        (member.is_seated, member.collected) = (is_seated, collected);
    }

    /// Puts it back behind its turn.
    pub fn put_back(&mut self, id: usize, mut conversation: Box<Conversation>) {
        self.note(id, &conversation);
        let Some(member) = self.members.get_mut(id) else { return };
        self.timers.set(id, conversation.deadline());
        let told = std::mem::take(&mut member.told);
        let is_told = conversation.is_told(told);
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

    /// Who gives its place to a client that has a request: the one that has been idle longest.
    pub fn gives_place(&self) -> Option<usize> {
        self.oldest(Claim::Idle).map(|(_, id)| id)
    }

    /// Who leaves, that one more may come in: one that has its answer and does not go; else
    /// the one that has been in the lobby longest; else the one that has been idle longest.
    pub fn leaves(&self, now: Instant) -> Option<usize> {
        let is_slow = |(since, _): &(Instant, _)| now.saturating_duration_since(*since) >= GRACE;
        let ended = self.oldest(Claim::Ended);
        let leaves = ended.or_else(|| self.oldest(Claim::Headless).filter(is_slow));
        leaves.or_else(|| self.oldest(Claim::Idle)).map(|(_, id)| id)
    }

    /// Whether we have ended it, and only wait for what it still sends.
    pub fn has_ended(&self, id: usize) -> bool {
        let conversation = self.members.get(id).and_then(|member| member.conversation.as_ref());
        conversation.is_some_and(|conversation| conversation.claim().0 == Claim::Ended)
    }

    fn oldest(&self, wanted: Claim) -> Option<(Instant, usize)> {
        let claims = self.members.iter().filter_map(|(id, member)| {
            let (claim, since) = member.conversation.as_ref()?.claim();
            (claim == wanted).then_some((since, id))
        });
        claims.min()
    }
}
