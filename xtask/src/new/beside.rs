//! One more rung in a project that `cargo xtask new` has made: both are programs of one
//! workspace and use the same blocks.

use std::path::{Path, PathBuf, absolute};

use ladder::files::{Doing, read, write};
use ladder::rename::rename;
use ladder::{Failure, Ladder, Rung};

use super::{copy, copy_block, format, lock, make, manifest, readme};

/// A project that was made before, and its manifest with one more member.
pub struct Project {
    folder: PathBuf,
    manifest: String,
}

/// Makes the program `name` of `rung` in `dest`, which is to be in this project. Blocks
/// that are there already stay as they are.
pub fn take(
    ladder: &Ladder,
    rung: &Rung,
    project: &Project,
    dest: &Path,
    name: &str,
) -> Result<(), Failure> {
    let Project { folder, manifest: top } = project;
    let own = ladder.starter_of(rung)?;
    let blocks = ladder.blocks_of(&own.name);
    let names: Vec<&str> = blocks.iter().map(|block| block.name.as_str()).collect();
    make(ladder, rung, dest, name, |scratch| {
        copy(&own.folder(), scratch, &|text| rename(text, &own.name, name))?;
        let manifest = rename(&read(&own.folder().join("Cargo.toml"))?, &own.name, name);
        let manifest = manifest.replace(manifest::TO_CRATES, "../");
        write(&scratch.join("Cargo.toml"), manifest::member(&manifest))?;
        write(&scratch.join("README.md"), readme::member(rung, own, name, &names)?)
    })?;
    for block in blocks.iter().filter(|block| !folder.join(&block.name).exists()) {
        copy_block(block, folder, &names)?;
    }
    write(&folder.join("Cargo.toml"), top)?;
    lock(folder)?;
    format(folder);
    Ok(())
}

/// The project in which `dest` is to be, where nothing is called `name` yet.
pub fn project_of(dest: &Path, name: &str) -> Result<Project, Failure> {
    let dest = &absolute(dest).doing("find", dest)?;
    let (Some(project), Some(folder)) = (dest.parent(), dest.file_name()) else {
        return Err(Failure::Usage(format!("{} is in no project", dest.display())));
    };
    let folder = folder.to_string_lossy();
    let top = read(&project.join("Cargo.toml")).ok();
    let top = top.and_then(|top| manifest::with_member(&top, &folder)).ok_or_else(|| {
        Failure::Usage(format!(
            "{} is no project that `cargo xtask new` has made\n\
             hint: name a new folder inside of one, as in ../my-service/{folder}",
            project.display()
        ))
    })?;
    // Its own packages are in it as well.
    let lock = read(&project.join("Cargo.lock")).unwrap_or_default();
    if lock.contains(&format!("[[package]]\nname = \"{name}\"\n")) {
        let why = "is the name of a crate that is in the project";
        return Err(Failure::Usage(format!("{name} {why}; pass another, as in --name my-service")));
    }
    Ok(Project { folder: project.into(), manifest: top })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_the_project_has_already_is_refused_and_the_project_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name| folder.path().join(name);
        write(&file("Cargo.toml"), "[package]\nname = \"mine\"\n\n[workspace]\n").unwrap();
        write(&file("Cargo.lock"), "version = 4\n\n[[package]]\nname = \"mine\"\n").unwrap();
        let dest = folder.path().join("other");
        let refused = |name| match project_of(&dest, name) {
            Err(Failure::Usage(why)) => why.contains("in the project"),
            _ => false,
        };
        assert!(refused("mine") && !refused("other") && !refused("min"));
    }
}
