//! The command line of `netfault`.

use std::fs::File;
use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use clap::{ArgAction, Args, CommandFactory, Parser, Subcommand, ValueEnum};
use netcore::cli::{self, duration};
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::{Error, listen};
use netfault::proxy::{Fate, Network, Passed, Proxy, Way, record};
use netfault::{Fault, Proof, SEED, Speaks, Target, Transport, descriptors};

/// Peers that misbehave, and a network that does
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(after_help = "Example:\n  netfault list\n  netfault silent 127.0.0.1:9090")]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    fault: Option<FaultArgs>,
}

#[derive(Subcommand)]
enum Command {
    /// Show every fault
    #[command(after_help = "Example:\n  netfault list")]
    List,
    /// Stand between clients and a server, as a network that loses, delays and cuts: TCP and UDP on the same port
    #[command(
        after_help = "Example:\n  netfault proxy --listen 127.0.0.1:0 --to 127.0.0.1:9090 --delay 50ms --loss 0.1"
    )]
    Proxy(ProxyArgs),
}

#[derive(Args)]
struct FaultArgs {
    /// Its name, as `netfault list` has it
    #[arg(value_name = "FAULT", value_parser = fault)]
    fault: &'static Fault,
    /// Where the server listens
    #[arg(value_name = "HOST:PORT", value_parser = address)]
    address: SocketAddr,
    /// What the server understands [default: the simplest that there is this fault for]
    #[arg(long, value_name = "WHAT")]
    speaks: Option<Language>,
    /// A whole message that the server answers, with escapes as in \r\n and \x05 [default: one of what it speaks]
    #[arg(long, value_name = "TEXT", value_parser = unescape)]
    hello: Option<Vec<u8>>,
    /// What noise is drawn from
    #[arg(long, value_name = "N", default_value_t = SEED)]
    seed: u64,
    /// End it after this long, a minute at most, as in 500ms, 5s
    #[arg(long = "for", value_name = "DURATION", value_parser = duration, default_value = "1m")]
    limit: Duration,
}

#[derive(Args)]
struct ProxyArgs {
    /// Where clients come; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", value_parser = address)]
    listen: SocketAddr,
    /// Where the server listens
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    to: SocketAddr,
    /// How many datagrams are lost, from 0 to 1; over TCP, how many segments are late by 200 ms
    #[arg(long, value_name = "PART", value_parser = part, default_value = "0")]
    loss: f64,
    /// Time from one end to the other, as in 50ms [default: none]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    delay: Option<Duration>,
    /// More or less delay by up to so much [default: none]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    jitter: Option<Duration>,
    /// How many datagrams are overtaken by later ones, from 0 to 1
    #[arg(long, value_name = "PART", value_parser = part, default_value = "0")]
    reorder: f64,
    /// How many datagrams come twice, from 0 to 1
    #[arg(long, value_name = "PART", value_parser = part, default_value = "0")]
    duplicate: f64,
    /// Bits a second each way, as in 64kbit, 10mbit [default: no bound]
    #[arg(long, value_name = "RATE", value_parser = rate)]
    rate: Option<u64>,
    /// Bytes in a segment of TCP at most [default: no bound]
    #[arg(long, value_name = "BYTES", value_parser = some)]
    slice: Option<usize>,
    /// Cut each direction after so many bytes [default: never]
    #[arg(long, value_name = "BYTES", value_parser = some)]
    cut_after: Option<usize>,
    /// What chance is drawn from
    #[arg(long, value_name = "N", default_value_t = SEED)]
    seed: u64,
    /// Write down everything that passes
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Log clients; twice for more
    #[arg(short, long, action = ArgAction::Count)]
    verbose: u8,
}

#[derive(Clone, Copy, ValueEnum)]
enum Language {
    Bytes,
    Frames,
    Objects,
    Http,
    Datagrams,
    Requests,
}

fn main() -> ExitCode {
    let Arguments { command, fault } = Arguments::parse();
    descriptors::allow_many();
    cli::finish(match (command, fault) {
        (Some(Command::List), _) => list(),
        (Some(Command::Proxy(args)), _) => proxy(&args),
        (None, Some(args)) => play(&args),
        (None, None) => Arguments::command()
            .error(clap::error::ErrorKind::MissingRequiredArgument, "a fault and an address are needed")
            .exit(),
    })
}

