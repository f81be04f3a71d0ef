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

/// The project in which `dest` is to be.
pub fn project_of(dest: &Path) -> Result<Project, Failure> {
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
    Ok(Project { folder: project.into(), manifest: top })
}
