//! What a server and a client of a UNIX socket can be told.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args};

use super::{Listener, Stream, connect, listen, word};
use crate::Error;
use crate::cli::{Connects, Listens, duration, listening_on};
use crate::connect::{CONNECT_TIMEOUT, when_up};
use crate::log::init;

/// Where a server listens, and for whom.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// File to listen on
    #[arg(long, value_name = "FILE", default_value = "echo.sock")]
    pub path: PathBuf,
    /// Who may connect: permissions of the file, in octal
    #[arg(long, value_name = "MODE", default_value = "600")]
    pub mode: Mode,
    /// Log what is received and sent; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Where a client connects and what it sends.
#[derive(Debug, Clone, Args)]
pub struct ClientArgs {
    /// File that the server listens on
    #[arg(long, value_name = "FILE", default_value = "echo.sock")]
    pub path: PathBuf,
    /// Keep trying for this long until the server is up, as in 5s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Log what is received and sent; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// What to send; without any, the lines of standard input
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<OsString>,
}

/// Permissions of a file: who may read and write it. To connect is to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mode(pub u32);

impl std::str::FromStr for Mode {
    type Err = String;

    fn from_str(text: &str) -> Result<Mode, String> {
        let octal = text.bytes().all(|byte| (b'0'..b'8').contains(&byte));
        let mode = u32::from_str_radix(text, 8).ok().filter(|mode| octal && *mode <= 0o777);
        mode.map(Mode).ok_or_else(|| "a mode is written as 600, 660 or 666".into())
    }
}

impl ServerArgs {
    /// Starts the log, opens the socket and prints the ready line.
    ///
    /// # Errors
    /// As [`listen`]; [`Error::Usage`] where the system has no such sockets.
    pub fn listen(&self) -> Result<Listener, Error> {
        init(self.verbose);
        let listener = listen(&self.path, self.mode.0)?;
        listening_on(word(&self.path))?;
        Ok(listener)
    }
}

impl Listens for ServerArgs {
    type Client = ClientArgs;
    const ELSEWHERE: &'static str = "--path ./my.sock";
}

impl Connects for ClientArgs {
    type Socket = Stream;

    fn connect(&self) -> Result<Stream, Error> {
        init(self.verbose);
        when_up(self.wait.unwrap_or_default(), || connect(&self.path, CONNECT_TIMEOUT))
    }

    fn messages(&self) -> &[OsString] {
        &self.messages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mode_is_three_octal_digits_and_nothing_that_could_be_mistaken_for_them() {
        assert_eq!("600".parse(), Ok(Mode(0o600)));
        assert_eq!("0".parse(), Ok(Mode(0)));
        assert_eq!("0660".parse(), Ok(Mode(0o660)));
        for wrong in ["", "8", "888", "1777", "+600", "-600", "rw-------", "0o600"] {
            assert!(wrong.parse::<Mode>().is_err(), "{wrong:?}");
        }
    }
}
