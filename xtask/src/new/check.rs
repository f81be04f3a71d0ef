//! Takes every rung away and tests it there, without the network.
//!
//! In the workspace, cargo builds a dependency once with the features that all members
//! ask for together. Here a rung gets those that it asks for itself, so one that leans
//! on another's does not build.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use ladder::files::{Doing, create_folder};
use ladder::manifests::cargo;
use ladder::scratch::Scratch;
use ladder::screen::fit;
use ladder::{Failure, Ladder, Process, Rung, Screen, failure};

use super::{beside, copy, take};

const GENEROUS: Duration = Duration::from_secs(30 * 60);

/// Lines of a failure's output that are shown.
const SHOWN: usize = 60;

/// What a project has to pass. Its own code only: blocks are the same in each of them.
const CHECKS: [&[&str]; 3] = [
    &["fmt", "--check"],
    &["clippy", "--offline", "--locked", "--all-targets", "--", "-D", "warnings"],
    &["test", "--offline", "--locked"],
];

/// Nobody debugs these builds, and hardly any is repeated.
const QUICK: [(&str, &str); 2] = [("CARGO_PROFILE_DEV_DEBUG", "false"), ("CARGO_INCREMENTAL", "0")];

/// Copies every rung in both ways, with `cp -r` and with `cargo xtask new`, builds the
/// first and tests the second.
pub fn run(ladder: &Ladder, screen: &Screen) -> Result<(), Failure> {
    let place = Place::new(ladder)?;
    for rung in &ladder.rungs {
        let started = Instant::now();
        place.blocks_beside(ladder, rung)?;
        place.beside(rung)?;
        place.taken(ladder, rung)?;
        let took = started.elapsed().as_secs_f64();
        screen.line(&format!(
            "    {} builds beside its blocks, and passes its tests as a project: {took:.1} s",
            fit(&rung.name, 16)
        ))?;
    }
    place.blocks_inside(ladder)?;
    place.two_in_one(ladder)?;
    Ok(())
}

/// Where the copies are. Their builds share a folder, so a dependency is built once for
/// each set of its features.
struct Place {
    /// Projects, and what is built.
    inside: PathBuf,
    /// Copies that are not in a workspace, as a plain copy may not be: cargo would look
    /// for its members in this one.
    outside: Scratch,
}

impl Place {
    /// What an earlier run has copied is removed; what it has built stays.
    fn new(ladder: &Ladder) -> Result<Place, Failure> {
        let inside = ladder.root.join("target/copies");
        let taken = inside.join("taken");
        if taken.exists() {
            fs::remove_dir_all(&taken).doing("remove", &taken)?;
        }
        create_folder(&inside)?;
        Ok(Place { inside, outside: Scratch::temporary("copies")? })
    }

    fn blocks_beside(&self, ladder: &Ladder, rung: &Rung) -> Result<(), Failure> {
        let blocks = ladder.blocks_of(&rung.name);
        blocks.iter().try_for_each(|block| {
            copy(&block.folder(), &self.outside.path().join(&block.name), &str::to_string)
        })
    }

    /// `cp -r crates/netcore crates/RUNG`: without a lock file.
    fn beside(&self, rung: &Rung) -> Result<(), Failure> {
        let folder = self.outside.path().join(&rung.name);
        copy(&rung.folder, &folder, &str::to_string)?;
        self.cargo(&["build", "--offline"], &folder)
    }

    fn taken(&self, ladder: &Ladder, rung: &Rung) -> Result<(), Failure> {
        let folder = self.project(rung);
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        take(ladder, rung, &folder, &name)?;
        CHECKS.iter().try_for_each(|check| self.cargo(check, &folder))
    }

    /// The blocks' own tests, in one of the projects that have them.
    fn blocks_inside(&self, ladder: &Ladder) -> Result<(), Failure> {
        let mut tested: Vec<&str> = Vec::new();
        for rung in &ladder.rungs {
            for block in ladder.blocks_of(&ladder.starter_of(rung)?.name) {
                if !tested.contains(&block.name.as_str()) {
                    tested.push(&block.name);
                    let args = ["test", "--offline", "--locked", "--package", &block.name];
                    self.cargo(&args, &self.project(rung))?;
                }
            }
        }
        Ok(())
    }

    fn two_in_one(&self, ladder: &Ladder) -> Result<(), Failure> {
        let [first, .., last] = ladder.rungs.as_slice() else { return Ok(()) };
        let project = self.inside.join("taken/two");
        take(ladder, first, &project, "first")?;
        beside::take(ladder, last, &project.join("second"), "second")?;
        self.cargo(&["test", "--offline", "--workspace", "--no-run"], &project)
    }

    fn project(&self, rung: &Rung) -> PathBuf {
        self.inside.join("taken").join(format!("my-{}", rung.alias))
    }

    /// Runs cargo in `folder`. What it says is shown where it fails.
    fn cargo(&self, args: &[&str], folder: &Path) -> Result<(), Failure> {
        let log = self.inside.join("output");
        let file = File::create(&log).doing("write", &log)?;
        let copy = file.try_clone().doing("write", &log)?;
        let process = Process::start(
            cargo()
                .args(args)
                .current_dir(folder)
                .env("CARGO_TARGET_DIR", self.inside.join("target"))
                .envs(QUICK)
                .stdin(Stdio::null())
                .stdout(file)
                .stderr(copy),
        )?;
        let command = format!("cargo {} in {}", args.join(" "), folder.display());
        let status = process
            .wait(GENEROUS)
            .map_err(|error| failure!("cannot wait for {command}: {error}"))?;
        if status.is_some_and(|status| status.success()) {
            return Ok(());
        }
        let said = fs::read(&log).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let lines: Vec<&str> = said.lines().collect();
        let end = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        Err(failure!("{command} failed:\n{end}"))
    }
}
