//! The command line of `netfault`.

use std::fs::File;
use std::io::{self, Write};
use std::net::{SocketAddr, UdpSocket};
use std::process::ExitCode;
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::{Instant, SystemTime};

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser, Subcommand};
use netcore::cli;
use netcore::deadline::Deadline;
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::{Error, listen, unix, wait};
use netfault::proxy::{Fate, Missed, Passed, Proxy, Way, record};
use netfault::{Address, Fault, Proof, Target, Transport, descriptors};
use socket2::Socket;

use args::{FaultArgs, ProxyArgs};

mod args;

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
    /// Stand between clients and a server, as a network that loses, delays and cuts:
    /// TCP and UDP on the same port
    #[command(
        after_help = "Example:\n  netfault proxy --listen 127.0.0.1:0 --to 127.0.0.1:9090 --delay 50ms --loss 0.1"
    )]
    Proxy(Box<ProxyArgs>),
}

fn main() -> ExitCode {
    let Arguments { command, fault } = Arguments::parse();
    descriptors::allow_many();
    cli::finish(match (command, fault) {
        (Some(Command::List), _) => list(),
        (Some(Command::Proxy(args)), _) => proxy(&args),
        (None, Some(args)) => play(&args),
        (None, None) => Arguments::command()
            .error(ErrorKind::MissingRequiredArgument, "a fault and an address are needed")
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
    let speaks = args.speaks.unwrap_or(args.fault.first_language());
    let wrong =
        |why: String| -> ! { Arguments::command().error(ErrorKind::ValueValidation, why).exit() };
    if is_done_to_a_process(args.fault) {
        wrong(format!(
            "{} is done to a process, not to an address: cargo xtask faults RUNG {0}",
            args.fault.name
        ));
    }
    if !args.fault.is_for(speaks) {
        wrong(format!("there is no {} for a server that speaks this", args.fault.name));
    }
    let Some(address) = args.server() else { wrong("an address is needed".into()) };
    let hello = args.hello.as_deref().unwrap_or(speaks.hello());
    let (seed, certs) = (args.seed, args.certs.as_deref());
    let target = Target { address: address.clone(), speaks, hello, seed, certs };
    let started = Instant::now();
    let begin = format!("begin {} with {}", args.fault.name, address);
    let running = args.fault.start(&target).map_err(Error::failed(begin))?;
    if *running.address() != address {
        // A network: clients go through it.
        cli::listening_on(running.address())?;
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
    let network = args.network.network();
    let (recorder, recorded) = record::recorder();
    let missed = recorder.missed();
    let (recorder, writer) = match &args.record {
        Some(path) => {
            let cannot = Error::failed(format!("write {}", path.display()));
            let file = File::create(path).map_err(cannot)?;
            (Some(recorder), Some(thread::spawn(move || write_down(file, &recorded, &missed))))
        }
        None => (None, None),
    };
    let shutdown = Shutdown::on_signals(DRAIN)?;
    let failed = || Error::failed("carry what passes");
    let server = args.server().ok_or_else(|| Error::Usage("a server is needed".into()))?;
    let mut proxies = Vec::new();
    // Files have no datagrams here: those are of the internet.
    let _claim = match (&args.listen, &server) {
        (Address::Inet(at), Address::Inet(to)) => {
            let (listener, socket) = listen_twice(*at)?;
            let tcp = Proxy::streams(listener, *to, &network, recorder.clone());
            proxies.push(tcp.map_err(failed())?);
            proxies.push(Proxy::udp(socket, *to, &network, recorder).map_err(failed())?);
            None
        }
        (at, to) => {
            let (listener, claim) = listen_once(at)?;
            let proxy = Proxy::streams(listener, to.clone(), &network, recorder);
            proxies.push(proxy.map_err(failed())?);
            claim
        }
    };
    match proxies[0].address() {
        Address::Inet(address) => cli::ready(Ok(*address))?,
        file => cli::listening_on(file)?,
    }
    wait::until_stop(&shutdown, Deadline::NEVER).map_err(failed())?;
    drop(proxies);
    // Ends when it has written down all that has passed.
    match writer.map(thread::JoinHandle::join) {
        Some(Ok(Err(error))) => Err(Error::failed("write down what has passed")(error)),
        _ => Ok(()),
    }
}

/// A stream socket, and the claim to its file where it has one.
fn listen_once(at: &Address) -> Result<(Socket, Option<unix::Claim>), Error> {
    /// For the same user alone.
    const MODE: u32 = 0o600;
    match at {
        Address::Inet(at) => Ok((listen::tcp(&at.ip().to_string(), at.port())?.into(), None)),
        Address::Unix(path) => {
            let (socket, claim) = unix::listen(path, MODE)?.into_parts();
            Ok((socket, Some(claim)))
        }
    }
}

/// A TCP and a UDP socket of the same port.
fn listen_twice(at: SocketAddr) -> Result<(Socket, UdpSocket), Error> {
    // A port that is free for TCP may be taken for UDP; then another one is tried.
    const ATTEMPTS: usize = 8;
    let host = at.ip().to_string();
    let mut attempt = 1;
    loop {
        let listener = listen::tcp(&host, at.port())?;
        let port = listener.local_addr().map_or(at.port(), |address| address.port());
        match listen::udp(&host, port) {
            Ok(socket) => return Ok((listener.into(), socket)),
            Err(error) if at.port() != 0 || attempt == ATTEMPTS => return Err(error),
            Err(_) => attempt += 1,
        }
    }
}

/// Until the proxy has gone, one line for each segment or datagram, and its bytes
/// below.
fn write_down(mut file: File, recorded: &Receiver<Passed>, missed: &Missed) -> io::Result<()> {
    let started = SystemTime::now();
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
            Fate::Reset => ", reset",
            Fate::Cut => ", cut",
        };
        let mut text = format!(
            "{seconds:10.6} #{} {arrow} {} bytes{fate}\n",
            passed.connection,
            passed.bytes.len()
        );
        for line in record::hexdump(&passed.bytes) {
            text.push_str(&format!("    {line}\n"));
        }
        text.push_str(&left_out(missed));
        if let Err(error) = file.write_all(text.as_bytes()) {
            // At once, and at the end once more: what passes goes on meanwhile.
            log::error!("cannot write down what passes: {error}");
            return Err(error);
        }
    }
    // What came at the very end.
    file.write_all(left_out(missed).as_bytes())
}

fn left_out(missed: &Missed) -> String {
    match missed.take() {
        0 => String::new(),
        missed => format!("{missed} more passed here that could not be written down in time\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }
}
