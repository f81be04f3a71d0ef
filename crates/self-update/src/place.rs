//! Where the program is, and the steps by which another takes its name. After each of them
//! the name stands for a whole program, the old one or the new one, whatever ends us.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use netcore::Error;
use netcore::error::reason;
use semver::Version;

use crate::rules::Memory;

#[cfg_attr(unix, path = "place/unix.rs")]
#[cfg_attr(windows, path = "place/windows.rs")]
mod system;

/// The file of a program, and those beside it that an update needs. All are in one folder:
/// only there a rename is one step.
#[derive(Debug, Clone)]
pub struct Place {
    program: PathBuf,
}

/// One update at a time, of all processes that run this program. It ends with the process,
/// however that ends.
#[derive(Debug)]
pub struct Lock(#[allow(dead_code, reason = "it is held, not used")] File);

impl Place {
    /// Of the program that runs. A symbolic link that leads to it stays as it is.
    ///
    /// # Errors
    /// When the system does not tell where it is.
    pub fn of_this_program() -> Result<Place, Error> {
        let program = std::env::current_exe().and_then(fs::canonicalize);
        Ok(Place { program: program.map_err(Error::failed("find the file of this program"))? })
    }

    /// Of another program.
    ///
    /// # Errors
    /// When there is none.
    pub fn of(program: &Path) -> io::Result<Place> {
        Ok(Place { program: fs::canonicalize(program)? })
    }

    /// The file that is run.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// What is downloaded.
    pub fn new_program(&self) -> PathBuf {
        self.beside("new")
    }

    /// The way home.
    pub fn old_program(&self) -> PathBuf {
        self.beside("old")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = OsString::from(self.program.file_name().unwrap_or_default());
        name.push(".");
        name.push(ending);
        self.program.with_file_name(name)
    }

    fn folder(&self) -> &Path {
        self.program.parent().unwrap_or(Path::new("."))
    }

    /// `None` where another process is at it:
    /// [flock(2)](https://man7.org/linux/man-pages/man2/flock.2.html).
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn lock(&self) -> io::Result<Option<Lock>> {
        // It stays: whoever removed it could leave two processes with a lock each.
        let name = self.beside("lock");
        // Nothing is written to it, and so nothing of what a link leads to is gone.
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&name);
        let file = file.map_err(of(&name))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Lock(file))),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(of(&name)(error)),
        }
    }

    /// What is remembered beside a program of the version `own`.
    ///
    /// # Errors
    /// When it cannot be read, or is no memory. To begin anew then would be to forget what
    /// must not come back.
    pub fn recall(&self, own: &Version) -> io::Result<Memory> {
        let file = self.beside("state");
        match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(|error| {
                io::Error::new(ErrorKind::InvalidData, format!("{}: {error}", file.display()))
            }),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Memory::new(own.clone())),
            Err(error) => Err(of(&file)(error)),
        }
    }

    /// Remembers, so that a crash leaves what was before or this.
    ///
    /// # Errors
    /// What the system says.
    pub fn remember(&self, memory: &Memory, _: &Lock) -> io::Result<()> {
        let draft = self.beside("state.new");
        let bytes = serde_json::to_vec_pretty(memory).map_err(io::Error::other)?;
        // Not through a link that somebody has put there, as the program.
        let written = absent(fs::remove_file(&draft)).and_then(|()| {
            let mut file = File::create_new(&draft)?;
            file.write_all(&bytes)?;
            file.sync_all()
        });
        written.map_err(of(&draft))?;
        fs::rename(&draft, self.beside("state")).map_err(of(&draft))?;
        system::sync_folder(self.folder())
    }

    /// An empty file for the new program, that nobody but us can read yet, where there is
    /// room for `size` bytes.
    ///
    /// # Errors
    /// `StorageFull`, with both figures; when the folder cannot be written to.
    pub fn make_room(&self, size: u64, _: &Lock) -> io::Result<File> {
        if let Some(free) = system::room(self.folder())?
            && free < size
        {
            let told = format!("it needs {size} bytes, and {free} are free");
            return Err(io::Error::new(ErrorKind::StorageFull, told));
        }
        let mut options = OpenOptions::new();
        // Never over what is there, or through a link that somebody has put there: then this
        // look fails, which removes it.
        options.write(true).create_new(true);
        system::for_us_alone(&mut options);
        options.open(self.new_program())
    }

    /// Removes what an update has left that came to nothing.
    ///
    /// # Errors
    /// What the system says, but not that there is nothing.
    pub fn remove_new(&self) -> io::Result<()> {
        let new = self.new_program();
        absent(fs::remove_file(&new)).map_err(of(&new))
    }

    /// The new program becomes one that whoever could run the old one can run, and is on
    /// the disk when this returns.
    ///
    /// # Errors
    /// When it cannot have the owner of the old one.
    pub fn finish(&self, new: File) -> io::Result<()> {
        system::like(&new, &fs::metadata(&self.program)?)?;
        new.sync_all()
    }

    /// The old program gets a second name. It keeps its first one: there is no moment in
    /// which a start finds nothing.
    ///
    /// # Errors
    /// What the system says.
    pub fn keep_aside(&self, _: &Lock) -> io::Result<()> {
        let old = self.old_program();
        absent(fs::remove_file(&old)).map_err(of(&old))?;
        if system::second_name(&self.program, &old).is_err() {
            // Not every file system has them.
            fs::copy(&self.program, &old)?;
            let copy = OpenOptions::new().write(true).open(&old)?;
            system::like(&copy, &fs::metadata(&self.program)?)?;
            copy.sync_all()?;
        }
        system::sync_folder(self.folder())
    }

    /// The new program takes the name, in one step.
    ///
    /// # Errors
    /// What the system says; then the old one still has it.
    pub fn swap(&self, _: &Lock) -> io::Result<()> {
        system::replace(&self.program, &self.new_program())?;
        system::sync_folder(self.folder())
    }

    /// The old program has the name again.
    ///
    /// # Errors
    /// What the system says.
    pub fn put_back(&self, _: &Lock) -> io::Result<()> {
        let old = self.old_program();
        system::replace(&self.program, &old).map_err(of(&old))?;
        system::sync_folder(self.folder())
    }
}

/// An error with the name of the file that it is about.
fn of(file: &Path) -> impl Fn(io::Error) -> io::Error {
    move |error| io::Error::new(error.kind(), format!("{}: {}", file.display(), reason(&error)))
}

fn absent(removed: io::Result<()>) -> io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}
