//! The step from one rung to another, file by file, for the pages and for `cargo xtask
//! diff`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use similar::{ChangeTag, TextDiff};

use crate::Failure;
use crate::Rung;
use crate::rename::rename;

/// The lesson of most rungs: shown before the other files.
pub const LESSON: &str = "src/server.rs";

/// What stands for the file that one of the two rungs does not have.
const NO_FILE: &str = "/dev/null";

/// One file in both rungs. The lower one's text has the name of the upper one, so that
/// the difference shows the idea.
pub struct Change {
    /// Its path within a rung, with `/` on every system.
    pub file: String,
    /// Its path in the lower rung, as a person writes it.
    pub old_name: String,
    /// Its text there; nothing where there is no such file.
    pub old: String,
    /// Its path in the upper rung.
    pub new_name: String,
    /// Its text there.
    pub new: String,
}

/// Every file of `src` that differs: the lesson, then the others by name.
pub fn changes(below: &Rung, rung: &Rung) -> Result<Vec<Change>, Failure> {
    let mut files = BTreeSet::new();
    for rung in [below, rung] {
        sources(&rung.folder, "src", &mut files)?;
    }
    let mut files: Vec<String> = files.into_iter().collect();
    files.sort_by_key(|file| file != LESSON);
    let mut changes = Vec::new();
    for file in &files {
        let change = change(below, rung, file)?;
        if change.old != change.new {
            changes.push(change);
        }
    }
    Ok(changes)
}

/// The file at this path in both rungs.
///
/// # Errors
/// Neither has it.
pub fn change(below: &Rung, rung: &Rung, file: &str) -> Result<Change, Failure> {
    let (old, new) = (text(below, file)?, text(rung, file)?);
    if old.is_none() && new.is_none() {
        return Err(Failure::Usage(format!(
            "neither {} nor {} has a file {file}",
            below.name, rung.name
        )));
    }
    let name = |rung: &Rung, text: &Option<String>| match text {
        Some(_) => format!("crates/{}/{file}", rung.name),
        None => NO_FILE.into(),
    };
    Ok(Change {
        file: file.into(),
        old_name: name(below, &old),
        new_name: name(rung, &new),
        old: rename(&old.unwrap_or_default(), &below.name, &rung.name),
        new: new.unwrap_or_default(),
    })
}

/// The lines that are new in all of them, and those that are gone.
pub fn size(changes: &[Change]) -> (usize, usize) {
    changes.iter().map(Change::size).fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1))
}

impl Change {
    /// A unified difference, or nothing where there is none.
    pub fn unified(&self) -> String {
        unified((&self.old_name, &self.old), (&self.new_name, &self.new))
    }

    /// Lines that are new, and lines that are gone. A line that was changed is both.
    pub fn size(&self) -> (usize, usize) {
        let diff = TextDiff::from_lines(&self.old, &self.new);
        let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
        (count(ChangeTag::Insert), count(ChangeTag::Delete))
    }
}

/// A unified difference between two texts, or nothing where they are the same.
pub fn unified(old: (&str, &str), new: (&str, &str)) -> String {
    let (old_name, old_text) = old;
    let (new_name, new_text) = new;
    TextDiff::from_lines(old_text, new_text).unified_diff().header(old_name, new_name).to_string()
}

fn sources(rung: &Path, folder: &str, files: &mut BTreeSet<String>) -> Result<(), Failure> {
    let path = rung.join(folder);
    let cannot =
        |error: std::io::Error| Failure::new(format!("cannot read {}: {error}", path.display()));
    for entry in fs::read_dir(&path).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let file = format!("{folder}/{}", entry.file_name().to_string_lossy());
        match entry.path().is_dir() {
            true => sources(rung, &file, files)?,
            false => {
                files.insert(file);
            }
        }
    }
    Ok(())
}

fn text(rung: &Rung, file: &str) -> Result<Option<String>, Failure> {
    let path: PathBuf = rung.folder.join(file);
    match fs::read_to_string(&path) {
        // On Windows, git may have checked it out with other line ends.
        Ok(text) => Ok(Some(text.replace("\r\n", "\n"))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(format!("cannot read {}: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ladder;

    #[test]
    fn a_difference_is_unified_and_nothing_where_there_is_none() {
        let diff = unified(("a", "one\ntwo\n"), ("b", "one\nthree\n"));
        assert_eq!(diff, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n");
        assert_eq!(unified(("a", "same\n"), ("b", "same\n")), "");
    }

    #[test]
    fn a_step_begins_with_its_lesson_and_leaves_out_what_is_the_same() {
        let ladder = Ladder::load().unwrap();
        let (below, rung) = (ladder.find("reusable").unwrap(), ladder.find("timeout").unwrap());
        let changes = changes(below, rung).unwrap();
        let files: Vec<&str> = changes.iter().map(|change| change.file.as_str()).collect();
        assert_eq!(files, ["src/server.rs", "src/client.rs", "src/lib.rs", "src/main.rs"]);
        assert!(changes.iter().all(|change| !change.old.contains("reusable_echo")));
        let same = super::changes(rung, rung).unwrap();
        assert!(same.is_empty());
    }

    #[test]
    fn a_file_of_one_rung_only_is_new_as_a_whole() {
        let ladder = Ladder::load().unwrap();
        let (below, rung) = (ladder.find("pooled").unwrap(), ladder.find("poll").unwrap());
        let visit = change(below, rung, "src/visit.rs").unwrap();
        assert_eq!(
            (visit.old_name.as_str(), visit.size()),
            ("/dev/null", (visit.new.lines().count(), 0))
        );
        assert!(change(below, rung, "src/nothing.rs").is_err());
    }
}
