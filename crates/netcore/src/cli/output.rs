//! Results on standard output, errors on standard error, and the exit code.

use std::error::Error as _;
use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr};
use std::process::ExitCode;

use crate::Error;
use crate::log::{harmless, has_room};

/// The exit code for wrong usage, which is clap's.
const USAGE: u8 = 2;

/// The exit code for what may work later: `EX_TEMPFAIL` of sysexits(3).
const LATER: u8 = 75;

/// Turns what `main` returns into output and exit code: 0 done, 1 failed, 2 wrong usage, 75
/// not now.
pub fn finish(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough, as in `client hello | head -0`. Nothing
        // is wrong.
        Err(Error::Output(source)) if source.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            report(&error, "");
            match error {
                Error::Usage(_) => USAGE.into(),
                Error::Later { .. } => LATER.into(),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

/// Prints the ready line on standard output: from here on, clients can connect. Warns
/// once where that means clients from other machines.
///
/// # Errors
/// What getsockname(2) said instead of an address; that the line could not be printed,
/// since whoever started the server waits for it.
pub fn ready(address: io::Result<SocketAddr>) -> Result<(), Error> {
    let address = address.map_err(Error::failed("tell the address of the socket"))?;
    if let Some(warning) = exposure(address.ip()) {
        log::warn!("{warning}");
    }
    listening_on(address)
}

/// As [`ready`], for an address that only this machine has.
///
/// # Errors
/// That the line could not be printed.
pub fn listening_on(address: impl Display) -> Result<(), Error> {
    announce(format_args!("listening on {address}"))
}

/// Prints a ready line, whatever it says.
///
/// # Errors
/// That it could not be printed, since whoever started the server waits for it.
pub fn announce(line: impl Display) -> Result<(), Error> {
    print(line).map_err(|error| match error {
        Error::Output(source) => Error::failed("tell that the server is ready")(source),
        other => other,
    })
}

/// Who can connect, where that is more than this machine.
fn exposure(ip: IpAddr) -> Option<String> {
    // `::ffff:127.0.0.1` is 127.0.0.1.
    let ip = ip.to_canonical();
    if ip.is_unspecified() {
        return Some(
            "listening on every interface: whoever can reach this machine can connect".into(),
        );
    }
    (!ip.is_loopback())
        .then(|| format!("listening beyond this machine: whoever can reach {ip} can connect"))
}

/// Prints one result on a line of its own and flushes it: a program that reads us must
/// not wait for a full buffer.
///
/// # Errors
/// [`Error::Output`]; `println!` would panic when the reader has gone.
pub fn print(result: impl Display) -> Result<(), Error> {
    write_line(result.to_string().as_bytes())
}

/// As [`print()`], for what a peer has sent, whatever it is. A terminal shows what would be
/// a command to it; everybody else has the bytes as they are.
///
/// # Errors
/// [`Error::Output`].
pub fn print_bytes(result: &[u8]) -> Result<(), Error> {
    match io::stdout().is_terminal() {
        true => write_line(shown(result).as_bytes()),
        false => write_line(result),
    }
}

/// Lines and tabs as they are, and the rest of it harmless.
fn shown(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let pieces = text.split_inclusive(['\n', '\t']).map(|piece| {
        let (text, end) = piece.split_at(piece.trim_end_matches(['\n', '\t']).len());
        harmless(text) + end
    });
    pieces.collect()
}

fn write_line(result: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(result)
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush())
        .map_err(Error::Output)
}

/// Reports what went wrong with one message at a prompt, where the session goes on, with
/// the number of the system.
pub fn complain(error: &Error) {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    let number =
        source.and_then(io::Error::raw_os_error).map(|number| format!(" (os error {number})"));
    match number {
        // A rare reason has its number already.
        Some(number) if !error.to_string().ends_with(&number) => report(error, &number),
        _ => report(error, ""),
    }
}

fn report(error: &Error, number: &str) {
    tell(format_args!("{}{number}\n", line(error)));
    if let Some(hint) = error.hint() {
        tell(format_args!("hint: {hint}\n"));
    }
}

/// What a peer has brought into it is no command to a terminal, as in the log.
fn line(error: &Error) -> String {
    format!("error: {}", harmless(&error.to_string()))
}

/// Writes to standard error, where `eprint!` would panic when the reader has gone, and
/// where a reader that does not read must not keep the program from its end.
pub(super) fn tell(text: impl Display) {
    if io::stderr().is_terminal() || has_room() {
        let _ = write!(io::stderr(), "{text}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_and_no_command_whoever_brought_its_words() {
        let error = Error::failed("log in")(io::Error::other("no\n\u{9b}2J\u{202e}я"));
        assert_eq!(line(&error), r"error: cannot log in: no\n\u{9b}2J\u{202e}я");
    }

    #[test]
    fn a_reply_is_no_command_to_the_terminal_that_shows_it() {
        let reply = b"one\r\n\ttwo \x1b[2J\xff\x07\r\xc2\x9b2J\n";
        assert_eq!(shown(reply), "one\n\ttwo \\u{1b}[2J\u{fffd}\\u{7}\\r\\u{9b}2J\n");
    }

    #[test]
    fn listening_wider_than_this_machine_is_told() {
        let told = |ip: &str| exposure(ip.parse().unwrap());
        for ip in ["127.0.0.1", "127.0.0.53", "::1", "::ffff:127.0.0.1"] {
            assert_eq!(told(ip), None, "{ip}");
        }
        for ip in ["0.0.0.0", "::"] {
            assert!(told(ip).unwrap().contains("every interface"), "{ip}");
        }
        assert!(told("192.0.2.1").unwrap().contains("whoever can reach 192.0.2.1 can connect"));
    }
}
