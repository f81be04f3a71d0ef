//! Whether to install what a publisher offers, and what to remember of it. No clock, no
//! file and no socket in here: time is handed in as seconds since 1970.

use std::cmp::Ordering;
use std::fmt;

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::manifest::Manifest;

/// What we are, and what we take.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Our own name.
    pub program: String,
    /// What we run on.
    pub target: String,
    /// Bytes of a release at most.
    pub largest: u64,
    /// Whether versions such as `1.0.0-rc.1` are taken.
    pub pre_releases: bool,
}

/// What is remembered from one look to the next, and across a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The version that is known to run.
    pub installed: Version,
    /// The highest version that was ever about to be installed. What is older is never
    /// taken, also where that one did not run.
    pub seen: Version,
    /// The release that is being installed and has not proven itself yet.
    pub trial: Option<Trial>,
    /// The version that was tried last and did not run.
    pub failed: Option<Version>,
    /// The key that is trusted, once it is no longer the first one.
    pub key: Option<String>,
    /// The digest of the last manifest that was dealt with to the end. The key may have
    /// changed with it, and it is still offered until there is a newer one.
    pub known: Option<String>,
}

/// A release under trial: what is to be remembered when its outcome is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Its version.
    pub version: Version,
    /// The key of the releases after it, where that is another.
    pub next_key: Option<String>,
    /// The digest of its manifest.
    pub manifest: String,
}

/// What to do about a manifest that is genuine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is newer than all that was.
    Install,
    /// Nothing, and nothing is wrong.
    Keep(Why),
}

/// Why there is nothing to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// This is the version that runs.
    Same,
    /// It was tried and did not run: once is enough.
    Failed,
    /// It is a pre-release, and those are not wanted.
    PreRelease,
}

/// Why a genuine manifest is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// It is for another program or another kind of machine.
    NotForUs(String),
    /// Its time is over, or the clock here is wrong.
    Expired,
    /// It is older than what is known: somebody sends an old one again.
    Older {
        /// What is offered.
        offered: Version,
        /// What is known.
        known: Version,
    },
    /// It has no bytes, or more than the limit.
    Size(u64),
}

/// What to find at the start of a program that may have been cut off in an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// No update was under way, or it had not come as far as to replace the program.
    Harmless,
    /// We are the one under trial: it is held now.
    Untried,
    /// We are the one that did not run: the old one is to be put back.
    Failed,
}

/// Judges a manifest that is genuine.
///
/// # Errors
/// [`Refused`].
pub fn decide(
    manifest: &Manifest,
    memory: &Memory,
    wanted: &Wanted,
    now: u64,
) -> Result<Decision, Refused> {
    if manifest.program != wanted.program || manifest.target != wanted.target {
        return Err(Refused::NotForUs(format!("{} for {}", manifest.program, manifest.target)));
    }
    if manifest.expires <= now {
        return Err(Refused::Expired);
    }
    let offered = &manifest.version;
    if !offered.pre.is_empty() && !wanted.pre_releases {
        return Ok(Decision::Keep(Why::PreRelease));
    }
    for known in [&memory.seen, &memory.installed] {
        if offered.cmp_precedence(known) == Ordering::Less {
            let (offered, known) = (offered.clone(), known.clone());
            return Err(Refused::Older { offered, known });
        }
    }
    // Build metadata make no version newer.
    if offered.cmp_precedence(&memory.installed) == Ordering::Equal {
        return Ok(Decision::Keep(Why::Same));
    }
    let is_failed = |failed: &Version| offered.cmp_precedence(failed) == Ordering::Equal;
    if memory.failed.as_ref().is_some_and(is_failed) {
        return Ok(Decision::Keep(Why::Failed));
    }
    if manifest.size == 0 || manifest.size > wanted.largest {
        return Err(Refused::Size(manifest.size));
    }
    Ok(Decision::Install)
}

impl Memory {
    /// Of a program that was never updated.
    pub fn new(installed: Version) -> Memory {
        let seen = installed.clone();
        Memory { installed, seen, trial: None, failed: None, key: None, known: None }
    }

    /// A release is about to replace the program.
    pub fn begin(&mut self, manifest: &Manifest, digest: String) {
        self.seen = manifest.version.clone();
        let (version, next_key) = (manifest.version.clone(), manifest.next_key.clone());
        self.trial = Some(Trial { version, next_key, manifest: digest });
    }

    /// The release under trial runs.
    pub fn succeed(&mut self) {
        if let Some(trial) = self.trial.take() {
            self.installed = trial.version;
            self.settle(trial.next_key, trial.manifest);
        }
    }

    /// The release under trial does not run. It is remembered before the old one is put
    /// back, so that whoever is cut off in between does not try it once more.
    pub fn fail(&mut self) {
        if let Some(trial) = &self.trial {
            self.failed = Some(trial.version.clone());
        }
    }

    /// The old program is back.
    pub fn restored(&mut self) {
        if let Some(trial) = self.trial.take() {
            self.settle(trial.next_key, trial.manifest);
        }
    }

    /// The update was cut off, and the program is the one that it was before.
    pub fn abandon(&mut self) {
        match &self.trial {
            Some(trial) if self.failed.as_ref() == Some(&trial.version) => self.restored(),
            _ => self.trial = None,
        }
    }

    /// A manifest was dealt with to the end. Its next key, where it has one, is from now on
    /// the only one: whatever the key before signs counts for nothing.
    pub fn settle(&mut self, next_key: Option<String>, digest: String) {
        if self.known.as_ref() != Some(&digest) {
            self.key = next_key.or(self.key.take());
            self.known = Some(digest);
        }
    }

    /// What the program that has just been started finds, and that is of the version `own`.
    pub fn interrupted(&self, own: &Version) -> Interrupted {
        match &self.trial {
            Some(trial) if trial.version == *own => match &self.failed {
                Some(failed) if failed == own => Interrupted::Failed,
                _ => Interrupted::Untried,
            },
            _ => Interrupted::Harmless,
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Why::Same => "it is the version that runs",
            Why::Failed => "it was tried before and did not run",
            Why::PreRelease => "it is a pre-release, which --pre-releases would take",
        })
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refused::NotForUs(what) => write!(f, "it is {what}"),
            Refused::Expired => f.write_str("it has expired, unless the clock here is wrong"),
            Refused::Older { offered, known } => {
                write!(f, "{offered} is older than {known}, which is known")
            }
            Refused::Size(size) => write!(f, "it has {size} bytes, which is beyond --largest"),
        }
    }
}

#[cfg(test)]
mod tests;
