//! The programs of the rungs and tools, built and found in one way.

use std::collections::HashMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::manifests::cargo;
use crate::workers::lock;
use crate::{Failure, Ladder, Process, failure};

/// A build that has nothing to do takes less; only a longer one is worth a word.
const AT_ONCE: Duration = Duration::from_millis(1500);

/// Ends a build that hangs. The first one of a slow machine takes minutes.
pub const LONGEST: Duration = Duration::from_secs(60 * 60);

impl Ladder {
    /// The program of the package of this name, a debug build.
    pub fn program(&self, name: &str) -> Result<PathBuf, Failure> {
        let known = || lock(&self.built).get(name).cloned();
        if known().is_none() {
            self.build(&[name])?;
        }
        known().ok_or_else(|| failure!("cannot build {name}: there is no such program"))
    }

    /// Builds these at once: sooner than one by one, and with the same features for all.
    pub fn build(&self, names: &[&str]) -> Result<(), Failure> {
        let options = [&["--bins"], &packages(names)[..]].concat();
        let built = build(&self.root, &options, names)?;
        lock(&self.built).extend(built);
        Ok(())
    }
}

/// The options of cargo that name these packages.
pub fn packages<'a>(names: &[&'a str]) -> Vec<&'a str> {
    names.iter().flat_map(|name| ["--package", name]).collect()
}

/// `cargo build` with these options in the folder `root`: every program that it has made,
/// by name. Its errors and warnings go to standard error, as they do by hand; `names`
/// are told to whoever waits.
pub fn build(
    root: &Path,
    options: &[&str],
    names: &[&str],
) -> Result<HashMap<String, PathBuf>, Failure> {
    let started = Instant::now();
    let what = match names.len() {
        0..=3 => names.join(", "),
        many => format!("{many} programs"),
    };
    let mut command = cargo();
    command.args(["build", "--quiet", "--message-format", "json-render-diagnostics"]);
    command.args(options).current_dir(root).stdin(Stdio::null()).stdout(Stdio::piped());
    let process = Process::start(&mut command)?;
    let status = match process.wait(AT_ONCE)? {
        Some(status) => status,
        None => {
            word(&format!("building {what}, which takes a minute or so the first time ..."));
            let status = process.wait_for_end(LONGEST)?;
            word(&format!(" {:.1} s\n", started.elapsed().as_secs_f64()));
            status
        }
    };
    if !status.success() {
        let by_hand = packages(names).join(" ");
        return Err(failure!("cannot build {what}: see above, or run cargo build {by_hand}"));
    }
    Ok(process.stdout().text_at_end(LONGEST)?.lines().filter_map(executable).collect())
}

/// A word for the person who waits.
fn word(text: &str) {
    let mut stderr = io::stderr().lock();
    // Nobody who waits, nobody to tell.
    let _ = stderr.write_all(text.as_bytes());
    if stderr.is_terminal() {
        let _ = stderr.flush();
    }
}

/// The program that cargo tells of in this message: its name, and where it is.
fn executable(message: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(message).ok()?;
    let path = message["executable"].as_str()?;
    Some((message["target"]["name"].as_str()?.into(), path.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_the_messages_of_cargo() {
        let message = r#"{"reason":"compiler-artifact","target":{"name":"udp-echo"},"executable":"/t/udp-echo"}"#;
        assert_eq!(executable(message), Some(("udp-echo".into(), "/t/udp-echo".into())));
        assert_eq!(executable(r#"{"reason":"build-finished","success":true}"#), None);
        let library =
            r#"{"reason":"compiler-artifact","target":{"name":"udp_echo"},"executable":null}"#;
        assert_eq!(executable(library), None);
    }
}
