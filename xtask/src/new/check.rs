//! Takes every rung away and tests it there, without the network.
//!
//! In the workspace, cargo builds a dependency once with the features that all members
//! ask for together. Here a rung gets those that it asks for itself, so one that leans
//! on another's does not build.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Mutex;
use std::time::Instant;

use ladder::files::{Doing, create_folder};
use ladder::manifests::cargo;
use ladder::process::GENEROUS;
use ladder::programs::LONGEST;
use ladder::scratch::Scratch;
use ladder::screen::fit;
use ladder::{Failure, Ladder, Process, Rung, Screen, failure, workers};

use super::{beside, copy, take};

/// Lines of a failure's output that are shown.
const SHOWN: usize = 60;

/// Projects at a time: while the tests of one wait, cargo builds another.
const AT_ONCE: usize = 2;

/// What a project has to pass. Its own code only: blocks are the same in each of them.
const CHECKS: [&[&str]; 3] = [
    &["fmt", "--check"],
    &["clippy", "--offline", "--locked", "--all-targets", "--", "-D", "warnings"],
    &["test", "--offline", "--locked"],
];

/// Nobody debugs these builds, and hardly any is repeated.
const QUICK: [(&str, &str); 2] = [("CARGO_PROFILE_DEV_DEBUG", "false"), ("CARGO_INCREMENTAL", "0")];

/// Copies every rung in both ways, with `cp -r` and with `cargo xtask new`, compiles the
/// first and tests the second.
pub fn run(ladder: &Ladder, screen: &Screen) -> Result<(), Failure> {
    let place = Place::new(ladder)?;
    workers::share(AT_ONCE, &ladder.rungs, |worker, rung| {
        let started = Instant::now();
        place.beside(rung)?;
        place.taken(ladder, rung, &place.project(worker))?;
        let took = started.elapsed().as_secs_f64();
        screen.line(&format!(
            "    {} compiles beside its blocks, and passes its tests as a project: {took:.1} s",
            fit(&rung.name, 16)
        ))
    })?;
    place.two_in_one(ladder)
}

/// Where the copies are. Their builds share a folder, so a dependency is built once for
/// each set of its features. So is a block: it is at one path in every copy, and has the
/// time of the original.
struct Place {
    /// Projects, and what is built.
    inside: PathBuf,
    /// Copies that are not in a workspace, as a plain copy may not be: cargo would look
    /// for its members in this one.
    outside: Scratch,
    /// The blocks whose own tests have been run.
    tested: Mutex<BTreeSet<String>>,
}

impl Place {
    /// With every block that a rung needs outside. What an earlier run has built stays.
    fn new(ladder: &Ladder) -> Result<Place, Failure> {
        let inside = ladder.root.join("target/copies");
        create_folder(&inside)?;
        let place =
            Place { inside, outside: Scratch::temporary("copies")?, tested: Mutex::default() };
        for block in ladder.rungs.iter().flat_map(|rung| ladder.blocks_of(&rung.name)) {
            copy(&block.folder(), &place.outside.path().join(&block.name), &str::to_string)?;
        }
        Ok(place)
    }

    /// `cp -r crates/netcore crates/RUNG`: without a lock file.
    fn beside(&self, rung: &Rung) -> Result<(), Failure> {
        let folder = self.outside.path().join(&rung.name);
        copy(&rung.folder, &folder, &str::to_string)?;
        // Whether it finds and names everything is known without machine code, which the project
        // below makes of the same files.
        self.cargo(&["check", "--offline"], &folder)
    }

    /// The project of a rung, and the tests of blocks that are in no project before it.
    fn taken(&self, ladder: &Ladder, rung: &Rung, folder: &Path) -> Result<(), Failure> {
        remove(folder)?;
        take(ladder, rung, folder, &format!("my-{}", rung.alias))?;
        CHECKS.iter().try_for_each(|check| self.cargo(check, folder))?;
        for block in ladder.blocks_of(&ladder.starter_of(rung)?.name) {
            if workers::lock(&self.tested).insert(block.name.clone()) {
                let args = ["test", "--offline", "--locked", "--package", &block.name];
                self.cargo(&args, folder)?;
            }
        }
        Ok(())
    }

    fn two_in_one(&self, ladder: &Ladder) -> Result<(), Failure> {
        let [first, .., last] = ladder.rungs.as_slice() else { return Ok(()) };
        let project = self.project(0);
        remove(&project)?;
        take(ladder, first, &project, "first")?;
        let second = project.join("second");
        beside::take(ladder, last, &beside::project_of(&second, "second")?, &second, "second")?;
        self.cargo(&["test", "--offline", "--workspace", "--no-run"], &project)
    }

    /// The project of a worker.
    fn project(&self, worker: usize) -> PathBuf {
        self.inside.join(format!("project-{worker}"))
    }

    /// Runs cargo in `folder`. What it says is shown where it fails.
    fn cargo(&self, args: &[&str], folder: &Path) -> Result<(), Failure> {
        let mut command = cargo();
        command.args(args).current_dir(folder).envs(QUICK);
        command.env("CARGO_TARGET_DIR", self.inside.join("target"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let process = Process::start(workers::more_tests(&mut command))?;
        if process.wait_for_end(LONGEST)?.success() {
            return Ok(());
        }
        let said = [process.stderr(), process.stdout()].map(|output| {
            // Whoever a test has left behind may hold it open.
            let _ = output.wait_for_end(GENEROUS);
            output.text()
        });
        let said = said.concat();
        let lines: Vec<&str> = said.lines().collect();
        let end = lines[lines.len().saturating_sub(SHOWN)..].join("\n");
        Err(failure!("cargo {} in {} failed:\n{end}", args.join(" "), folder.display()))
    }
}

/// Removes a project of an earlier run, or of the rung before.
fn remove(project: &Path) -> Result<(), Failure> {
    if project.exists() { fs::remove_dir_all(project).doing("remove", project) } else { Ok(()) }
}
