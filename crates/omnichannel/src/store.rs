//! Where the state lives: the tables, and the few calls that everything else uses them by.
//!
//! | table | |
//! |---|---|
//! | `drafts` | of each account, the revision and the position of its last change |
//! | `changes` | by position: whose, which revision, and the text |
//! | `revisions` | by account and revision: the position |
//! | `keys` | by account and key: what the request was, and which revision it made |
//! | `key-order` | by account and number: the key, so that the oldest can go |
//! | `meta` | the name of this store, and how many changes there were |
//!
//! All of a change, the key of its request too, is one transaction: after a crash either all
//! of it is there or nothing.

use std::io;
use std::path::PathBuf;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::thread::sleep;
use std::time::Duration;

use redb::{
    Database, ReadTransaction, ReadableDatabase, ReadableTable, TableDefinition, TableError,
    WriteTransaction,
};

use crate::disk::{Disk, Trust};
use crate::message::{Change, Draft};

#[cfg(test)]
mod tests;
mod write;

pub use write::{Applied, Asked, Effect, Outcome, Verdict};

const DRAFTS: TableDefinition<&str, (u64, u64)> = TableDefinition::new("drafts");
const CHANGES: TableDefinition<u64, (&str, u64, Option<&str>)> = TableDefinition::new("changes");
const REVISIONS: TableDefinition<(&str, u64), u64> = TableDefinition::new("revisions");
const KEYS: TableDefinition<(&str, &str), (u64, u64, u64)> = TableDefinition::new("keys");
const KEY_ORDER: TableDefinition<(&str, u64), &str> = TableDefinition::new("key-order");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");

/// Names in [`META`].
const NAME: &str = "name";
const POSITION: &str = "position";
const FORMAT: &str = "format";

/// The form of the tables. A file of another one is not touched.
const THIS_FORMAT: u64 = 1;

/// Bytes of the file that are kept in memory.
const CACHE: usize = 64 << 20;

/// How much is kept of what is over.
#[derive(Debug, Clone, Copy)]
pub struct Kept {
    /// Revisions of each draft, for those who follow it.
    pub revisions: u64,
    /// Keys of each account.
    pub keys: u64,
}

/// Where it is.
#[derive(Debug, Clone)]
pub struct Place {
    /// The file; `None` for memory.
    pub file: Option<PathBuf>,
    /// How much longer each commit of changes takes than the disk needs.
    pub slow: Duration,
    /// What a store that is made is called; `None` for a name by chance.
    pub name: Option<u64>,
}

/// The drafts of all accounts. Any number of threads may read; what [`apply`](Store::apply)
/// has in hand they neither see nor wait for.
#[derive(Debug)]
pub struct Store {
    /// `None` after a failure that could not be mended so far.
    database: RwLock<Option<Database>>,
    place: Place,
    kept: Kept,
}

impl Store {
    /// Opens the store, or makes it. What a crash has left half done is undone here.
    ///
    /// # Errors
    /// `ResourceBusy` where another process has it open; `InvalidData` for a file that is no
    /// store; what the system says.
    pub fn open(place: Place, kept: Kept) -> io::Result<Store> {
        let database = RwLock::new(Some(open(&place, Trust::Checked)?));
        Ok(Store { database, place, kept })
    }

    /// The draft of this account.
    ///
    /// # Errors
    /// When the store fails.
    pub fn draft(&self, account: &str) -> io::Result<Draft> {
        self.read(|read| {
            let Some(last) = read.open_table(DRAFTS)?.get(account)? else {
                return Ok(Draft::default());
            };
            let (revision, position) = last.value();
            let text = text_at(&read.open_table(CHANGES)?, position)?;
            Ok(Draft { revision, text })
        })
    }

