//! Differences, as git finds and shows them: `git diff --no-index`.

use std::path::Path;
use std::process::Command;

use crate::process::output_or;
use crate::scratch::Scratch;
use crate::{Failure, files};

/// What `git diff --no-index` ends with where there are differences.
const DIFFERENT: i32 = 1;

/// What a line begins with in the colours that we ask for.
const COLOURS: [(Sign, &str); 3] =
    [(Sign::New, "\x1b[32m+"), (Sign::Moved, "\x1b[34m+"), (Sign::Gone, "\x1b[31m-")];

/// The settings for them. What was moved away has none: it is not gone.
const SETTINGS: [&str; 9] = [
    "color.diff.new=green",
    "color.diff.newMoved=blue",
    "color.diff.newMovedAlternative=blue",
    "color.diff.old=red",
    "color.diff.oldMoved=normal",
    "color.diff.oldMovedAlternative=normal",
    "color.diff.meta=normal",
    "color.diff.frag=normal",
    "core.quotePath=false",
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    New,
    Moved,
    Gone,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Line {
    pub sign: Sign,
    /// The file: the new one, or for a line that is gone the old one.
    pub file: String,
    /// Its number there, from 1.
    pub number: usize,
    pub text: String,
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
    let mut shown = String::new();
    for line in without_headers(&said).lines().skip(2) {
        // Git's guess of the function around it is not always one.
        let place = line.strip_prefix("@@ ").and_then(|line| line.split_once(" @@"));
        match place {
            Some((place, _)) => shown.push_str(&format!("@@ {place} @@\n")),
            None => shown.push_str(&format!("{line}\n")),
        }
    }
    Ok(match shown.is_empty() {
        true => shown,
        false => format!("--- {}\n+++ {}\n{shown}", old.0, new.0),
    })
}

/// Every line that differs between two folders in `folder`. A line that was moved, also
/// to another file or further in, is told apart from a new one.
pub fn lines(folder: &Path, old: &str, new: &str) -> Result<Vec<Line>, Failure> {
    let mut git = diff(&SETTINGS);
    git.args(["--unified=0", "--color=always", "--ws-error-highlight=none"]);
    git.args(["--color-moved=zebra", "--color-moved-ws=allow-indentation-change", old, new]);
    Ok(read(&run(&mut git, folder)?))
}

fn read(said: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let (mut names, mut numbers) = ([String::new(), String::new()], [0, 0]);
    for line in said.lines() {
        let text = plain(line);
        let sign = COLOURS.iter().find(|(_, start)| line.starts_with(start)).map(|(sign, _)| *sign);
        if let Some(name) = text.strip_prefix("--- ").filter(|_| sign.is_none()) {
            names[0] = name.into();
        } else if let Some(name) = text.strip_prefix("+++ ").filter(|_| sign.is_none()) {
            names[1] = name.into();
        } else if let Some(place) = text.strip_prefix("@@ -") {
            let mut starts = place.split([' ', ',', '+']).filter_map(|word| word.parse().ok());
            let old = starts.next().unwrap_or(0);
            let new = place.split_once('+').and_then(|(_, new)| new.split([' ', ',']).next());
            numbers = [old, new.and_then(|new| new.parse().ok()).unwrap_or(0)];
        } else if text.starts_with(['+', '-']) {
            let side = usize::from(text.starts_with('+'));
            if let Some(sign) = sign {
                let (file, number) = (names[side].clone(), numbers[side]);
                lines.push(Line { sign, file, number, text: text[1..].into() });
            }
            numbers[side] += 1;
        }
    }
    lines
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
