//! The arguments, output and exit codes that all rungs share, so that a rung's
//! `main.rs` holds its roles only.

use std::error::Error as _;
use std::fmt::Display;
use std::io::{self, BufRead, ErrorKind, IsTerminal, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

use clap::{ArgAction, Args};

use crate::log::init;
use crate::{Error, connect, listen};

/// Where a server listens. `PORT` is the rung's own default.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs<const PORT: u16> {
    /// Address or name to listen on
    #[arg(short, long, value_name = "HOST", default_value = "127.0.0.1")]
    pub bind: String,
    /// Port to listen on; 0 takes a free one
    #[arg(short, long, value_name = "N", default_value_t = PORT)]
    pub port: u16,
    /// Log what is received and sent; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
}

/// Where a client connects and what it sends. `PORT` is the default of the rung's own
/// server.
#[derive(Debug, Clone, Args)]
pub struct ClientArgs<const PORT: u16> {
    /// Address or name of the server
    #[arg(long, value_name = "HOST", default_value = "127.0.0.1")]
    pub host: String,
    /// Port of the server
    #[arg(short, long, value_name = "N", default_value_t = PORT)]
    pub port: u16,
    /// Keep trying for this long until the server is up, as in 5s
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Log what is received and sent; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    pub verbose: u8,
    /// What to send; without any, the lines of standard input
    #[arg(value_name = "MESSAGE")]
    pub messages: Vec<String>,
}

impl<const PORT: u16> ServerArgs<PORT> {
    /// Starts the log, opens the TCP socket and prints the ready line.
    ///
    /// # Errors
    /// As [`listen::tcp`].
    pub fn listen(&self) -> Result<TcpListener, Error> {
        init(self.verbose);
        let listener = listen::tcp(&self.bind, self.port)?;
        ready(listener.local_addr())?;
        Ok(listener)
    }

    /// As [`listen`](ServerArgs::listen), for UDP.
    ///
    /// # Errors
    /// As [`listen::udp`].
    pub fn listen_udp(&self) -> Result<UdpSocket, Error> {
        init(self.verbose);
        let socket = listen::udp(&self.bind, self.port)?;
        ready(socket.local_addr())?;
        Ok(socket)
    }
}

impl<const PORT: u16> ClientArgs<PORT> {
    /// Starts the log and connects to the server over TCP.
    ///
    /// # Errors
    /// As [`connect::tcp`].
    pub fn connect(&self) -> Result<TcpStream, Error> {
        init(self.verbose);
        match self.wait {
            Some(patience) => connect::tcp_when_up(&self.host, self.port, patience),
            None => connect::tcp(&self.host, self.port, connect::CONNECT_TIMEOUT),
        }
    }

    /// Starts the log and makes a UDP socket for each address of the server. Nothing is
    /// sent yet, so `--wait` is not applied here but by
    /// [`exchange`](ClientArgs::exchange).
    ///
    /// # Errors
    /// As [`connect::udp`].
    pub fn connect_udp(&self) -> Result<Vec<UdpSocket>, Error> {
        init(self.verbose);
        connect::udp(&self.host, self.port)
    }

    /// Exchanges one datagram for another, again while nobody listens and `--wait` is
    /// not over.
    ///
    /// # Errors
    /// [`Error::Reply`] with what `exchange` said last.
    pub fn exchange<T>(&self, mut exchange: impl FnMut() -> io::Result<T>) -> Result<T, Error> {
        connect::when_up(self.wait.unwrap_or_default(), || {
            exchange().map_err(|source| Error::Reply {
                address: listen::join(&self.host, self.port),
                source,
            })
        })
    }

    /// Whether a person types the messages, and can go on with the next when one has
    /// failed.
    pub fn at_prompt(&self) -> bool {
        self.messages.is_empty() && io::stdin().is_terminal()
    }
}

/// Turns what `main` returns into output and exit code: 0 done, 1 failed. Wrong usage
/// is clap's 2.
pub fn finish(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has seen enough, as in `client hello | head -0`. Nothing is
        // wrong.
        Err(Error::Output(source)) if source.kind() == ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            report(&error, "");
            ExitCode::FAILURE
        }
    }
}

