//! The worked examples of the book: a rung, and the change that makes another program
//! of it.
//!
//! An example is one file, `docs/examples/NAME.patch`: what `git diff` wrote in a
//! project that `cargo xtask new` had made under that name. `git apply` skips what
//! stands above the first file, so this is there for us:
//!
//! ```text
//! rung: udp                          which rung
//! drops: tests/server.rs             a file that promises what the new program does not do; may be missing
//! client: 'utc'                      a run of its client, and below it what that prints, line by line
//! prints: ? utc
//! ```

use std::fs;
use std::path::{Path, PathBuf};

use ladder::Failure;
use ladder::manifests::ClientRun;
use ladder::shell::{session, words};

/// One example.
pub struct Example {
    /// What the project is called.
    pub name: String,
    /// Where its patch is.
    pub path: PathBuf,
    /// The name of its rung.
    pub rung: String,
    /// Files that are removed.
    pub drops: Vec<String>,
    /// Runs of its client.
    pub talks: Vec<ClientRun>,
    /// The files that it changes, in order.
    pub files: Vec<Patched>,
}

/// One file of a patch.
pub struct Patched {
    /// Its path in the project.
    pub file: String,
    /// Its part of the patch, from the first `@@` on.
    pub hunks: String,
    /// Lines that are new.
    pub added: usize,
    /// Lines that are gone.
    pub removed: usize,
}

