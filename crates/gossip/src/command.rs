//! The command line: a node that stays, and one that does not.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::{Arc, mpsc};
use std::thread;

use clap::{Args, Parser};
use netcore::cli::{self, ClientArgs, ServerArgs};
use netcore::log::harmless;
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::{Error, listen};

use crate::access::Access;
use crate::node::{self, Node, UNPRINTED, life};
use crate::replica::Replica;
use crate::wire::name;
use crate::{PORT, Settings, client};

/// What the program is called, also in a copy under another name.
const NAME: &str = env!("CARGO_PKG_NAME");

#[derive(Parser)]
#[command(
    bin_name = NAME,
    version,
    about,
    after_help = format!("Example:\n  {NAME} node --name ann &\n  {NAME} client 'hello, board!'")
)]
enum Role {
    /// Ask and answer until told to stop; what is typed is a notice
    // As all servers of the ladder are started.
    #[command(
        visible_alias = "server",
        after_help = format!("Example:\n  {NAME} node --name bob --port 0 --seed 127.0.0.1:{PORT}")
    )]
    Node {
        #[command(flatten)]
        args: ServerArgs<PORT>,
        #[command(flatten)]
        options: Options,
    },
    /// Leave each message at a node, as a notice of a node that does not stay
    #[command(after_help = format!("Example:\n  {NAME} client 'hello, board!'"))]
    Client {
        #[command(flatten)]
        options: client::Options,
        #[command(flatten)]
        args: ClientArgs<PORT>,
    },
}

/// What a node can be told beside where it listens.
#[derive(Debug, Args)]
struct Options {
    /// What the others call this node [default: its address]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// Ask this node first; may be repeated, and need not be there yet
    #[arg(long = "seed", value_name = "ADDR")]
    seeds: Vec<String>,
    /// Write this notice at once; may be repeated
    #[arg(long, value_name = "TEXT")]
    say: Vec<String>,
    /// Where others reach this node, if that is not where it listens
    #[arg(long, value_name = "ADDR")]
    advertise: Option<SocketAddr>,
    #[command(flatten)]
    access: Access,
    #[command(flatten)]
    settings: Settings,
}

/// Runs what the command line asks for.
pub fn run() -> ExitCode {
    cli::finish(match Role::parse() {
        Role::Node { args, options } => serve(&args, options),
        Role::Client { args, options } => client::run(&args, options),
    })
}

fn serve(args: &ServerArgs<PORT>, options: Options) -> Result<(), Error> {
    options.settings.check()?;
    let shutdown = Shutdown::on_signals(DRAIN)?;
    let seeds = seeds(&options.seeds)?;
    let socket = args.listen_udp()?;
    let address = socket.local_addr().map_err(Error::failed("tell the address of the socket"))?;
    let reachable = options.advertise.or((!address.ip().is_unspecified()).then_some(address));
    let name = options.name.unwrap_or_else(|| reachable.unwrap_or(address).to_string());
    if reachable.is_none() {
        log::warn!("nobody is told where this node is: --advertise says it");
    }
    let mut replica = Replica::new(name.into(), life(), reachable, seeds, options.settings.clone());
    for text in &options.say {
        replica.say(text, Default::default()).map_err(Error::Usage)?;
    }
    let proofs = options.access.proofs()?;
    let (screen, lines) = mpsc::sync_channel(UNPRINTED);
    let node = Node::new(replica, proofs, options.settings.every, screen);
    in_background(move || lines.iter().map(cli::print).find_map(Result::err))?;
    let typed = node.clone();
    in_background(move || read_notices(&typed))?;
    node::serve(socket, &node, &shutdown).map_err(Error::failed("receive"))
}

/// Every address of every seed. A seed need not run; its name has to be one.
fn seeds(seeds: &[String]) -> Result<Vec<SocketAddr>, Error> {
    let mut addresses = Vec::new();
    for seed in seeds {
        let (host, port) = match seed.rsplit_once(':') {
            Some((host, port)) if !host.ends_with(':') => (host, port.parse().ok()),
            _ => (seed.as_str(), Some(PORT)),
        };
        let wrong = || Error::Usage(format!("a seed is HOST:PORT, and {seed:?} is not"));
        addresses.extend(listen::resolve(host, port.ok_or_else(wrong)?)?);
    }
    Ok(addresses)
}

/// In a thread that nobody waits for: it may wait for a person, or for a screen.
fn in_background(run: impl FnOnce() -> Option<Error> + Send + 'static) -> Result<(), Error> {
    let logged = || {
        if let Some(error) = run() {
            log::warn!("{error}");
        }
    };
    thread::Builder::new().spawn(logged).map(drop).map_err(Error::failed("start a thread"))
}

/// Each line is a notice, or a question of the person who types it.
fn read_notices(node: &Arc<Node>) -> Option<Error> {
    for line in cli::messages(&[]) {
        let line = match line {
            Ok(line) => String::from_utf8_lossy(&line).into_owned(),
            Err(error) => return Some(error),
        };
        let told = match line.trim() {
            "" => Ok(()),
            "/who" => cli::print(node.with(|replica, _| who(replica))),
            "/board" => cli::print(node.with(|replica, _| board(replica))),
            "/forget" => {
                node.with(|replica, now| replica.take_back(now));
                Ok(())
            }
            text if text.starts_with('/') => {
                cli::print("there are /who, /board and /forget; all else is a notice")
            }
            text => node.with(|replica, now| replica.say(text, now)).or_else(cli::print),
        };
        if let Err(error) = told {
            return Some(error);
        }
    }
    None
}

/// All nodes and how they are, on one line.
fn who(replica: &Replica) -> String {
    let nodes =
        replica.members().iter().map(|(name, member)| match (member.left, member.is_away) {
            (true, _) => format!("{name} (left)"),
            (false, true) => format!("{name} (away)"),
            (false, false) => name.to_string(),
        });
    format!("/who: {}", nodes.collect::<Vec<_>>().join(", "))
}

/// All notices, by name, on one line: what two nodes agree on is the same text.
fn board(replica: &Replica) -> String {
    let notices = replica.members().iter().flat_map(|(name, member)| {
        member.notices().map(move |(_, text)| format!("{name}: {}", harmless(text)))
    });
    format!("/board: {}", notices.collect::<Vec<_>>().join(" | "))
}
