//! Long output on a terminal goes through a pager, as git's does.

use std::env;
use std::io::{ErrorKind, Write};
use std::process::{Command, Stdio};

use ladder::Failure;
use ladder::Screen;
use ladder::process::{Process, leave_ctrl_c_to_pager};

/// What is used where PAGER names nothing.
const USUAL: &str = "less";

/// Lines of the terminal that the shell's own prompts take.
const PROMPTS: usize = 2;

/// Prints `lines`, through a pager where they do not fit on the terminal.
pub fn show(lines: &[String], screen: &Screen) -> Result<(), Failure> {
    let long = screen.lines.is_some_and(|rows| lines.len() + PROMPTS > rows);
    if let (true, Some(mut pager)) = (long, pager())
        && let Ok(process) = Process::start_in_front(&mut pager)
    {
        return page(lines, &process);
    }
    lines.iter().try_for_each(|line| screen.line(line))
}

fn page(lines: &[String], process: &Process) -> Result<(), Failure> {
    leave_ctrl_c_to_pager();
    if let Some(mut input) = process.stdin() {
        let text: String = lines.iter().map(|line| format!("{}\n", line.trim_end())).collect();
        match input.write_all(text.as_bytes()) {
            // Whoever reads has seen enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {}
            done => done.map_err(Failure::output)?,
        }
    }
    process.wait_for_person().map(drop)
}

/// PAGER, which is a line for the shell; nothing where it is empty or `cat`.
fn pager() -> Option<Command> {
    let wanted =
        env::var("PAGER").unwrap_or_else(|_| if cfg!(unix) { USUAL.into() } else { String::new() });
    if wanted.trim().is_empty() || wanted.trim() == "cat" {
        return None;
    }
    let (shell, flag) = if cfg!(unix) { ("sh", "-c") } else { ("cmd", "/C") };
    // Where there is no less, the text is shown all the same.
    let line = if cfg!(unix) { format!("{wanted} || cat") } else { wanted };
    let mut pager = Command::new(shell);
    pager.arg(flag).arg(line).stdin(Stdio::piped());
    if env::var_os("LESS").is_none() {
        // Colours as they are, and no more than that: it begins at the top, and is left with
        // `q`.
        pager.env("LESS", "R");
    }
    Some(pager)
}
