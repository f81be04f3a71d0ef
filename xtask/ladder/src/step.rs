//! The step from one rung to another, file by file, for the pages and for `cargo xtask
//! diff`. What differs is for git to say.

use std::collections::BTreeSet;

use crate::git::Size;
use crate::rename::rename;
use crate::scratch::Scratch;
use crate::{Failure, Rung, code, files, git};

/// The lesson of most rungs: shown before the other files.
pub const LESSON: &str = "src/server.rs";

/// What stands for the file that one of the two rungs does not have.
const NO_FILE: &str = "/dev/null";

/// One file in both rungs. The lower one's text has the name of the upper one, so that
/// the difference shows the idea.
#[derive(Clone)]
pub struct Change {
    /// Its path within a rung, with `/` on every system.
    pub file: String,
    /// Its path in the lower rung, as a person writes it.
    pub old_name: String,
    /// Its text there; nothing where there is no such file.
    pub old: String,
    /// Its path in the upper rung.
    pub new_name: String,
    pub new: String,
}

/// Every file of `src` that differs: the lesson, then the others by name.
pub fn changes(below: &Rung, rung: &Rung) -> Result<Vec<Change>, Failure> {
    let mut found = BTreeSet::new();
    for rung in [below, rung] {
        for path in files::all(&rung.folder.join("src"))? {
            let within = path.strip_prefix(&rung.folder).unwrap_or(&path);
            found.insert(files::with_slashes(within));
        }
    }
    let mut found: Vec<String> = found.into_iter().collect();
    found.sort_by_key(|file| file != LESSON);
    let changes = found.iter().map(|file| change(below, rung, file));
    let mut changes: Vec<Change> = changes.collect::<Result<_, _>>()?;
    changes.retain(|change| change.old != change.new);
    Ok(changes)
}

/// The file at this path in both rungs.
pub fn change(below: &Rung, rung: &Rung, file: &str) -> Result<Change, Failure> {
    let (old, new) = (text(below, file)?, text(rung, file)?);
    if old.is_none() && new.is_none() {
        return Err(Failure::Usage(format!(
            "neither {} nor {} has a file {file}\nhint: a path begins at the rung, as in {LESSON}",
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

/// How much there is to read in all these changes: the lines of code that differ. New ones
/// are the lesson.
pub fn size(ends: (&Rung, &Rung), changes: &[Change]) -> Result<Size, Failure> {
    let code = |change: &Change| Change {
        old: code::only(&change.old),
        new: code::only(&change.new),
        ..change.clone()
    };
    let (folder, [below, rung]) = lay_out(ends, &changes.iter().map(code).collect::<Vec<_>>())?;
    git::size(folder.path(), &below, &rung)
}

/// Both versions of all these files in a folder, and the two folders of the rungs in it.
pub fn lay_out(
    (below, rung): (&Rung, &Rung),
    changes: &[Change],
) -> Result<(Scratch, [String; 2]), Failure> {
    let folder = Scratch::temporary("diff")?;
    let sides = [below, rung].map(|rung| format!("crates/{}", rung.name));
    // One of the two may have none of the files.
    sides.iter().try_for_each(|side| files::create_folder(&folder.path().join(side)))?;
    for change in changes {
        let names = [(&change.old_name, &change.old), (&change.new_name, &change.new)];
        for (name, text) in names.into_iter().filter(|(name, _)| *name != NO_FILE) {
            let path = folder.path().join(name);
            files::create_folder(path.parent().unwrap_or(folder.path()))?;
            files::write(&path, text)?;
        }
    }
    Ok((folder, sides))
}

impl Change {
    /// A unified difference, or nothing where there is none.
    pub fn unified(&self) -> Result<String, Failure> {
        git::unified((&self.old_name, &self.old), (&self.new_name, &self.new))
    }
}

fn text(rung: &Rung, file: &str) -> Result<Option<String>, Failure> {
    let path = rung.folder.join(file);
    if path.exists() { files::read(&path).map(Some) } else { Ok(None) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Ladder;

    #[test]
    fn a_step_begins_with_its_lesson_and_a_file_of_one_rung_only_is_new_as_a_whole() {
        let ladder = Ladder::load().unwrap();
        let rung = |name| ladder.find(name).unwrap();
        let (below, timeout) = (rung("reusable"), rung("timeout"));
        let changed = changes(below, timeout).unwrap();
        let files: Vec<&str> = changed.iter().map(|change| change.file.as_str()).collect();
        assert_eq!(files, ["src/server.rs", "src/client.rs", "src/lib.rs", "src/main.rs"]);
        assert!(changed.iter().all(|change| !change.old.contains("reusable_echo")));
        assert!(changes(timeout, timeout).unwrap().is_empty());
        let tries = change(rung("udp-echo"), rung("udp-retry"), "src/tries.rs").unwrap();
        assert_eq!(tries.old_name, "/dev/null");
        let lines = code::lines(&tries.new);
        let ends = (rung("udp-echo"), rung("udp-retry"));
        assert_eq!(size(ends, &[tries]).unwrap(), Size { new: lines, moved: 0, gone: 0 });
        assert!(change(below, timeout, "src/nothing.rs").is_err());
    }

    #[test]
    fn a_line_that_was_moved_is_no_lesson_and_neither_are_comments_and_tests() {
        let long = "    let n = stream.read(&mut buf).unwrap_or_default() + one_more;\n";
        let change = |file: &str, old: &str, new: &str| Change {
            file: file.into(),
            old_name: format!("crates/reusable-echo/{file}"),
            old: old.into(),
            new_name: format!("crates/timeout-echo/{file}"),
            new: new.into(),
        };
        let old = format!("fn a() {{\n{long}}}\n");
        let tests = "#[cfg(test)]\nmod tests {\n    fn test() {}\n}\n";
        let new = format!("// {long}\n{long}fn other() {{}}\n{tests}");
        let changes =
            [change("src/server.rs", &old, "fn a() {\n}\n"), change("src/visit.rs", "", &new)];
        let ladder = Ladder::load().unwrap();
        let ends = (ladder.find("reusable").unwrap(), ladder.find("timeout").unwrap());
        assert_eq!(size(ends, &changes).unwrap(), Size { new: 1, moved: 1, gone: 0 });
    }
}
