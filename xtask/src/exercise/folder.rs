//! The folder of one exercise: a project of cargo that is built on the rung, or a Python file.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf, absolute};

use ladder::exercises::{Exercise, Language};
use ladder::files::{Doing, create_folder, read, with_slashes, write};
use ladder::{Failure, Ladder};

use crate::new::{check_outside, lock, manifest};

/// Makes it with the stub, unless it is there: what somebody has written stays.
pub fn make(ladder: &Ladder, exercise: &Exercise, into: &Path) -> Result<PathBuf, Failure> {
    let into = &absolute(into).doing("find", into)?;
    check_outside(ladder, into)?;
    let rung = ladder.rung(&exercise.rung)?;
    let name = format!("{}-{}", rung.alias, exercise.number);
    let folder = into.join(&name);
    let file = folder.join(exercise.language.file());
    if file.exists() {
        return Ok(folder);
    }
    create_folder(file.parent().unwrap_or(&folder))?;
    write(&file, &exercise.stub)?;
    if exercise.language == Language::Rust {
        let own = read(&rung.folder.join("Cargo.toml"))?;
        let top = read(&ladder.root.join("Cargo.toml"))?;
        let crates = rung.folder.parent().unwrap_or(&rung.folder);
        let own = manifest::upon(&rung.name, &with_slashes(crates), &name, &own, &top);
        write(&folder.join("Cargo.toml"), unlike_others(&own, &folder))?;
        write(&folder.join("Cargo.lock"), read(&ladder.root.join("Cargo.lock"))?)?;
        // What was built for the rung need not be built once more.
        let target = with_slashes(&ladder.root.join("target"));
        create_folder(&folder.join(".cargo"))?;
        let config = format!("[build]\ntarget-dir = \"{target}\"\n");
        write(&folder.join(".cargo/config.toml"), config)?;
        lock(&folder)?;
    }
    Ok(folder)
}

/// A version of its own: cargo takes packages of one name, version and place in their
/// workspace for one, and what was built of one folder for that of another.
fn unlike_others(manifest: &str, folder: &Path) -> String {
    let mut hasher = DefaultHasher::new();
    folder.hash(&mut hasher);
    manifest.replacen(
        "version = \"0.1.0\"",
        &format!("version = \"0.1.0+{:x}\"", hasher.finish()),
        1,
    )
}
