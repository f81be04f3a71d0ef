//! Which names a project can have.

use std::fs;

use ladder::manifests::Package;
use ladder::rename::identifier;
use ladder::{Failure, Ladder, Rung};

use crate::rules::names::is_device;

/// Words of the language, in use or reserved: no crate can be called so.
const KEYWORDS: [&str; 52] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "union", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Crates that come with the compiler.
const STANDARD: [&str; 5] = ["alloc", "core", "proc_macro", "std", "test"];

/// Folders that cargo makes where the program goes.
const FOLDERS: [&str; 4] = ["build", "deps", "examples", "incremental"];

/// Fails with what is wrong with `name` for a project of `rung`.
pub fn check(name: &str, ladder: &Ladder, rung: &Rung) -> Result<(), Failure> {
    let lock = fs::read_to_string(ladder.root.join("Cargo.lock")).unwrap_or_default();
    let own = ladder.starter_of(rung)?;
    let blocks: Vec<&str> =
        ladder.blocks_of(&own.name).iter().map(|block| block.name.as_str()).collect();
    let wrong = wrong_alone(name)
        .or_else(|| {
            (is_dependency(name, &lock) || blocks.contains(&name))
                .then_some("is the name of a crate that the project uses")
        })
        .or_else(|| is_used_in(name, own).then_some("is the name of something else in the code"));
    match wrong {
        None => Ok(()),
        Some(wrong) => Err(Failure::Usage(format!(
            "a crate cannot be called {name:?}: it {wrong}; pass another, as in --name my-service"
        ))),
    }
}

fn wrong_alone(name: &str) -> Option<&'static str> {
    let crate_name = identifier(name);
    let small = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        return Some("does not begin with a small letter");
    }
    if !crate_name.split('_').all(|part| !part.is_empty() && part.chars().all(small)) {
        return Some("has more than small letters, digits and single hyphens between them");
    }
    if KEYWORDS.contains(&crate_name.as_str()) {
        return Some("is a word of the language");
    }
    if STANDARD.contains(&crate_name.as_str()) {
        return Some("is the name of a crate that comes with the compiler");
    }
    if FOLDERS.contains(&name) {
        return Some("is the name of a folder where cargo puts the program");
    }
    is_device(name).then_some("is the name of a device on Windows")
}

/// Whether the lock file has a crate of this name that is none of ours.
fn is_dependency(name: &str, lock: &str) -> bool {
    let ours = |package: &str| !package.contains("\nsource = ");
    let found = lock.split("[[package]]").find(|package| {
        package.lines().find_map(|line| line.strip_prefix("name = "))
            == Some(&format!("\"{name}\""))
    });
    found.is_some_and(|package| !ours(package))
}

/// Whether the code gives the name to a module or imports something of that
/// name: `use` would not know which of the two is meant.
fn is_used_in(name: &str, own: &Package) -> bool {
    let name = identifier(name);
    if name == identifier(&own.name) {
        return false;
    }
    ["src", "tests"].iter().any(|folder| {
        let files = fs::read_dir(own.folder().join(folder)).into_iter().flatten().flatten();
        files
            .filter_map(|file| fs::read_to_string(file.path()).ok())
            .any(|source| imports(&source, &name))
    })
}

fn imports(source: &str, name: &str) -> bool {
    let mut statement = false;
    source.lines().any(|line| {
        let line = line.trim_start();
        statement |=
            ["use ", "pub use ", "mod ", "pub mod "].iter().any(|start| line.starts_with(start));
        let found = statement
            && line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
        statement &= !line.contains(';');
        found
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_crate_name_is_refused_with_what_is_wrong() {
        for (names, wrong) in [
            (",9lives,-service,MyService,служба", "does not begin with a small letter"),
            ("myService,my service,my--service,my-", "has more than small letters"),
            ("match", "is a word of the language"),
            ("std,proc-macro", "is the name of a crate that comes with the compiler"),
            ("build", "is the name of a folder"),
            ("con,com1", "is the name of a device"),
        ] {
            for name in names.split(',') {
                let found = wrong_alone(name);
                assert!(found.is_some_and(|found| found.starts_with(wrong)), "{name:?}");
            }
        }
        for name in ["my-service", "my_service", "a", "r2d2", "com10", "matches"] {
            assert_eq!(wrong_alone(name), None, "{name}");
        }
    }

    #[test]
    fn a_name_that_means_something_else_in_the_project_is_refused() {
        let ladder = Ladder::load().unwrap();
        let refused = |name: &&str| check(name, &ladder, ladder.find("udp").unwrap()).is_err();
        assert!(["log", "netcore", "server", "client", "io"].iter().all(refused));
        assert!(!["udp-echo", "threaded-echo", "clock", "my-log"].iter().any(refused));
    }
}
