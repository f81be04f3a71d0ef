//! One look at the place of releases, and what follows from it, step by step.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use netcore::error::reason;
use semver::Version;

use crate::fetch::Releases;
use crate::manifest::{MANIFEST_LIMIT, Manifest, SIGNATURE_LIMIT, sha256};
use crate::place::{Lock, Place};
use crate::rules::{Decision, Interrupted, Memory, Wanted, Why, decide};
use crate::unproven::Unproven;
use crate::worker::version_of;

/// Looks for releases of the program in its place.
#[derive(Debug)]
pub struct Updater {
    /// The file of the program, and those beside it.
    pub place: Place,
    /// Where releases are.
    pub releases: Releases,
    /// What we are, and what we take.
    pub wanted: Wanted,
    /// The first public key. Releases may have named another since.
    pub key: String,
    /// How long a look may take.
    pub within: Duration,
    /// How long a program may take to tell its version.
    pub patience: Duration,
    /// The one that is asked.
    pub unproven: Unproven,
}

/// A step that is done and on the disk: whatever ends us now, the next start goes on from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The release has come, and is the one that was signed.
    Downloaded,
    /// It has the mode and the owner of the program.
    Finished,
    /// It starts, and has the version that was signed.
    Probed,
    /// The program has a second name.
    KeptAside,
    /// It is remembered that the release is tried.
    Begun,
    /// The release has the name of the program.
    Swapped,
    /// It runs, and that is remembered.
    Succeeded,
    /// It does not run, and that is remembered.
    Failed,
    /// The old program has its name again.
    PutBack,
}

/// What came of a look. `W` is a program that runs.
#[derive(Debug)]
pub enum Outcome<W> {
    /// There was nothing to do.
    Nothing(Why),
    /// Another process is at it.
    Busy,
    /// The program is of this version now, and runs.
    Updated(Version, W),
    /// This version did not run, and the old one is back.
    PutBack(Version),
}

impl Updater {
    /// Looks once. `running` is the version that runs here, `start` starts the program at a
    /// path and waits until it is ready, and `done` is told of each step.
    ///
    /// # Errors
    /// Why a release was not taken; then the program is what it was.
    pub fn look<W>(
        &self,
        running: &Version,
        start: &mut dyn FnMut(&Path) -> io::Result<W>,
        done: &mut dyn FnMut(Step),
    ) -> io::Result<Outcome<W>> {
        let Some(lock) = self.place.lock()? else { return Ok(Outcome::Busy) };
        let mut memory = self.place.recall(running)?;
        if memory.interrupted(running) == Interrupted::Untried {
            // It runs, as we are it, and that could not be noted before.
            memory.succeed();
            self.place.remember(&memory, &lock)?;
        }
        if memory.trial.is_some() {
            return Err(io::Error::other("an update was cut off; the next start goes on with it"));
        }
        if memory.installed > *running {
            // Another process that runs this program has updated it.
            let worker = start(self.place.program())?;
            return Ok(Outcome::Updated(memory.installed, worker));
        }
        let deadline = Instant::now() + self.within;
        let (manifest, digest) = self.manifest(&memory, deadline)?;
        match decide(&manifest, &memory, &self.wanted, now()).map_err(refused)? {
            Decision::Keep(why) => {
                if why == Why::Same && memory.known.as_ref() != Some(&digest) {
                    memory.settle(manifest.next_key, digest);
                    self.place.remember(&memory, &lock)?;
                }
                return Ok(Outcome::Nothing(why));
            }
            Decision::Install => log::info!("{} is there, and wanted", manifest.version),
        }
        if let Err(error) = self.install(&manifest, digest, &mut memory, &lock, deadline, done) {
            self.place.remove_new()?;
            if memory.trial.is_some() {
                memory.abandon();
                self.place.remember(&memory, &lock)?;
            }
            return Err(error);
        }
        self.hold_trial(&mut memory, &lock, start, done)
    }

    /// At the start of a program of the version `own`, which an update may have been cut
    /// off by: brings it to its end, and starts what runs.
    ///
    /// # Errors
    /// When neither program runs.
    pub fn resume<W>(
        &self,
        own: &Version,
        start: &mut dyn FnMut(&Path) -> io::Result<W>,
        done: &mut dyn FnMut(Step),
    ) -> io::Result<(Version, W)> {
        let program = self.place.program();
        let found = match self.place.lock() {
            // Another process is at it, and will bring it to its end.
            Ok(None) => return Ok((own.clone(), start(program)?)),
            Ok(Some(lock)) => self.place.recall(own).map(|memory| (lock, memory)),
            Err(error) => Err(error),
        };
        let (lock, mut memory) = match found {
            Ok(found) => found,
            // To serve without updates is better than not to serve.
            Err(error) => {
                log::error!("no updates: {}", reason(&error));
                return Ok((own.clone(), start(program)?));
            }
        };
        match self.bring_to_its_end(own, &mut memory, &lock, start, done) {
            Ok(Some(running)) => Ok(running),
            Ok(None) => Ok((memory.installed, start(program)?)),
            Err(error) => {
                log::error!("no updates: {}", reason(&error));
                Ok((own.clone(), start(program)?))
            }
        }
    }

