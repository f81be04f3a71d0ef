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
    file: File,
    changes: usize,
}

impl Journal {
    /// Makes the changes that the file holds, and is ready for the next. A last one that a
    /// crash has cut was acknowledged to nobody, and is left out.
    ///
    /// # Errors
    /// When it cannot be read or written, or holds anything else.
    pub fn open(path: &Path, entries: &mut BTreeMap<String, String>) -> io::Result<Journal> {
        match File::open(path) {
            Ok(file) => read(&mut BufReader::new(file), entries)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let file = written_anew(path, entries)?;
        Ok(Journal { path: path.into(), file, changes: 0 })
    }

    /// Brings a change to the disk.
    ///
    /// # Errors
    /// When it is not certain to be there.
    pub fn note(&mut self, change: &str, entries: &BTreeMap<String, String>) -> io::Result<()> {
        if self.changes == CHANGES {
            self.file = written_anew(&self.path, entries)?;
            self.changes = 0;
        }
        // Half a change at the end would hide all that follow it.
        let end = self.file.metadata()?.len();
        let noted = write(&mut self.file, change).and_then(|()| self.file.sync_data());
        if noted.is_err() {
            self.file.set_len(end)?;
        }
        self.changes += 1;
        noted
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
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = BufWriter::new(File::create(&beside)?);
    for (name, value) in entries {
        write(&mut file, &format!("set {name} {value}"))?;
    }
    let file = file.into_inner()?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    // The file that was written is the one that is there now, and its end is where we are.
    Ok(file)
}
