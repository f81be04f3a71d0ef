//! The folder of one exercise: a project of cargo that is built on the rung, or a Python file.

use std::path::{Path, PathBuf, absolute};

use ladder::exercises::{Exercise, Language};
use ladder::files::{Doing, create_folder, read, write};
use ladder::{Failure, Ladder, failure};

use crate::new::{check_outside, lock, manifest};

/// Makes it with the stub, unless it is there: what somebody has written stays.
pub fn make(ladder: &Ladder, exercise: &Exercise, into: &Path) -> Result<PathBuf, Failure> {
    let into = &absolute(into).doing("find", into)?;
    check_outside(ladder, into)?;
    let rung = ladder.find(&exercise.rung).ok_or_else(|| failure!("no {}", exercise.rung))?;
    let name = format!("{}-{}", rung.alias, exercise.number);
    let folder = into.join(&name);
    let file = folder.join(exercise.language.file());
    if file.exists() {
        return Ok(folder);
    }
    create_folder(file.parent().unwrap_or(&folder))?;
    if exercise.language == Language::Rust {
        let own = read(&rung.folder.join("Cargo.toml"))?;
        let top = read(&ladder.root.join("Cargo.toml"))?;
        let crates = rung.folder.parent().unwrap_or(&rung.folder);
        let own = manifest::upon(&rung.name, &with_slashes(crates), &name, &own, &top);
        write(&folder.join("Cargo.toml"), own)?;
        write(&folder.join("Cargo.lock"), read(&ladder.root.join("Cargo.lock"))?)?;
        // What was built for the rung need not be built once more.
        let target = with_slashes(&ladder.root.join("target"));
        create_folder(&folder.join(".cargo"))?;
        let config = format!("[build]\ntarget-dir = \"{target}\"\n");
        write(&folder.join(".cargo/config.toml"), config)?;
        // cargo looks for a library.
        write(&file, &exercise.stub)?;
        lock(&folder)?;
    }
    write(&file, &exercise.stub)?;
    Ok(folder)
}

/// As it can be written into a manifest on every system.
fn with_slashes(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}