/// Prints the ready line on standard output: from here on, clients can connect.
/// Warns once where that means clients from other machines.
///
/// # Errors
/// [`Error::Output`], or what getsockname(2) said instead of an address.
pub fn ready(address: io::Result<SocketAddr>) -> Result<(), Error> {
    let address = address.map_err(Error::failed("tell the address of the socket"))?;
    if let Some(warning) = exposure(address.ip()) {
        log::warn!("{warning}");
    }
    print(format_args!("listening on {address}"))
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
    print_bytes(result.to_string().as_bytes())
}

/// As [`print()`], for what need not be UTF-8.
///
/// # Errors
/// [`Error::Output`].
pub fn print_bytes(result: &[u8]) -> Result<(), Error> {
    let mut stdout = io::stdout().lock();
    stdout
        .write_all(result)
        .and_then(|()| stdout.write_all(b"\n"))
        .and_then(|()| stdout.flush())
        .map_err(Error::Output)
}

/// What a client sends: its arguments, or else the lines of standard input as they are
/// typed.
///
/// On a terminal it shows a prompt, on standard error: standard output is for replies.
pub fn messages(args: &[String]) -> Box<dyn Iterator<Item = Result<Vec<u8>, Error>> + '_> {
    if !args.is_empty() {
        return Box::new(args.iter().map(|message| Ok(message.as_bytes().to_vec())));
    }
    Box::new(std::iter::from_fn(|| {
        let mut stdin = io::stdin().lock();
        if stdin.is_terminal() {
            tell("> ");
        }
        let mut line = Vec::new();
        match stdin.read_until(b'\n', &mut line) {
            Ok(0) => {
                // Ctrl-D leaves the cursor behind the prompt.
                if stdin.is_terminal() {
                    tell("\n");
                }
                None
            }
            Ok(_) => {
                let text = line.strip_suffix(b"\n").unwrap_or(&line);
                let text = text.strip_suffix(b"\r").unwrap_or(text);
                Some(Ok(text.to_vec()))
            }
            Err(error) => Some(Err(Error::failed("read standard input")(error))),
        }
    }))
}

/// Reports what went wrong with one message at a prompt, where the session goes on,
/// with the number of the system.
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
    tell(format_args!("error: {error}{number}\n"));
    if let Some(hint) = error.hint() {
        tell(format_args!("hint: {hint}\n"));
    }
}

/// Writes to standard error, where `eprint!` would panic when the reader has gone.
fn tell(text: impl Display) {
    let _ = write!(io::stderr(), "{text}");
}

/// A duration as it is written on the command line: `500ms`, `5s`, `2m`.
///
/// # Errors
/// A sentence for clap to show.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split_unit(text);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        _ => return Err("a duration is written as 500ms, 5s or 2m".into()),
    };
    match number.parse::<u64>().ok().and_then(|number| number.checked_mul(milliseconds)) {
        Some(0) => Err("a limit of no time at all would end everything at once".into()),
        Some(whole) => Ok(Duration::from_millis(whole)),
        None => Err("a duration is written as 500ms, 5s or 2m".into()),
    }
}

/// A size as it is written on the command line, in bytes: `512`, `64k`, `1m` (1,024 and
/// 1,048,576).
///
/// # Errors
/// A sentence for clap to show.
pub fn size(text: &str) -> Result<usize, String> {
    let (number, unit) = split_unit(text);
    let bytes = match unit {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        _ => return Err("a size is written as 512, 64k or 1m".into()),
    };
    match number.parse::<usize>().ok().and_then(|number| number.checked_mul(bytes)) {
        Some(size) => Ok(size),
        None => Err("a size is written as 512, 64k or 1m".into()),
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn durations_are_read_as_they_are_written() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for wrong in [
            "",
            "5",
            "s",
            "-5s",
            "5 s",
            "5h",
            "0s",
            "99999999999999999999s",
            "18446744073709551615m",
        ] {
            assert!(duration(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_longest_duration_that_can_be_written_fits_on_the_clock() {
        let longest = duration(&format!("{}ms", u64::MAX)).unwrap();
        assert!(std::time::Instant::now().checked_add(longest).is_some());
    }

    #[test]
    fn sizes_are_read_as_they_are_written() {
        assert_eq!(size("512"), Ok(512));
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(size("1m"), Ok(1_048_576));
        for wrong in ["", "k", "-1", "1g", "1.5m", "99999999999999999999"] {
            assert!(size(wrong).is_err(), "{wrong:?}");
        }
    }
}