fn list() -> Result<(), Error> {
    let width = netfault::ALL.iter().map(|fault| fault.name.len()).max().unwrap_or(0);
    let (processes, peers): (Vec<&Fault>, Vec<&Fault>) =
        netfault::ALL.iter().partition(|fault| is_done_to_a_process(fault));
    for fault in peers {
        cli::print(format_args!("{:width$}  {}", fault.name, fault.about))?;
    }
    cli::print("\nDone to a process, not to an address, by `cargo xtask faults`:")?;
    for fault in processes {
        cli::print(format_args!("{:width$}  {}", fault.name, fault.about))?;
    }
    Ok(())
}

fn is_done_to_a_process(fault: &Fault) -> bool {
    matches!(fault.proof, Proof::Process(_))
}

fn play(args: &FaultArgs) -> Result<(), Error> {
    let speaks = args.speaks.map_or(args.fault.first_language(), Language::speaks);
    let wrong = |why: String| -> ! {
        Arguments::command().error(clap::error::ErrorKind::ValueValidation, why).exit()
    };
    if is_done_to_a_process(args.fault) {
        wrong(format!(
            "{} is done to a process, not to an address: cargo xtask faults RUNG {0}",
            args.fault.name
        ));
    }
    if !args.fault.is_for(speaks) {
        wrong(format!("there is no {} for a server that speaks this", args.fault.name));
    }
    let hello = args.hello.as_deref().unwrap_or(speaks.hello());
    let target = Target { address: args.address, speaks, hello, seed: args.seed };
    let started = Instant::now();
    let running = args.fault.start(&target).map_err(Error::failed(format!("begin {}", args.fault.name)))?;
    if running.address() != args.address {
        // A network: clients go through it.
        cli::print(format_args!("listening on {}", running.address()))?;
        thread::sleep(args.limit.saturating_sub(started.elapsed()));
        return Ok(());
    }
    cli::print(format_args!("{}: {}", args.fault.name, args.fault.about))?;
    if running.lasts() && speaks.transport() == Transport::Tcp {
        let dropped = running.wait_until_dropped(args.limit.saturating_sub(started.elapsed()));
        let took = started.elapsed().as_secs_f64();
        return cli::print(match dropped {
            true => format!("it is over after {took:.1} s: the server has closed"),
            false => format!("ended after {took:.1} s: the server has let it go on"),
        });
    }
    match running.verdict() {
        Ok(verdict) => cli::print(format_args!("the faulty client {verdict}")),
        Err(verdict) => {
            Err(Error::failed("see what is due")(io::Error::other(format!("the client {verdict}"))))
        }
    }
}

fn proxy(args: &ProxyArgs) -> Result<(), Error> {
    netcore::log::init(args.verbose);
    let network = args.network();
    let (recorder, recorded) = mpsc::channel();
    let recorder = match &args.record {
        Some(path) => {
            let cannot = Error::failed(format!("write {}", path.display()));
            let file = File::create(path).map_err(cannot)?;
            thread::spawn(move || write_down(file, &recorded));
            Some(recorder)
        }
        None => None,
    };
    let shutdown = Shutdown::on_signals(DRAIN)?;
    let (listener, socket) = listen_twice(args.listen)?;
    let failed = || Error::failed("carry what passes");
    let tcp = Proxy::tcp(listener, args.to, &network, recorder.clone()).map_err(failed())?;
    let _udp = Proxy::udp(socket, args.to, &network, recorder).map_err(failed())?;
    cli::ready(Ok(tcp.address()))?;
    shutdown.wait().map_err(failed())
}

/// A TCP and a UDP socket of the same port.
fn listen_twice(at: SocketAddr) -> Result<(std::net::TcpListener, std::net::UdpSocket), Error> {
    // A port that is free for TCP may be taken for UDP; then another one is tried.
    const ATTEMPTS: usize = 8;
    let host = at.ip().to_string();
    let mut attempt = 1;
    loop {
        let listener = listen::tcp(&host, at.port())?;
        let port = listener.local_addr().map_or(at.port(), |address| address.port());
        match listen::udp(&host, port) {
            Ok(socket) => return Ok((listener, socket)),
            Err(error) if at.port() != 0 || attempt == ATTEMPTS => return Err(error),
            Err(_) => attempt += 1,
        }
    }
}

