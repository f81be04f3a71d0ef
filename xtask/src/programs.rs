//! The programs of the rungs, built when they are first asked for.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, IsTerminal, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::Failure;
use crate::ladder::{Ladder, cargo};
use crate::process::Process;

/// A build that has nothing to do takes less; only a longer one is worth a word.
const AT_ONCE: Duration = Duration::from_millis(1500);

/// Ends a build that hangs. The first one of a slow machine takes minutes.
const GENEROUS: Duration = Duration::from_secs(60 * 60);

/// The programs that this run has built.
#[derive(Default)]
pub struct Programs(HashMap<String, PathBuf>);

impl Programs {
    /// The program of the rung of this name.
    pub fn get(&mut self, ladder: &Ladder, name: &str) -> Result<PathBuf, Failure> {
        if let Some(program) = self.0.get(name) {
            return Ok(program.clone());
        }
        self.build_all(ladder, &[name])?;
        self.0
            .get(name)
            .cloned()
            .ok_or_else(|| Failure::new(format!("cannot build {name}: there is no such program")))
    }

    /// Builds the programs of all these rungs at once: sooner than one by one, and with
    /// the same features for all.
    pub fn build_all(&mut self, ladder: &Ladder, names: &[&str]) -> Result<(), Failure> {
        self.0.extend(build(ladder, names)?);
        Ok(())
    }
}

/// `cargo build -p NAME ...`. Its errors and warnings go to standard error, as they do
/// by hand.
fn build(ladder: &Ladder, names: &[&str]) -> Result<Vec<(String, PathBuf)>, Failure> {
    let started = Instant::now();
    let what = if names.len() > 3 { format!("{} rungs", names.len()) } else { names.join(", ") };
    let failed = |why: String| Failure::new(format!("cannot build {what}: {why}"));
    let mut command = cargo();
    command.args(["build", "--quiet", "--bins", "--message-format", "json-render-diagnostics"]);
    for name in names {
        command.args(["--package", name]);
    }
    let process = Process::start(
        command.current_dir(&ladder.root).stdin(Stdio::null()).stdout(Stdio::piped()),
    )?;
    let Some(messages) = process.child().stdout.take() else {
        return Err(failed("no output".into()));
    };
    let reader = thread::spawn(move || -> Vec<(String, PathBuf)> {
        let lines = BufReader::new(messages).lines().map_while(Result::ok);
        lines.filter_map(|line| executable(&line)).collect()
    });
    let wait = |limit| process.wait(limit).map_err(|error| failed(error.to_string()));
    let status = match wait(AT_ONCE)? {
        Some(status) => status,
        None => {
            word(&format!("building {what} ..."));
            let status = wait(GENEROUS)?;
            word(&format!(" {:.1} s\n", started.elapsed().as_secs_f64()));
            status.ok_or_else(|| failed("it took too long".into()))?
        }
    };
    if !status.success() {
        return Err(failed(format!("see above, or run cargo build -p {}", names.join(" -p "))));
    }
    reader.join().map_err(|_| failed("what cargo said could not be read".into()))
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

/// The program that cargo tells of in this message, if it is of one: its name, and
/// where it is.
pub fn executable(message: &str) -> Option<(String, PathBuf)> {
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