    /// What runs, where something has been started.
    fn bring_to_its_end<W>(
        &self,
        own: &Version,
        memory: &mut Memory,
        lock: &Lock,
        start: &mut dyn FnMut(&Path) -> io::Result<W>,
        done: &mut dyn FnMut(Step),
    ) -> io::Result<Option<(Version, W)>> {
        match memory.interrupted(own) {
            Interrupted::Harmless => {
                self.place.remove_new()?;
                if memory.trial.is_some() || memory.installed != *own {
                    memory.abandon();
                    // A person may have put another one here; another process may have
                    // updated it since we were started.
                    let there = version_of(self.place.program(), self.patience, &self.unproven)?;
                    let there = there.split_whitespace().last().and_then(|it| it.parse().ok());
                    memory.installed = there.unwrap_or_else(|| own.clone());
                    self.place.remember(memory, lock)?;
                }
            }
            Interrupted::Untried => {
                log::warn!("an update to {own} was cut off; going on with it");
                if let Outcome::Updated(version, worker) =
                    self.hold_trial(memory, lock, start, done)?
                {
                    return Ok(Some((version, worker)));
                }
            }
            Interrupted::Failed => self.put_back(memory, lock, done)?,
        }
        Ok(None)
    }

    fn manifest(&self, memory: &Memory, deadline: Instant) -> io::Result<(Manifest, String)> {
        let name = format!("{}.json", self.wanted.target);
        let bytes = self.releases.read(&name, MANIFEST_LIMIT, deadline)?;
        let signature = format!("{name}.minisig");
        let signature = self.releases.read(&signature, SIGNATURE_LIMIT, deadline)?;
        let signature = String::from_utf8_lossy(&signature);
        let key = memory.key.as_ref().unwrap_or(&self.key);
        let manifest = Manifest::verify(&bytes, &signature, key, memory.known.as_deref());
        Ok((manifest.map_err(refused)?, sha256(&bytes)))
    }

    /// Everything up to the moment in which the release has the name of the program.
    fn install(
        &self,
        manifest: &Manifest,
        digest: String,
        memory: &mut Memory,
        lock: &Lock,
        deadline: Instant,
        done: &mut dyn FnMut(Step),
    ) -> io::Result<()> {
        // First: who has no room, or may not write here, is told before anything is asked for.
        let mut file = self.place.make_room(manifest.size, lock)?;
        let got = self.releases.download(&manifest.file, manifest.size, &mut file, deadline)?;
        if got != manifest.sha256 {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                format!("{} is not what was signed", manifest.file),
            ));
        }
        done(Step::Downloaded);
        self.place.finish(file)?;
        done(Step::Finished);
        // What does not even start would not get as far as to put the old one back.
        let told = version_of(&self.place.new_program(), self.patience, &self.unproven)?;
        if told.split_whitespace().last() != Some(&manifest.version.to_string()) {
            return Err(io::Error::other(format!("it says of itself {:?}", told.trim())));
        }
        done(Step::Probed);
        self.place.keep_aside(lock)?;
        done(Step::KeptAside);
        memory.begin(manifest, digest);
        self.place.remember(memory, lock)?;
        done(Step::Begun);
        self.place.swap(lock)?;
        done(Step::Swapped);
        Ok(())
    }

    /// The program is new: it runs, or the old one is put back.
    fn hold_trial<W>(
        &self,
        memory: &mut Memory,
        lock: &Lock,
        start: &mut dyn FnMut(&Path) -> io::Result<W>,
        done: &mut dyn FnMut(Step),
    ) -> io::Result<Outcome<W>> {
        match start(self.place.program()) {
            Ok(worker) => {
                memory.succeed();
                self.note(memory, lock, Step::Succeeded, done);
                Ok(Outcome::Updated(memory.installed.clone(), worker))
            }
            Err(error) => {
                memory.fail();
                self.note(memory, lock, Step::Failed, done);
                let failed = memory.failed.clone().unwrap_or_else(|| memory.seen.clone());
                log::error!("{failed} does not run: {}", reason(&error));
                self.put_back(memory, lock, done)?;
                Ok(Outcome::PutBack(failed))
            }
        }
    }

    /// Remembers how the trial went. Where that cannot be, the trial is held once more at the
    /// next start: to serve is worth more.
    fn note(&self, memory: &Memory, lock: &Lock, step: Step, done: &mut dyn FnMut(Step)) {
        match self.place.remember(memory, lock) {
            Ok(()) => done(step),
            Err(error) => log::error!("the outcome is not noted: {}", reason(&error)),
        }
    }

    fn put_back(
        &self,
        memory: &mut Memory,
        lock: &Lock,
        done: &mut dyn FnMut(Step),
    ) -> io::Result<()> {
        self.place.put_back(lock)?;
        done(Step::PutBack);
        memory.restored();
        // The program is back: what is not noted is done by the next start.
        if let Err(error) = self.place.remember(memory, lock) {
            log::error!("that is not noted: {}", reason(&error));
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Step::Downloaded => "downloaded, and it is what was signed",
            Step::Finished => "has the mode and the owner of the old one",
            Step::Probed => "starts, and has the version that was signed",
            Step::KeptAside => "the old one is kept aside",
            Step::Begun => "it is noted that the new one is on trial",
            Step::Swapped => "the new one has the name",
            Step::Succeeded => "the new one is ready",
            Step::Failed => "the new one is not ready",
            Step::PutBack => "the old one has its name again",
        })
    }
}

/// Seconds since 1970. A clock from before that makes nothing expire.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn refused(why: impl fmt::Display) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("the manifest is refused: {why}"))
}