/// Until the proxy has gone, one line for each segment or datagram, and its bytes below.
fn write_down(mut file: File, recorded: &Receiver<Passed>) {
    let started = std::time::SystemTime::now();
    for passed in recorded {
        let seconds = passed.at.duration_since(started).unwrap_or_default().as_secs_f64();
        let arrow = match passed.way {
            Way::ToServer => "-->",
            Way::ToClient => "<--",
        };
        let fate = match passed.fate {
            Fate::Delivered => "",
            Fate::Repeated => ", once more",
            Fate::Lost => ", lost",
            Fate::Ended => ", end of stream",
            Fate::Cut => ", cut",
        };
        let mut text =
            format!("{seconds:10.6} #{} {arrow} {} bytes{fate}\n", passed.connection, passed.bytes.len());
        for line in record::hexdump(&passed.bytes) {
            text.push_str(&format!("    {line}\n"));
        }
        if let Err(error) = file.write_all(text.as_bytes()) {
            log::error!("cannot write down what passes: {error}");
            return;
        }
    }
}

impl ProxyArgs {
    fn network(&self) -> Network {
        Network {
            loss: self.loss,
            delay: self.delay.unwrap_or_default(),
            jitter: self.jitter.unwrap_or_default(),
            reorder: self.reorder,
            duplicate: self.duplicate,
            rate: self.rate,
            slice: self.slice,
            cut_after: self.cut_after.map(|bytes| bytes as u64),
            seed: self.seed,
        }
    }
}

impl Language {
    fn speaks(self) -> Speaks {
        match self {
            Language::Bytes => Speaks::Bytes,
            Language::Frames => Speaks::Frames,
            Language::Objects => Speaks::Objects,
            Language::Http => Speaks::Http,
            Language::Datagrams => Speaks::Datagrams,
            Language::Requests => Speaks::Requests,
        }
    }
}

fn fault(name: &str) -> Result<&'static Fault, String> {
    netfault::find(name).ok_or_else(|| "there is no such fault; `netfault list` shows them".into())
}

fn address(text: &str) -> Result<SocketAddr, String> {
    let mut addresses = text.to_socket_addrs().map_err(|error| format!("{error}, as in 127.0.0.1:9090"))?;
    addresses.next().ok_or_else(|| format!("{text} has no address"))
}

fn part(text: &str) -> Result<f64, String> {
    let part = text.parse().ok().filter(|part| (0.0..=1.0).contains(part));
    part.ok_or_else(|| "a part is written as 0.3, from 0 to 1".into())
}

fn some(text: &str) -> Result<usize, String> {
    match cli::size(text)? {
        0 => Err("at least one byte has to pass".into()),
        size => Ok(size),
    }
}

fn rate(text: &str) -> Result<u64, String> {
    let wrong = || "a rate is written as 9600bit, 64kbit or 10mbit".to_string();
    let number = text.strip_suffix("bit").ok_or_else(wrong)?;
    let (number, unit) = match (number.strip_suffix('k'), number.strip_suffix('m')) {
        (Some(number), _) => (number, 1_000),
        (_, Some(number)) => (number, 1_000_000),
        _ => (number, 1),
    };
    let rate = number.parse().ok().and_then(|number: u64| number.checked_mul(unit));
    rate.filter(|rate| *rate > 0).ok_or_else(wrong)
}

/// `\r`, `\n`, `\0`, `\\` and `\x41`; anything else is itself.
fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, escape)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let (byte, length) = match escape.as_bytes() {
            [b'r', ..] => (b'\r', 1),
            [b'n', ..] => (b'\n', 1),
            [b'0', ..] => (0, 1),
            [b'\\', ..] => (b'\\', 1),
            [b'x', ..] => {
                let digits = escape.get(1..3).ok_or("\\x is followed by two digits")?;
                (u8::from_str_radix(digits, 16).map_err(|_| "\\x is followed by two digits")?, 3)
            }
            _ => return Err("an escape is one of \\r \\n \\0 \\\\ \\x41".into()),
        };
        bytes.push(byte);
        rest = &escape[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_parts_and_bytes_are_read_as_they_are_written() {
        assert_eq!((rate("9600bit"), rate("64kbit"), rate("10mbit")), (Ok(9600), Ok(64_000), Ok(10_000_000)));
        for wrong in ["", "64k", "0bit", "bit", "-1bit", "1.5mbit"] {
            assert!(rate(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!((part("0.3"), part("1")), (Ok(0.3), Ok(1.0)));
        for wrong in ["1.1", "-0.1", "NaN", "x"] {
            assert!(part(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(unescape(r"\0\x05h\r\n\\"), Ok(b"\0\x05h\r\n\\".to_vec()));
        for wrong in [r"\q", r"\x1", r"\xzz", r"\"] {
            assert!(unescape(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
