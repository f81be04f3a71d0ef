//! Differences, as git finds and shows them: `git diff --no-index`.

use std::path::Path;
use std::process::Command;

use crate::process::output_or;
use crate::scratch::Scratch;
use crate::{Failure, files};

/// What `git diff --no-index` ends with where there are differences.
const DIFFERENT: i32 = 1;

/// What a line begins with in the colours of the settings, and the settings. What was moved
/// away has none: it is not gone.
const NEW: &str = "\x1b[32m+";
const MOVED: &str = "\x1b[34m+";
const GONE: &str = "\x1b[31m-";
const SETTINGS: [&str; 8] = [
    "color.diff.new=green",
    "color.diff.newMoved=blue",
    "color.diff.newMovedAlternative=blue",
    "color.diff.old=red",
    "color.diff.oldMoved=normal",
    "color.diff.oldMovedAlternative=normal",
    "color.diff.meta=normal",
    "color.diff.frag=normal",
];

/// How many lines differ.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub new: usize,
    /// Those that stood elsewhere before.
    pub moved: usize,
    pub gone: usize,
}

/// `git diff --no-index`, with these settings before and names as they are.
pub fn diff(settings: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.args(settings.iter().flat_map(|setting| ["-c", setting]));
    git.args(["diff", "--no-index", "--no-ext-diff", "--no-renames", "--no-prefix"]);
    git
}

/// A unified difference between two texts with their names; nothing where there is none.
pub fn unified(old: (&str, &str), new: (&str, &str)) -> Result<String, Failure> {
    let folder = Scratch::temporary("diff")?;
    for (name, text) in [("old", old.1), ("new", new.1)] {
        files::write(&folder.path().join(name), text)?;
    }
    let mut git = diff(&[]);
    let said = run(git.args(["--no-color", "old", "new"]), folder.path())?;
    if said.is_empty() {
        return Ok(said);
    }
    let mut shown = format!("--- {}\n+++ {}\n", old.0, new.0);
    for line in without_headers(&said).lines().skip(2) {
        // Git's guess of the function around it is not always one.
        let place = line.strip_prefix("@@ ").and_then(|line| line.split_once(" @@"));
        match place {
            Some((place, _)) => shown.push_str(&format!("@@ {place} @@\n")),
            None => shown.push_str(&format!("{line}\n")),
        }
    }
    Ok(shown)
}

/// How many lines differ between two folders in `folder`. One that was moved, also to
/// another file or further in, is told apart from a new one.
pub fn size(folder: &Path, old: &str, new: &str) -> Result<Size, Failure> {
    let mut git = diff(&SETTINGS);
    git.args(["--unified=0", "--color=always", "--ws-error-highlight=none"]);
    git.args(["--color-moved=zebra", "--color-moved-ws=allow-indentation-change", old, new]);
    let said = run(&mut git, folder)?;
    let number = |start| said.lines().filter(|line| line.starts_with(start)).count();
    Ok(Size { new: number(NEW), moved: number(MOVED), gone: number(GONE) })
}

/// What git says without what only git understands: a line with its own name, and one with
/// the numbers of both versions.
pub fn without_headers(said: &str) -> String {
    let mut header = false;
    let shown = said.split_inclusive('\n').filter(|line| {
        let text = plain(line);
        header = !text.starts_with("--- ") && (header || text.starts_with("diff --git "));
        !header
    });
    shown.collect()
}

/// What `git diff` says in `folder`.
pub fn run(git: &mut Command, folder: &Path) -> Result<String, Failure> {
    output_or(git.current_dir(folder), &[DIFFERENT])
}

fn plain(line: &str) -> String {
    let mut parts = line.split('\x1b');
    let first = parts.next().unwrap_or_default();
    let rest = parts.filter_map(|part| part.split_once('m')).map(|(_, text)| text);
    std::iter::once(first).chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_unified_and_nothing_where_there_is_none() {
        let diff = unified(("a", "one\ntwo\n"), ("b", "one\nthree\n")).unwrap();
        assert_eq!(diff, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n");
        assert_eq!(unified(("a", "same\n"), ("b", "same\n")).unwrap(), "");
    }
}
