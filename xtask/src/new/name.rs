//! Which names a project can have.

use std::fs;
use std::process::Stdio;

use ladder::manifests::{Package, cargo};
use ladder::process::GENEROUS;
use ladder::rename::identifier;
use ladder::scratch::Scratch;
use ladder::{Failure, Ladder, Process, Rung};

use crate::pattern::pattern;

/// Fails with what is wrong with `name` for a project of `rung`.
pub fn check(name: &str, ladder: &Ladder, rung: &Rung) -> Result<(), Failure> {
    let lock = fs::read_to_string(ladder.root.join("Cargo.lock")).unwrap_or_default();
    let own = ladder.starter_of(rung)?;
    let is_block = ladder.blocks_of(&own.name).iter().any(|block| block.name == name);
    let refuse = |wrong: &str| {
        Err(Failure::Usage(format!("{wrong}; pass another, as in --name my-service")))
    };
    if name.split(['-', '_']).any(str::is_empty) {
        return refuse(&format!("{name:?} has more than single hyphens between its words"));
    }
    if let Some(said) = cargo_says(name)? {
        return refuse(&said);
    }
    if is_block || is_dependency(name, &lock) {
        return refuse(&format!("{name} is the name of a crate that the project uses"));
    }
    match is_used_in(name, own)? {
        true => refuse(&format!("{name} is the name of something else in the code")),
        false => Ok(()),
    }
}

/// What cargo has against a package of this name: that it is a word of the language, say, or
/// no file on Windows.
fn cargo_says(name: &str) -> Result<Option<String>, Failure> {
    let folder = Scratch::temporary("name")?;
    let mut command = cargo();
    command.args(["new", "--vcs", "none", &format!("--name={name}"), "project"]);
    command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
    let process = Process::start(command.stderr(Stdio::piped()))?;
    let said = process.stderr().text_at_end(GENEROUS)?;
    let starts = ["error: ", "warning: "];
    let wrong = said.lines().find_map(|it| starts.iter().find_map(|start| it.strip_prefix(start)));
    Ok(wrong.map(String::from))
}

/// Whether the lock file has a crate of this name that is none of ours.
fn is_dependency(name: &str, lock: &str) -> bool {
    let named = format!("\nname = \"{name}\"\n");
    let found = lock.split("[[package]]").find(|package| package.starts_with(&named));
    found.is_some_and(|package| package.contains("\nsource = "))
}

/// Whether the code gives the name to a module or imports something of that
/// name: `use` would not know which of the two is meant.
fn is_used_in(name: &str, own: &Package) -> Result<bool, Failure> {
    let name = identifier(name);
    if name == identifier(&own.name) {
        return Ok(false);
    }
    let files = ["src", "tests"].map(|folder| fs::read_dir(own.folder().join(folder)));
    let files = files.into_iter().flatten().flatten().flatten();
    let imports = pattern(&format!(r"(?m)^\s*(pub )?(use|mod) [^;]*\b{name}\b"))?;
    let sources = files.filter_map(|file| fs::read_to_string(file.path()).ok());
    Ok(sources.into_iter().any(|source| imports.is_match(&source)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_no_crate_name_or_means_something_else_in_the_project_is_refused() {
        let ladder = Ladder::load().unwrap();
        let check = |name: &str| check(name, &ladder, ladder.find("udp").unwrap());
        for (names, wrong) in [
            ("9lives,my service", "invalid character"),
            ("-service,my--service,my-", "single hyphens"),
            ("MyService", "not snake_case"),
            ("служба", "non-ASCII"),
            ("match", "keyword"),
            ("std,proc-macro", "standard library"),
            ("build", "build directory"),
            ("con,com1", "Windows"),
            ("log,netcore", "a crate that the project uses"),
            ("server,client,io", "something else in the code"),
        ] {
            for name in names.split(',') {
                let said = check(name).unwrap_err().to_string();
                assert!(said.contains(wrong), "{name:?}: {said}");
            }
        }
        for name in ["my-service", "my_service", "r2d2", "udp-echo", "threaded-echo", "my-log"] {
            assert!(check(name).is_ok(), "{name}");
        }
    }
}
