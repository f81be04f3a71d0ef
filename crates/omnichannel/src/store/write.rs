//! What changes the state, and the rule that decides whether it does.

use redb::{ReadableTable, WriteTransaction};

use super::{
    CHANGES, Changes, DRAFTS, Drafts, Found, KEY_ORDER, KEYS, Kept, Keys, META, NAME, POSITION,
    REVISIONS, number, text_at,
};
use crate::message::{Change, Draft};

/// A change that is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// This text, or none, instead of the revision.
    Replace {
        /// Whose draft.
        account: String,
        /// What the request is known by when it comes again.
        key: Option<String>,
        /// The revision that is replaced.
        revision: u64,
        /// `None` deletes.
        text: Option<String>,
    },
    /// What another store has done, for its replica.
    Copy {
        /// The name of that store.
        store: u64,
        /// Its changes, in order.
        changes: Vec<Change>,
        /// What each of them is known by, and its fingerprint, as far as that is told.
        keys: Vec<(String, u64)>,
    },
    /// Nothing, after everything that was asked for before: what the draft is.
    Look {
        /// Whose draft.
        account: String,
    },
}

/// What has become of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Done, now or when it came first: the revision that it has made.
    Done(u64),
    /// Not done: the draft is at another revision.
    Conflict(Draft),
    /// Not done: its key was that of another request.
    KeyReused,
    /// Not done: it does not continue what is here.
    OtherStore,
    /// Nothing was to be done: this is there.
    Found(Draft),
}

/// Whether a change can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// No: this has become of it before, or becomes of it now.
    Settled(Outcome),
    /// Yes, in the place of the change at this position; 0 for none.
    Replaces(u64),
}

/// What has become of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Of each, in order.
    pub outcomes: Vec<Outcome>,
    /// Whether anything has changed.
    pub written: bool,
}

pub(super) fn apply(write: &WriteTransaction, effects: &[&Effect], kept: Kept) -> Found<Applied> {
    let position = || -> Found<u64> { number(&write.open_table(META)?, POSITION) };
    let before = position()?;
    let mut outcomes = Vec::with_capacity(effects.len());
    for effect in effects {
        outcomes.push(match effect {
            Effect::Replace { account, key, revision, text } => {
                let (key, text) = (key.as_deref(), text.as_deref());
                replace(write, &Asked { account, key, revision: *revision, text }, kept)?
            }
            Effect::Copy { store, changes, keys } => copy(write, *store, changes, keys, kept)?,
            Effect::Look { account } => Outcome::Found(look(write, account)?),
        });
    }
    Ok(Applied { outcomes, written: position()? != before })
}

/// A change that is asked for, as [`Effect::Replace`] has it.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whose draft.
    pub account: &'a str,
    /// What the request is known by.
    pub key: Option<&'a str>,
    /// The revision that is replaced.
    pub revision: u64,
    /// `None` deletes.
    pub text: Option<&'a str>,
}

/// The rule that decides.
pub(super) fn judge(
    asked: &Asked<'_>,
    keys: &impl ReadableTable<(&'static str, &'static str), Keys>,
    drafts: &impl ReadableTable<&'static str, Drafts>,
    changes: &impl ReadableTable<u64, Changes>,
) -> Found<Verdict> {
    if let Some(key) = asked.key
        && let Some(known) = keys.get((asked.account, key))?
    {
        let (_, known, made) = known.value();
        // To answer another request with what the first has made would lose it in silence.
        let is_same = known == asked.fingerprint();
        return Ok(Verdict::Settled(if is_same {
            Outcome::Done(made)
        } else {
            Outcome::KeyReused
        }));
    }
    let last = drafts.get(asked.account)?.map(|last| last.value());
    let (revision, at) = last.unwrap_or_default();
    if revision == asked.revision {
        return Ok(Verdict::Replaces(at));
    }
    // Revisions only grow: asked again, it would be one again, unless it has named one that
    // is still to come. So it is not remembered.
    let text = text_at(changes, at)?;
    Ok(Verdict::Settled(Outcome::Conflict(Draft { revision, text })))
}

fn replace(write: &WriteTransaction, asked: &Asked<'_>, kept: Kept) -> Found<Outcome> {
    let (keys, drafts) = (write.open_table(KEYS)?, write.open_table(DRAFTS)?);
    let verdict = judge(asked, &keys, &drafts, &write.open_table(CHANGES)?)?;
    if let Verdict::Settled(outcome) = verdict {
        return Ok(outcome);
    }
    drop((keys, drafts));
    let position = number(&write.open_table(META)?, POSITION)? + 1;
    let revision = asked.revision + 1;
    let draft = Draft { revision, text: asked.text.map(String::from) };
    record(write, &Change { position, account: asked.account.into(), draft }, kept)?;
    if let Some(key) = asked.key {
        remember(write, asked.account, key, (asked.fingerprint(), revision), kept)?;
    }
    Ok(Outcome::Done(revision))
}

