//! The executables of the rungs and tools, built once for each test process: a test
//! never runs a program that is out of date.

use std::collections::HashMap;
use std::env;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::OnceLock;

use serde_json::Value;

use crate::ladder::{cargo, every_rung};
use crate::process::spawn;

/// What a build has made, by name. An error is kept as well: the other tests say the
/// same without building again.
type Built = OnceLock<Result<HashMap<String, PathBuf>, String>>;

/// The executable of the rung called `name`.
///
/// # Panics
/// When the rungs do not compile, or this one has no binary of its name.
pub fn executable(name: &str) -> &'static Path {
    static BUILT: Built = OnceLock::new();
    find(BUILT.get_or_init(build), name)
}

/// `xtask`, with the folder that it and the rungs are built in. If it is xtask that
/// runs us, it has been built already and is not replaced: Windows does not let that be
/// done to a program that runs.
///
/// # Panics
/// When it does not compile.
pub fn xtask() -> (&'static Path, PathBuf) {
    static BUILT: Built = OnceLock::new();
    (find(BUILT.get_or_init(|| build_packages(&["xtask"])), "xtask"), target_and_profile().0)
}

/// `netfault`. Built by itself, as for a person: beside the rungs it would give them
/// features of its dependencies.
///
/// # Panics
/// When it does not compile.
pub fn netfault() -> &'static Path {
    static BUILT: Built = OnceLock::new();
    find(BUILT.get_or_init(|| build_packages(&["netfault"])), "netfault")
}

fn find(built: &'static Result<HashMap<String, PathBuf>, String>, name: &str) -> &'static Path {
    match built {
        Ok(built) => built.get(name).unwrap_or_else(|| panic!("{name} has no binary of its name")),
        Err(error) => panic!("{error}"),
    }
}

/// The rungs only, not the workspace: nothing else is run here.
fn build() -> Result<HashMap<String, PathBuf>, String> {
    build_packages(&every_rung().iter().map(|rung| rung.name.as_str()).collect::<Vec<_>>())
}

fn build_packages(names: &[&str]) -> Result<HashMap<String, PathBuf>, String> {
    let (target, profile) = target_and_profile();
    let mut command = cargo();
    command.args(["build", "--locked", "--bins", "--message-format", "json-render-diagnostics"]);
    command.arg("--profile").arg(profile).arg("--target-dir").arg(target);
    for name in names {
        command.args(["--package", name]);
    }
    let child = spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()));
    let output =
        child.and_then(Child::wait_with_output).map_err(|error| format!("cargo build: {error}"))?;
    if !output.status.success() {
        return Err(format!("{} do not compile: cargo build says why", names.join(", ")));
    }
    let mut built = HashMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        if let (Some(name), Some(path)) =
            (message["target"]["name"].as_str(), message["executable"].as_str())
        {
            built.insert(name.to_string(), PathBuf::from(path));
        }
    }
    Ok(built)
}

/// Where cargo has put this test, and how it was built: the rungs are built likewise,
/// so most of the work is done. The test is `TARGET/PROFILE/deps/NAME-HASH`.
fn target_and_profile() -> (PathBuf, String) {
    let test = env::current_exe().expect("a test has a path");
    let profile = test.ancestors().nth(2).expect("cargo puts tests into PROFILE/deps");
    let target = profile.parent().expect("cargo puts profiles into a target folder");
    let name = profile.file_name().expect("a profile has a folder of its own").to_string_lossy();
    // The one profile whose folder is not called as it is.
    let name = if name == "debug" { "dev".into() } else { name };
    (target.to_path_buf(), name.into_owned())
}
