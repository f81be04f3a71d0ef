//! A terminal to type on: pty(7).

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::Stdio;

use rustix::io::{FdFlags, fcntl_setfd};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::{Process, Rung};

/// Ctrl-D at the start of a line: the end of what is typed.
const END_OF_INPUT: &[u8] = b"\x04";

/// The keyboard of a terminal, in the hands of a test.
#[derive(Debug)]
pub struct Keyboard(File);

/// A terminal: the keyboard, and the end that a process reads as its standard input.
///
/// # Panics
/// When the system has no terminal left.
pub fn terminal() -> (Keyboard, Stdio) {
    let keyboard =
        openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal can be opened");
    // A process that had it as well would keep the terminal open for itself.
    fcntl_setfd(&keyboard, FdFlags::CLOEXEC).expect("it can be kept from others");
    grantpt(&keyboard).expect("it can be used");
    unlockpt(&keyboard).expect("it can be used");
    let name = ptsname(&keyboard, Vec::new()).expect("it has a name");
    let line = File::options().read(true).write(true).open(OsStr::from_bytes(name.as_bytes()));
    (Keyboard(File::from(keyboard)), line.expect("its other end can be opened").into())
}

/// A client that a person has started, and its keyboard, once it asks for the first line.
///
/// # Panics
/// As [`terminal`], and when the client does not ask.
pub fn client_at_prompt(rung: &Rung, port: u16) -> (Keyboard, Process) {
    let (keyboard, screen) = terminal();
    let mut command = rung.command(&["client", "--port", &port.to_string()]);
    let client = Process::start(&rung.name, command.stdin(screen));
    client.expect_prompt("> ");
    (keyboard, client)
}

impl Keyboard {
    /// Waits until something is shown on the screen.
    ///
    /// # Panics
    /// When the terminal has gone.
    pub fn wait_for_a_sign(&mut self) {
        self.0.read_exact(&mut [0; 1]).expect("something is shown");
    }

    /// Types a line and Enter.
    ///
    /// # Panics
    /// When the terminal has gone.
    pub fn type_line(&mut self, text: &str) {
        self.0.write_all(format!("{text}\n").as_bytes()).expect("the terminal takes what is typed");
    }

    /// Types a part of a line.
    ///
    /// # Panics
    /// When the terminal has gone.
    pub fn type_part(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).expect("the terminal takes what is typed");
    }

    /// Types Ctrl-D, which ends the input at the start of a line, and hands over what was
    /// typed otherwise.
    ///
    /// # Panics
    /// When the terminal has gone.
    pub fn type_end(&mut self) {
        self.0.write_all(END_OF_INPUT).expect("the terminal takes what is typed");
    }
}