/// Every example, by name.
pub fn all(root: &Path) -> Result<Vec<Example>, Failure> {
    let folder = root.join("docs/examples");
    let cannot = |error| Failure::new(format!("cannot read {}: {error}", folder.display()));
    let mut names = Vec::new();
    for entry in fs::read_dir(&folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|extension| extension == "patch") {
            names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    names.iter().map(|name| find(root, name)).collect()
}

/// The example of this name.
pub fn find(root: &Path, name: &str) -> Result<Example, Failure> {
    let path = root.join("docs/examples").join(format!("{name}.patch"));
    let text = fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
    read(name, &path, &text.replace("\r\n", "\n"))
        .map_err(|what| Failure::new(format!("docs/examples/{name}.patch: {what}")))
}

fn read(name: &str, path: &Path, text: &str) -> Result<Example, String> {
    let (head, patch) = text.split_once("\ndiff --git ").ok_or("changes no file")?;
    let mut example = Example {
        name: name.into(),
        path: path.into(),
        rung: String::new(),
        drops: Vec::new(),
        talks: Vec::new(),
        files: patch.split("\ndiff --git ").map(patched).collect::<Result<_, _>>()?,
    };
    for line in head.lines().filter(|line| !line.is_empty()) {
        let (key, value) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
        match (key, example.talks.last_mut()) {
            ("rung", _) => example.rung = value.into(),
            ("drops", _) => example.drops.push(value.into()),
            ("client", _) => {
                example.talks.push(ClientRun { args: words(value), expect: Vec::new() })
            }
            ("prints", Some(talk)) => talk.expect.push(value.into()),
            _ => return Err(format!("no line of it begins so: {line}")),
        }
    }
    if example.rung.is_empty() || example.talks.is_empty() {
        return Err("names no rung, or says nothing to it".into());
    }
    Ok(example)
}

fn patched(part: &str) -> Result<Patched, String> {
    let file = part.lines().next().and_then(|names| names.split_once(" b/"));
    let file = file.ok_or("has a file without a name")?.1.to_string();
    let hunks =
        part.find("\n@@ ").map(|at| &part[at + 1..]).ok_or(format!("changes nothing in {file}"))?;
    let count = |sign| hunks.lines().filter(|line| line.starts_with(sign)).count();
    Ok(Patched {
        added: count('+'),
        removed: count('-'),
        hunks: format!("{}\n", hunks.trim_end_matches('\n')),
        file,
    })
}

impl Patched {
    /// Whether it is a test.
    pub fn is_test(&self) -> bool {
        self.file.starts_with("tests/")
    }
}

impl Example {
    /// How large the change is, file by file and in all, in Markdown.
    pub fn table(&self) -> String {
        let mut table = String::from("| file | new lines | gone |\n|---|---|---|\n");
        for Patched { file, added, removed, .. } in &self.files {
            table.push_str(&format!("| `{file}` | {added} | {removed} |\n"));
        }
        let sum = |tests: bool| {
            let files = self.files.iter().filter(|file| file.is_test() == tests);
            files.fold((0, 0, 0), |sum, file| (sum.0 + 1, sum.1 + file.added, sum.2 + file.removed))
        };
        let ((files, added, removed), (_, tests, _)) = (sum(false), sum(true));
        table.push_str(&format!(
            "\nIn all, {added} lines are new and {removed} gone in {files} files of the program; its tests have {tests} new ones.\n"
        ));
        table
    }

    /// What one types to make it, and what it says then.
    pub fn transcript(&self) -> String {
        let Example { name, rung, .. } = self;
        // In a repository that lies further up, git looks for the files there, finds none and
        // says nothing.
        let mut text = format!(
            "$ cargo xtask new {rung} ../{name}\n$ cp docs/examples/{name}.patch ../{name}/\n$ cd ../{name}\n$ git init --quiet\n$ git apply -C1 {name}.patch\n"
        );
        for file in &self.drops {
            text.push_str(&format!("$ rm {file}\n"));
        }
        text.push_str("$ cargo test\n");
        text.push_str(&session(&[], &self.talks));
        text.push_str("$ kill %1\n");
        text
    }

    /// The names of its tests, as sentences.
    pub fn promises(&self) -> String {
        let mut list = String::new();
        for file in self.files.iter().filter(|file| file.is_test()) {
            let source: Vec<&str> =
                file.hunks.lines().filter_map(|line| line.strip_prefix('+')).collect();
            for name in crate::items::tests(&source.join("\n")) {
                list.push_str(&format!("- {}\n", name.replace('_', " ")));
            }
        }
        list
    }

    /// What it changes in one file, as `git diff` writes it.
    pub fn part(&self, file: &str) -> Result<String, Failure> {
        let found = self.files.iter().find(|patched| patched.file == file);
        let missing = || Failure::new(format!("the example {} changes no {file}", self.name));
        Ok(format!("--- a/{file}\n+++ b/{file}\n{}", found.ok_or_else(missing)?.hunks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str = "rung: udp
drops: tests/server.rs
client: 'a b' c
prints: one
prints:

diff --git a/src/lib.rs b/src/lib.rs
index 1..2 100644
--- a/src/lib.rs
+++ b/src/lib.rs
@@ -1,2 +1,2 @@
 same
-old
+new
+newer
diff --git a/tests/clock.rs b/tests/clock.rs
new file mode 100644
--- /dev/null
+++ b/tests/clock.rs
@@ -0,0 +1,2 @@
+#[test]
+fn it_ticks() {}
";

    #[test]
    fn a_patch_is_read_with_what_stands_above_it() {
        let example = read("clock", Path::new("clock.patch"), PATCH).unwrap();
        assert_eq!(
            (example.rung.as_str(), example.drops.as_slice()),
            ("udp", ["tests/server.rs".into()].as_slice())
        );
        assert_eq!(example.talks[0].args, ["a b", "c"]);
        assert_eq!(example.talks[0].expect, ["one", ""]);
        assert!(example.table().contains("| `src/lib.rs` | 2 | 1 |"));
        assert!(example.table().ends_with(
            "2 lines are new and 1 gone in 1 files of the program; its tests have 2 new ones.\n"
        ));
        assert_eq!(example.promises(), "- it ticks\n");
        assert!(
            example
                .part("src/lib.rs")
                .unwrap()
                .starts_with("--- a/src/lib.rs\n+++ b/src/lib.rs\n@@ -1,2")
        );
        assert!(example.part("src/main.rs").is_err());
    }

    #[test]
    fn a_patch_without_a_rung_or_with_a_misspelt_line_is_told() {
        for (from, to) in [
            ("rung: udp\n", ""),
            ("drops", "drop"),
            ("client: 'a b' c\nprints: one\nprints:\n", ""),
        ] {
            assert!(
                read("clock", Path::new("clock.patch"), &PATCH.replace(from, to)).is_err(),
                "{from}"
            );
        }
    }
}
