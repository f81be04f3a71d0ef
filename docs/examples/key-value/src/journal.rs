//! The file behind the store: every change in order, each as the request that made it, framed
//! as on the wire. To read it is to make the changes once more.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

use netcore::frame::{self, FrameError, Header};

/// Bytes of one change at most; a message is never longer.
const LONGEST: usize = 16 << 20;

/// So many changes after the last time, the file is written anew with what is left of them:
/// it would grow for ever otherwise.
const CHANGES: usize = 10_000;

/// The file, open for the next change.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    /// None after a change that has failed: half of it may be at the end, and would hide all that
    /// follow it. Before the next one, the file is written anew.
    file: Option<File>,
    changes: usize,
    /// Locked for as long as this is there.
    _lock: File,
}

impl Journal {
    /// Makes the changes that the file holds, and is ready for the next. A last one that a
    /// crash has cut was acknowledged to nobody, and is left out.
    ///
    /// # Errors
    /// When it cannot be read or written, holds anything else, or is another server's.
    pub fn open(path: &Path, entries: &mut BTreeMap<String, String>) -> io::Result<Journal> {
        // One beside it, since the file itself is another one each time that it is written anew.
        let lock = File::create(beside(path, ".lock"))?;
        lock.try_lock().map_err(|_| io::Error::other("another server has it"))?;
        match File::open(path) {
            Ok(file) => read(&mut BufReader::new(file), entries)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let file = Some(written_anew(path, entries)?);
        Ok(Journal { path: path.into(), file, changes: 0, _lock: lock })
    }

    /// Brings a change to the disk.
    ///
    /// # Errors
    /// When it is not certain to be there.
    pub fn note(&mut self, change: &str, entries: &BTreeMap<String, String>) -> io::Result<()> {
        // Closed before another one takes its place: Windows replaces no file that is open.
        let mut file = match self.file.take().filter(|_| self.changes < CHANGES) {
            Some(file) => file,
            None => {
                self.changes = 0;
                written_anew(&self.path, entries)?
            }
        };
        write(&mut file, change).and_then(|()| file.sync_data())?;
        self.file = Some(file);
        self.changes += 1;
        Ok(())
    }
}

fn read(file: &mut BufReader<File>, entries: &mut BTreeMap<String, String>) -> io::Result<()> {
    let mut change = Vec::new();
    loop {
        match frame::read(file, Header::Binary, LONGEST, &mut change) {
            Ok(true) => make(&change, entries)?,
            Ok(false) | Err(FrameError::CutShort) => return Ok(()),
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

fn make(change: &[u8], entries: &mut BTreeMap<String, String>) -> io::Result<()> {
    let text = str::from_utf8(change).unwrap_or_default();
    let mut words = text.splitn(3, ' ');
    match (words.next(), words.next(), words.next()) {
        (Some("set"), Some(name), Some(value)) => entries.insert(name.into(), value.into()),
        (Some("take"), Some(name), None) => entries.remove(name),
        _ => return Err(io::Error::other("it holds something else")),
    };
    Ok(())
}

fn write(file: &mut impl Write, change: &str) -> io::Result<()> {
    frame::write(file, Header::Binary, LONGEST, change.as_bytes()).map_err(io::Error::other)
}

/// Writes what is there into a file beside it, which then takes its place in one step.
fn written_anew(path: &Path, entries: &BTreeMap<String, String>) -> io::Result<File> {
    let new = beside(path, ".new");
    let mut file = BufWriter::new(File::create(&new)?);
    // Whoever may not read the texts now may not do so later.
    if let Ok(old) = fs::metadata(path) {
        file.get_ref().set_permissions(old.permissions())?;
    }
    for (name, value) in entries {
        write(&mut file, &format!("set {name} {value}"))?;
    }
    let file = file.into_inner()?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    // The name is in the folder, which has to be brought to the disk as well. Windows opens no
    // folder like this.
    #[cfg(unix)]
    File::open(path.parent().filter(|it| *it != "").unwrap_or(Path::new(".")))?.sync_all()?;
    // The file that was written is the one that is there now, and its end is where we are.
    Ok(file)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(end);
    beside.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_a_change_that_the_disk_has_not_taken_the_next_one_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("texts");
        let mut entries = BTreeMap::new();
        let mut journal = Journal::open(&path, &mut entries).unwrap();
        journal.note("set a one", &entries).unwrap();
        entries.insert("a".into(), "one".into());
        // What a full disk leaves of a change.
        journal.file.as_mut().unwrap().write_all(b"\0\0\0\x09set ").unwrap();
        journal.file = File::open(&path).ok();
        journal.note("set b two", &entries).unwrap_err();
        journal.note("set c three", &entries).unwrap();
        drop(journal);
        let mut read = BTreeMap::new();
        Journal::open(&path, &mut read).unwrap();
        assert_eq!(read.into_keys().collect::<Vec<_>>(), ["a", "c"]);
    }
}