    /// The changes of this account after revision `since`, in order and at least one of them:
    /// as many as have `most` bytes. Those that are not kept any more are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub fn changes_of(&self, account: &str, since: u64, most: usize) -> io::Result<Vec<Change>> {
        self.read(|read| {
            let changes = read.open_table(CHANGES)?;
            let revisions = read.open_table(REVISIONS)?;
            let from = (account, since.saturating_add(1));
            let mut found = UpTo::new(most);
            for entry in revisions.range(from..=(account, u64::MAX))? {
                let position = entry?.1.value();
                let Some(change) = changes.get(position)? else { continue };
                if !found.takes(position, change.value()) {
                    break;
                }
            }
            Ok(found.changes)
        })
    }

    /// As [`changes_of`](Store::changes_of), of all accounts after position `since`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn changes(&self, since: u64, most: usize) -> io::Result<Vec<Change>> {
        self.read(|read| {
            let mut found = UpTo::new(most);
            for entry in read.open_table(CHANGES)?.range(since.saturating_add(1)..)? {
                let (position, change) = entry?;
                if !found.takes(position.value(), change.value()) {
                    break;
                }
            }
            Ok(found.changes)
        })
    }

    /// The name of this store, which no other has, and how many changes there were: the
    /// position of the last.
    ///
    /// # Errors
    /// When the store fails.
    pub fn standing(&self) -> io::Result<(u64, u64)> {
        self.read(|read| {
            let meta = read.open_table(META)?;
            Ok((number(&meta, NAME)?, number(&meta, POSITION)?))
        })
    }

    /// What would become of a change now.
    ///
    /// # Errors
    /// When the store fails.
    pub fn judge(&self, asked: &Asked<'_>) -> io::Result<Verdict> {
        self.read(|read| {
            let (keys, drafts) = (read.open_table(KEYS)?, read.open_table(DRAFTS)?);
            write::judge(asked, &keys, &drafts, &read.open_table(CHANGES)?)
        })
    }

    /// Does all of `effects`, in order and in one transaction, and returns when they are on
    /// the disk. Each finds what those before it have done. Where nothing is changed, the disk
    /// is not waited for.
    ///
    /// # Errors
    /// When the store fails: then all of it may be done, or nothing.
    pub fn apply(&self, effects: &[&Effect]) -> io::Result<Applied> {
        let applied = self.database().and_then(|guard| {
            let write = present(&guard)?.begin_write().map_err(in_words)?;
            let applied = write::apply(&write, effects, self.kept).map_err(in_words)?;
            match applied.written {
                true => {
                    sleep(self.place.slow);
                    write.commit().map_err(in_words)?;
                }
                false => write.abort().map_err(in_words)?,
            }
            Ok(applied)
        });
        if let Err(error) = &applied {
            log::error!("the store failed: {error}");
            self.reopen();
        }
        applied
    }

    /// After a failure the library does nothing more with the file. What is there is in order,
    /// so it is opened anew; whoever reads waits meanwhile.
    fn reopen(&self) {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if self.place.file.is_none() {
            return;
        }
        // The file is to be closed first.
        *database = None;
        self.open_again(&mut database);
    }

    fn open_again(&self, database: &mut Option<Database>) {
        match open(&self.place, Trust::Ours) {
            Ok(opened) => *database = Some(opened),
            Err(error) => log::error!("cannot open the store again: {error}"),
        }
    }

    fn read<T>(&self, read: impl FnOnce(&ReadTransaction) -> Found<T>) -> io::Result<T> {
        if self.database()?.is_none() {
            // Who reads does not wait for somebody who writes.
            let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
            if database.is_none() {
                self.open_again(&mut database);
            }
        }
        let guard = self.database()?;
        let transaction = present(&guard)?.begin_read().map_err(in_words)?;
        read(&transaction).map_err(in_words)
    }

    fn database(&self) -> io::Result<RwLockReadGuard<'_, Option<Database>>> {
        Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
    }
}

type Found<T> = Result<T, redb::Error>;

fn present(database: &Option<Database>) -> io::Result<&Database> {
    database.as_ref().ok_or_else(|| io::Error::other("it could not be opened again so far"))
}

