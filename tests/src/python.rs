//! The boxes "From Python" of the chapters, run as a reader would run them.

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::process::{Finished, Process};

/// The first Python program of the box "From Python" in `docs/CHAPTER.md`.
///
/// # Panics
/// When there is none.
#[track_caller]
pub fn boxed(chapter: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{chapter}.md"));
    let text = fs::read_to_string(&page).expect("the chapter can be read").replace("\r\n", "\n");
    let program = text
        .split_once("From Python")
        .and_then(|(_, after)| after.split_once("```python\n"))
        .and_then(|(_, after)| after.split_once("```"));
    program.unwrap_or_else(|| panic!("{chapter} has no Python program")).0.into()
}

/// Runs `program` to its end; `None` where Python 3 is not installed, which is told.
pub fn run(program: &str) -> Option<Finished> {
    run_with(program, &[])
}

/// The same, with these arguments.
pub fn run_with(program: &str, args: &[&str]) -> Option<Finished> {
    let found = ["python3", "python"].into_iter().find(|python| {
        let mut command = Command::new(python);
        command.args(["-c", "import sys; sys.exit(sys.version_info < (3, 8))"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    });
    let Some(python) = found else {
        eprintln!("skipped, no Python 3 here");
        return None;
    };
    let mut command = Command::new(python);
    // What it prints is UTF-8 on every system.
    command.args(["-c", program]).args(args).env("PYTHONIOENCODING", "utf-8").stdin(Stdio::null());
    Some(Process::start(python, &mut command).wait())
}
