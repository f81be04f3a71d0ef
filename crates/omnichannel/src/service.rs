//! What all channels do: who is proven may ask, and what is asked is done the same way
//! wherever it came from.

use std::io;
use std::sync::Arc;

use netcore::cli::size;
use netcore::codec::{Codec, DEPTH, MAX_BYTES};

use crate::Omnichannel;
use crate::chain::Chain;
use crate::message::{Ask, Change, Reply, VERSION, Why};
use crate::metrics::{Channel, Metrics};
use crate::store::{Effect, Outcome, Store};
use crate::tokens::{REPLICA, Tokens};
use crate::writer::Writer;

/// Bytes of a message around its text: token, key, numbers.
const AROUND: usize = 1 << 10;

/// The largest `--max-text`: what a frame has room for.
const LONGEST: usize = MAX_BYTES - AROUND;

/// Bytes of a key. Longer ones would be a way to fill the disk.
const LONGEST_KEY: usize = 64;

/// Everything that answering takes.
pub struct Service {
    /// What the command line says.
    pub options: Omnichannel,
    /// Who may.
    pub tokens: Tokens,
    /// Where the state lives.
    pub store: Arc<Store>,
    /// The one who changes it.
    pub writer: Writer,
    /// What has happened.
    pub metrics: Arc<Metrics>,
    /// Whom it follows.
    pub chain: Chain,
}

/// A size that a text may be given, which all channels but datagrams can carry then.
///
/// # Errors
/// A sentence for clap to show.
pub fn text_size(text: &str) -> Result<usize, String> {
    match size(text)? {
        size if size <= LONGEST => Ok(size),
        _ => Err(format!("a frame has room for a text of {LONGEST} bytes")),
    }
}

impl Service {
    /// Starts what writes, as `start` does it.
    ///
    /// # Errors
    /// When the system has no thread, or no random numbers.
    pub fn new(
        options: Omnichannel,
        tokens: Tokens,
        store: Store,
        start: impl FnOnce(Arc<Store>, Arc<Metrics>) -> io::Result<Writer>,
    ) -> io::Result<Service> {
        let (store, metrics) = (Arc::new(store), Arc::new(Metrics::default()));
        let writer = start(Arc::clone(&store), Arc::clone(&metrics))?;
        Ok(Service { options, tokens, store, writer, metrics, chain: Chain::new()? })
    }

    /// The requests that one text fits into.
    pub fn codec(&self) -> Codec {
        Codec::new(VERSION, self.options.max_text.saturating_add(AROUND), DEPTH)
    }

    /// The account that the token of `request` proves.
    ///
    /// # Errors
    /// That it proves none.
    pub fn prove(&self, token: &str, channel: Channel) -> Result<&str, Why> {
        self.metrics.asked(channel);
        self.tokens.account(token).ok_or_else(|| {
            self.metrics.not_proven(channel);
            Why::NotProven
        })
    }

    /// Answers, and waits for the disk where something is changed.
    pub fn answer(&self, account: &str, key: Option<String>, ask: Ask) -> Reply {
        match self.begin(account, key, ask) {
            Ok(effect) => reply_to(self.writer.write(effect)),
            Err(reply) => reply,
        }
    }

    /// What has to be written before there is a reply.
    ///
    /// # Errors
    /// The reply, where nothing has to be written.
    pub fn begin(&self, account: &str, key: Option<String>, ask: Ask) -> Result<Effect, Reply> {
        let (revision, text) = match ask {
            // What is here may be behind what another server has acknowledged.
            Ask::Get if self.options.engine.is_some() => {
                return Ok(Effect::Look { account: account.into() });
            }
            Ask::Get => return Err(self.found(|store| store.draft(account), Reply::Draft)),
            Ask::Follow { .. } | Ask::Replicate { .. } | Ask::Chain => {
                return Err(refused(Why::NotHere));
            }
            Ask::Put { revision, text } => (revision, Some(text)),
            Ask::Delete { revision } => (revision, None),
        };
        let length = text.as_ref().map_or(0, String::len);
        if length > self.options.max_text {
            let (length, most) = (length as u64, self.options.max_text as u64);
            return Err(refused(Why::TooLong { length, most }));
        }
        if let Some(key) = key.as_ref().filter(|key| key.len() > LONGEST_KEY) {
            let (length, most) = (key.len() as u64, LONGEST_KEY as u64);
            return Err(refused(Why::KeyTooLong { length, most }));
        }
        if let Some((host, port)) = &self.options.follow {
            return Err(refused(Why::ReadOnly(netcore::listen::join(host, *port))));
        }
        if account == REPLICA {
            return Err(refused(Why::NotHere));
        }
        Ok(Effect::Replace { account: account.into(), key, revision, text })
    }

    /// That what a client has seen is of this store: where it has seen more than there is, it
    /// would wait until other changes have had the same numbers, and miss them.
    ///
    /// # Errors
    /// That it is not. What is behind another server may have to come yet.
    pub fn has_come_to(&self, account: &str, since: u64) -> Result<(), Why> {
        if since == 0 || self.options.follow.is_some() || self.options.engine.is_some() {
            return Ok(());
        }
        match self.store.draft(account) {
            Ok(draft) if since > draft.revision => Err(Why::OtherStore),
            // What fails is told of the changes as well.
            _ => Ok(()),
        }
    }

    /// Changes of the account after `since`, or that there are none.
    pub fn next(&self, account: &str, since: u64, most: usize) -> Reply {
        self.found(|store| store.changes_of(account, since, most), changed)
    }

    /// As [`next`](Service::next), of all accounts.
    pub fn next_of_all(&self, since: u64, most: usize) -> Reply {
        self.found(|store| store.changes(since, most), changed)
    }

    fn found<T>(
        &self,
        find: impl FnOnce(&Store) -> io::Result<T>,
        reply: impl FnOnce(T) -> Reply,
    ) -> Reply {
        find(&self.store).map_or_else(unavailable, reply)
    }
}

/// What is told when a change is on the disk, or is not.
pub fn reply_to(outcome: io::Result<Outcome>) -> Reply {
    match outcome {
        Ok(Outcome::Done(revision)) => Reply::Done(revision),
        Ok(Outcome::Conflict(draft)) => Reply::Conflict(draft),
        Ok(Outcome::KeyReused) => refused(Why::KeyReused),
        Ok(Outcome::OtherStore) => refused(Why::OtherStore),
        Ok(Outcome::Found(draft)) => Reply::Draft(draft),
        Err(error) => unavailable(error),
    }
}

fn changed(changes: Vec<Change>) -> Reply {
    if changes.is_empty() { Reply::Nothing } else { Reply::Changes(changes) }
}

fn refused(why: Why) -> Reply {
    Reply::Refused(why)
}

fn unavailable(error: io::Error) -> Reply {
    log::warn!("a request failed: {error}");
    refused(Why::Unavailable)
}