fn open(place: &Place, trust: Trust) -> io::Result<Database> {
    let disk = match &place.file {
        Some(file) => Disk::open(file, trust).map_err(in_words)?,
        None => Disk::memory(),
    };
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE).set_check_integrity_on_open(trust == Trust::Checked);
    let database = builder.create_with_backend(disk).map_err(in_words)?;
    match format(&database).map_err(in_words)? {
        // Nothing is written, for which there might be no room.
        Some(THIS_FORMAT) => return Ok(database),
        Some(other) => return Err(damaged(&format!("its form is {other}"))),
        None if trust == Trust::Ours => return Err(damaged("there is nothing in it any more")),
        None => {}
    }
    let write = database.begin_write().map_err(in_words)?;
    let name = place.name.unwrap_or_else(netcore::request::random);
    make_tables(&write, name.max(1)).map_err(in_words)?;
    write.commit().map_err(in_words)?;
    Ok(database)
}

/// `None` for a file in which there is nothing yet.
fn format(database: &Database) -> Found<Option<u64>> {
    let read = database.begin_read()?;
    if read.list_tables()?.next().is_none() {
        return Ok(None);
    }
    match read.open_table(META) {
        Ok(meta) => Ok(Some(number(&meta, FORMAT)?)),
        Err(TableError::TableDoesNotExist(_)) => Ok(Some(0)),
        Err(error) => Err(error.into()),
    }
}

fn make_tables(write: &WriteTransaction, name: u64) -> Found<()> {
    let mut meta = write.open_table(META)?;
    meta.insert(FORMAT, THIS_FORMAT)?;
    meta.insert(NAME, name)?;
    write.open_table(DRAFTS)?;
    write.open_table(CHANGES)?;
    write.open_table(REVISIONS)?;
    write.open_table(KEYS)?;
    write.open_table(KEY_ORDER)?;
    Ok(())
}

fn number(meta: &impl ReadableTable<&'static str, u64>, name: &str) -> Found<u64> {
    Ok(meta.get(name)?.map_or(0, |number| number.value()))
}

type Drafts = (u64, u64);
type Changes = (&'static str, u64, Option<&'static str>);
type Keys = (u64, u64, u64);

fn text_at(changes: &impl ReadableTable<u64, Changes>, position: u64) -> Found<Option<String>> {
    Ok(changes.get(position)?.and_then(|it| it.value().2.map(String::from)))
}

/// Changes that have so many bytes together, or one change.
struct UpTo {
    most: usize,
    changes: Vec<Change>,
}

impl UpTo {
    /// Bytes of a change beside its text, at most.
    const AROUND: usize = 64;

    fn new(most: usize) -> UpTo {
        UpTo { most, changes: Vec::new() }
    }

    fn takes(&mut self, position: u64, change: (&str, u64, Option<&str>)) -> bool {
        let (account, revision, text) = change;
        let bytes = text.map_or(0, str::len) + UpTo::AROUND;
        if bytes > self.most && !self.changes.is_empty() {
            return false;
        }
        self.most = self.most.saturating_sub(bytes);
        let draft = Draft { revision, text: text.map(String::from) };
        self.changes.push(Change { position, account: account.into(), draft });
        true
    }
}

/// An error of the library as one of the system, which is what it most often is.
fn in_words(error: impl Into<redb::Error>) -> io::Error {
    match error.into() {
        redb::Error::Io(error) => error,
        redb::Error::DatabaseAlreadyOpen => {
            io::Error::new(io::ErrorKind::ResourceBusy, "another server has it open")
        }
        redb::Error::Corrupted(why) => damaged(&why),
        other => io::Error::other(other.to_string()),
    }
}

fn damaged(why: &str) -> io::Error {
    let why = format!("it is no store, or damaged: {why}");
    io::Error::new(io::ErrorKind::InvalidData, why)
}
