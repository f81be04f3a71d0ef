//! Every name in the repository is one that Windows takes: it could not be checked out
//! there otherwise. And the top folder has what it is to have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use ladder::Failure;
use ladder::process::output;

/// What stands in the top folder.
const TOP: [&str; 17] = [
    ".cargo",
    ".ci",
    ".gitattributes",
    ".github",
    ".gitignore",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "clippy.toml",
    "crates",
    "deny.toml",
    "docs",
    "rustfmt.toml",
    "tests",
    "xtask",
];

const FORBIDDEN: &str = "<>:\"|?*\\";

/// The files of the repository, those that are not added yet as well, with `/` on every
/// system.
pub fn files(root: &Path) -> Result<Vec<String>, Failure> {
    let list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
    let text = output(Command::new("git").args(list).current_dir(root))?;
    let there = |name: &&str| !name.is_empty() && root.join(name).exists();
    // A file is named more than once while a merge is not done.
    let files: BTreeSet<String> = text.split('\0').filter(there).map(String::from).collect();
    Ok(files.into_iter().collect())
}

/// Names that Windows refuses, and those that are one name there.
pub fn check(files: &[String]) -> Vec<String> {
    let mut broken = Vec::new();
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for file in files {
        if let Some(wrong) = file.split('/').find_map(refused) {
            broken.push(format!("{file}: {wrong}, which Windows refuses; rename it"));
        }
        if let Some(other) = seen.insert(file.to_lowercase(), file) {
            broken.push(format!(
                "{file}: differs from {other} in case only, and is one file on Windows and macOS; rename one"
            ));
        }
    }
    broken
}

/// A note beside the work is committed in passing, and published.
pub fn check_top(files: &[String]) -> Vec<String> {
    let tops: BTreeSet<&str> = files.iter().filter_map(|file| file.split('/').next()).collect();
    let strange = tops.into_iter().filter(|top| !TOP.contains(top));
    strange.map(|top| format!("{top}: does not belong in the top folder; move it away")).collect()
}

fn refused(name: &str) -> Option<&'static str> {
    if is_device(name) {
        return Some("is the name of a device");
    }
    if name.contains(|c: char| FORBIDDEN.contains(c) || c.is_control()) {
        return Some("holds one of <>:\"|?*\\ or a control character");
    }
    name.ends_with(['.', ' ']).then_some("ends with a dot or a space")
}

/// Whether a file cannot be called so on Windows, whatever its extension: `nul`,
/// `COM1.txt`.
pub fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end().to_lowercase();
    let port = ["com", "lpt"].iter().find_map(|port| stem.strip_prefix(port));
    ["aux", "con", "nul", "prn"].contains(&stem.as_str())
        || port.is_some_and(|number| matches!(number.as_bytes(), [b'1'..=b'9']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_windows_refuses_or_takes_for_another_is_told() {
        for name in ["a/nul", "a/Com1.txt", "a/con.b/c", "a/b:c", "a/b?", "a/b.", "a /b", "a\\b"] {
            assert_eq!(check(&[name.to_string()]).len(), 1, "{name}");
        }
        let fine = ["a/null", "a/com10", "a/b c", "a/.gitignore", "a/б", "a/console"];
        assert_eq!(check(&fine.map(String::from)), [""; 0]);
        assert_eq!(check(&["docs/A.md".into(), "docs/a.md".into()]).len(), 1);
    }

    #[test]
    fn what_does_not_belong_in_the_top_folder_is_told() {
        assert_eq!(check_top(&["note.txt", "docs/a.md", "Cargo.toml"].map(String::from)).len(), 1);
    }
}
