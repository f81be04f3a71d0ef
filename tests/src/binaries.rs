//! The executables of the rungs and tools, built once for each test process: a test
//! never runs a program that is out of date.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use ladder::programs::packages;

use crate::workspace::workspace;

/// What a build has made, by name. An error is kept as well: the other tests say the
/// same without building again.
type Programs = OnceLock<Result<HashMap<String, PathBuf>, String>>;

/// The executable of the rung called `name`.
///
/// # Panics
/// When the rungs do not compile, or this one has no binary of its name.
pub fn executable(name: &str) -> &'static Path {
    static BUILT: Programs = OnceLock::new();
    find(BUILT.get_or_init(build), name)
}

/// `xtask`, with the folder that it and the rungs are built in. If it is xtask that
/// runs us, it has been built already and is not replaced: Windows does not let that be
/// done to a program that runs.
///
/// # Panics
/// When it does not compile.
pub fn xtask() -> (&'static Path, PathBuf) {
    static BUILT: Programs = OnceLock::new();
    (find(BUILT.get_or_init(|| build_packages(&["xtask"])), "xtask"), Built::of_this_test().target)
}

/// `netfault`. Built by itself, as for a person: beside the rungs it would give them
/// features of its dependencies.
///
/// # Panics
/// When it does not compile.
pub fn netfault() -> &'static Path {
    static BUILT: Programs = OnceLock::new();
    find(BUILT.get_or_init(|| build_packages(&["netfault"])), "netfault")
}

/// `netload`, likewise.
///
/// # Panics
/// When it does not compile.
pub fn netload() -> &'static Path {
    static BUILT: Programs = OnceLock::new();
    find(BUILT.get_or_init(|| build_packages(&["netload"])), "netload")
}

/// The example `name` of a package: a tool of its own that no program needs.
///
/// # Panics
/// When it does not compile.
pub fn example(package: &str, name: &str) -> PathBuf {
    match build_of(&["--example", name], &[package]) {
        Ok(mut built) => built.remove(name).unwrap_or_else(|| panic!("{package} has no {name}")),
        Err(error) => panic!("{error}"),
    }
}

fn find(built: &'static Result<HashMap<String, PathBuf>, String>, name: &str) -> &'static Path {
    match built {
        Ok(built) => built.get(name).unwrap_or_else(|| panic!("{name} has no binary of its name")),
        Err(error) => panic!("{error}"),
    }
}

/// The rungs only, not the workspace: nothing else is run here.
fn build() -> Result<HashMap<String, PathBuf>, String> {
    build_packages(&workspace().rungs.iter().map(|rung| rung.name.as_str()).collect::<Vec<_>>())
}

fn build_packages(names: &[&str]) -> Result<HashMap<String, PathBuf>, String> {
    build_of(&["--bins"], names)
}

fn build_of(what: &[&str], names: &[&str]) -> Result<HashMap<String, PathBuf>, String> {
    let built = Built::of_this_test();
    let folder = built.target.to_string_lossy();
    let mut options = [&["--locked", "--profile", &built.profile], what].concat();
    options.extend(["--target-dir", &folder]);
    options.extend(built.triple.iter().flat_map(|triple| ["--target", triple.as_str()]));
    options.extend(packages(names));
    ladder::programs::build(&workspace().root, &options, names)
        .map_err(|failure| failure.to_string())
}

/// Where cargo has put this test, and how it was built: the rungs are built likewise,
/// so most of the work is done.
#[derive(Debug, PartialEq, Eq)]
struct Built {
    target: PathBuf,
    /// The system that it was built for, where cargo was told one.
    triple: Option<String>,
    profile: String,
}

impl Built {
    fn of_this_test() -> Built {
        let test = env::current_exe().expect("a test has a path");
        Built::of(&test).expect("cargo puts tests into PROFILE/deps of a target folder")
    }

    /// A test is `TARGET/PROFILE/deps/NAME-HASH`, or `TARGET/TRIPLE/PROFILE/deps/...`.
    /// The top of a target folder has a `.rustc_info.json`.
    fn of(test: &Path) -> Option<Built> {
        let profile = test.ancestors().nth(2)?;
        let above = profile.parent()?;
        let (target, triple) = match above.join(".rustc_info.json").exists() {
            true => (above, None),
            false => (above.parent()?, Some(above.file_name()?.to_string_lossy().into_owned())),
        };
        let name = profile.file_name()?.to_string_lossy();
        // The one profile whose folder is not called as it is.
        let profile = if name == "debug" { "dev".into() } else { name.into_owned() };
        Some(Built { target: target.to_path_buf(), triple, profile })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_programs_are_built_for_what_the_test_was_built_for() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().to_path_buf();
        fs::write(target.join(".rustc_info.json"), "").unwrap();
        let of = |path: &str| Built::of(&target.join(path)).unwrap();
        let built = |triple: Option<&str>, profile: &str| Built {
            target: target.clone(),
            triple: triple.map(String::from),
            profile: profile.into(),
        };
        assert_eq!(of("debug/deps/stop-1"), built(None, "dev"));
        let windows = "x86_64-pc-windows-gnu";
        let path = format!("{windows}/release/deps/stop-1");
        assert_eq!(of(&path), built(Some(windows), "release"));
    }
}