fn look(write: &WriteTransaction, account: &str) -> Found<Draft> {
    let last = write.open_table(DRAFTS)?.get(account)?.map(|last| last.value());
    let (revision, at) = last.unwrap_or_default();
    Ok(Draft { revision, text: text_at(&write.open_table(CHANGES)?, at)? })
}

/// Takes over changes of the store that this one is a replica of.
fn copy(
    write: &WriteTransaction,
    store: u64,
    changes: &[Change],
    keys: &[(String, u64)],
    kept: Kept,
) -> Found<Outcome> {
    {
        let mut meta = write.open_table(META)?;
        // An empty store becomes a replica by its first copy.
        if number(&meta, POSITION)? == 0 {
            meta.insert(NAME, store)?;
        }
        if number(&meta, NAME)? != store {
            return Ok(Outcome::OtherStore);
        }
    }
    for (at, change) in changes.iter().enumerate() {
        if has_another(write, change)? {
            return Ok(Outcome::OtherStore);
        }
        // What came twice is there already; and of two that replace the same, the first counts.
        let last = write.open_table(DRAFTS)?.get(&*change.account)?.map(|last| last.value());
        let (revision, _) = last.unwrap_or_default();
        if change.position <= number(&write.open_table(META)?, POSITION)?
            || change.draft.revision <= revision
        {
            continue;
        }
        record(write, change, kept)?;
        if let Some((key, fingerprint)) = keys.get(at) {
            let made = (*fingerprint, change.draft.revision);
            remember(write, &change.account, key, made, kept)?;
        }
    }
    Ok(Outcome::Done(number(&write.open_table(META)?, POSITION)?))
}

/// Whether something else is here in its place: then one of the two stores was put back to what
/// it was before, and has gone on otherwise.
fn has_another(write: &WriteTransaction, change: &Change) -> Found<bool> {
    let changes = write.open_table(CHANGES)?;
    let Some(known) = changes.get(change.position)? else { return Ok(false) };
    let Draft { revision, text } = &change.draft;
    Ok(known.value() != (&*change.account, *revision, text.as_deref()))
}

fn record(write: &WriteTransaction, change: &Change, kept: Kept) -> Found<()> {
    let Change { position, account, draft: Draft { revision, text } } = change;
    let (position, revision, account) = (*position, *revision, account.as_str());
    if text.is_none() {
        forget(write, account)?;
    }
    let mut changes = write.open_table(CHANGES)?;
    let mut revisions = write.open_table(REVISIONS)?;
    write.open_table(META)?.insert(POSITION, position)?;
    write.open_table(DRAFTS)?.insert(account, (revision, position))?;
    changes.insert(position, (account, revision, text.as_deref()))?;
    revisions.insert((account, revision), position)?;
    // The last one is always kept.
    let over = revision.saturating_sub(kept.revisions.max(1));
    let old: Vec<(u64, u64)> = revisions
        .range((account, 0)..=(account, over))?
        .map(|entry| entry.map(|(key, position)| (key.value().1, position.value())))
        .collect::<Result<_, _>>()?;
    for (revision, position) in old {
        revisions.remove((account, revision))?;
        changes.remove(position)?;
    }
    Ok(())
}

/// Nothing stays of what an account has written, or of how it was asked for.
fn forget(write: &WriteTransaction, account: &str) -> Found<()> {
    let mut changes = write.open_table(CHANGES)?;
    let all = (account, 0)..=(account, u64::MAX);
    for entry in write.open_table(REVISIONS)?.extract_from_if(all.clone(), |_, _| true)? {
        changes.remove(entry?.1.value())?;
    }
    let mut keys = write.open_table(KEYS)?;
    for entry in write.open_table(KEY_ORDER)?.extract_from_if(all, |_, _| true)? {
        keys.remove((account, entry?.1.value()))?;
    }
    Ok(())
}

fn remember(
    write: &WriteTransaction,
    account: &str,
    key: &str,
    (fingerprint, made): (u64, u64),
    kept: Kept,
) -> Found<()> {
    let mut keys = write.open_table(KEYS)?;
    let mut order = write.open_table(KEY_ORDER)?;
    let last = order.range((account, 0)..=(account, u64::MAX))?.next_back().transpose()?;
    let number = last.map_or(1, |(last, _)| last.value().1 + 1);
    keys.insert((account, key), (number, fingerprint, made))?;
    order.insert((account, number), key)?;
    let over = (account, 0)..=(account, number.saturating_sub(kept.keys.max(1)));
    for entry in order.extract_from_if(over, |_, _| true)? {
        keys.remove((account, entry?.1.value()))?;
    }
    Ok(())
}

impl Asked<'_> {
    /// By which a repeated request is told from another one under the same key: a mistake is
    /// to be found, not an attack, for an account can harm itself only. FNV-1a.
    pub fn fingerprint(&self) -> u64 {
        let kind = [u8::from(self.text.is_some())];
        let bytes = self.revision.to_be_bytes().into_iter().chain(kind);
        let bytes = bytes.chain(self.text.unwrap_or_default().bytes());
        bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        })
    }
}
