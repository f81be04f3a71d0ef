//! One conversation of a rung in circumstances that are asked for: with a fault, over a
//! bad network, with every byte shown, or drawn.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use ladder::files::Doing;
use ladder::log_line::{Event, LogLine, Time};
use ladder::{Failure, Ladder, Rung, Screen, Tone};
use netfault::proxy::{Fate, Network, NetworkArgs, Passed, Way, record};
use netfault::{Fault, Proof, Transport};
use trial::stage::{CALM, Stage, Visit};
use trial::timeline::{Happening, Side, What};
use trial::{Cast, Faults, between, faults, timeline};

use crate::diagram;

/// How long a client is watched that nobody expects to be served.
const VAIN: Duration = Duration::from_secs(2);

/// How long one is given that should be. A correct one takes milliseconds, or seconds where
/// it has to ask again.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// What a demo is to show instead of the usual.
#[derive(Debug, Clone, Args)]
pub struct Options {
    /// Let this fault loose on the server, as `cargo run -p netfault -- list` names
    /// them
    #[arg(long, value_name = "FAULT")]
    fault: Option<String>,
    /// Show the bytes of each segment or datagram
    #[arg(long)]
    wire: bool,
    /// Draw the exchange as a sequence diagram
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    network: NetworkArgs,
}

pub struct Scene {
    pub happenings: Vec<Happening>,
    /// What passed on the way; nothing where nothing stood in between.
    pub passed: Vec<Passed>,
    pub visits: Vec<Visit>,
    /// The exit code of the server, unless a signal has ended it.
    pub code: Option<i32>,
}

impl Options {
    /// Whether anything is to be shown instead of the usual.
    pub fn ask_for_something(&self) -> bool {
        self.fault.is_some() || self.needs_proxy()
    }

    fn needs_proxy(&self) -> bool {
        let seed = self.network.network().seed;
        self.wire
            || self.svg.is_some()
            || self.network.network() != Network { seed, ..Network::default() }
    }
}

pub fn run(
    ladder: &Ladder,
    rung: &Rung,
    options: &Options,
    screen: &Screen,
) -> Result<(), Failure> {
    let fault = options.fault.as_deref().map(|name| known(rung, name)).transpose()?;
    // Before a conversation that may take a while, and would be for nothing.
    let drawing = match &options.svg {
        Some(path) => Some((path, File::create(path).doing("write", path)?)),
        None => None,
    };
    let network = options.needs_proxy().then(|| options.network.network());
    let scene = play(ladder, rung, fault, network.as_ref())?;
    let mut happenings = scene.happenings;
    if options.wire {
        let happening = |passed: &Passed| Happening {
            at: Time::of(passed.at),
            side: Side::Client,
            // A process of its own: what passes is done by neither end.
            process: usize::MAX,
            what: What::Passed(passed.clone()),
        };
        happenings.extend(scene.passed.iter().map(happening));
    }
    for line in timeline::lines(&timeline::in_order(happenings), screen) {
        screen.line(&line)?;
    }
    screen.line("")?;
    for (number, (run, visit)) in rung.demo.iter().zip(&scene.visits).enumerate() {
        let who = match rung.demo.len() {
            1 => "The client".into(),
            _ => format!("Client {}", number + 1),
        };
        let (tone, text) = match visit {
            visit if visit.code == Some(0) && visit.printed == run.expect => {
                (Tone::Good, "was served as usual".into())
            }
            visit if visit.waiting => (Tone::Warning, "was still waiting".to_string()),
            visit => match &visit.complaint {
                Some(complaint) => (Tone::Warning, format!("ended with {complaint:?}")),
                None => (Tone::Warning, format!("printed {:?}", visit.printed)),
            },
        };
        screen.prose("  ", &format!("{who} {}.", screen.paint(tone, &text)))?;
    }
    if let Some(fault) = fault {
        let (Rung { name, alias, .. }, fault) = (rung, fault.name);
        let text = match rung.limit(fault) {
            Some(limit) => {
                format!("{name} does not survive {fault} yet: {} does.", limit.lifted_by)
            }
            None => {
                format!("{name} survives {fault}; cargo xtask faults {alias} {fault} shows how.")
            }
        };
        screen.prose("  ", &text)?;
    }
    if let Some((path, mut file)) = drawing {
        file.write_all(diagram::draw(rung, &scene.passed).as_bytes()).doing("write", path)?;
        screen.prose("  ", &format!("Drawn: {}", path.display()))?;
    }
    Ok(())
}

fn known(rung: &Rung, name: &str) -> Result<&'static Fault, Failure> {
    let fault = faults::find(name)?;
    let wrong = match fault.proof {
        _ if !fault.is_for(rung.speaks()) => {
            let names: Vec<&str> = rung.faults().map(|fault| fault.name).collect();
            let (rung, names) = (&rung.name, names.join(", "));
            format!("there is no {name} for what {rung} speaks; there are {names}")
        }
        Proof::Process(_) => format!(
            "{name} is done to the process, not by a peer: cargo xtask faults {} {name}",
            rung.alias
        ),
        _ => return Ok(fault),
    };
    Err(Failure::Usage(wrong))
}

/// The demo's clients, one after the other, through `network` and beside `fault`.
pub fn play(
    ladder: &Ladder,
    rung: &Rung,
    fault: Option<&Fault>,
    network: Option<&Network>,
) -> Result<Scene, Failure> {
    let limit = fault.and_then(|fault| rung.limit(fault.name));
    let args = fault.map_or(rung.server_args.clone(), |fault| rung.args_for(fault));
    let mut stage = Stage::new();
    let cast = Cast { ladder, rung, args: &args };
    let (server, mut address) = stage.start_server(cast)?;
    let mut faulty = None;
    if let Some(fault) = fault {
        let at = Time::now();
        let running = faults::start(rung, fault, &address)?;
        let what = What::Wrote(format!("{}: {}", fault.name, fault.about));
        stage.happenings.push(Happening { at, side: Side::Client, process: usize::MAX - 1, what });
        address = running.address().clone();
        faulty = Some(running);
    }
    let (recorder, recorded) = record::recorder();
    let here = stage.free_address(rung)?;
    let proxy = network.map(|it| between(rung, &here, &address, it, recorder)).transpose()?;
    let address = proxy.as_ref().map_or(address, |proxy| proxy.address().clone());
    let mut visits = Vec::new();
    for run in &rung.demo {
        let patience = if limit.is_some() { VAIN } else { PATIENCE };
        let cast = Cast { args: &run.args, ..cast };
        visits.push(stage.run_client(cast, &address, patience)?);
    }
    if let (Some(running), Some(Proof::Dropped), None) =
        (&faulty, fault.map(|fault| fault.proof), limit)
    {
        running.wait_until_dropped(PATIENCE);
    }
    drop(faulty);
    // Where nothing is in between, each client's visit is one of the server's, logged or not yet.
    let side = if fault.is_some() || network.is_some() { Side::Server } else { Side::Client };
    let came = |line: &&LogLine| matches!(line.event(), Event::Connected(_));
    let came = stage.logged(side).filter(came).count();
    let left = |line: &&LogLine| matches!(line.event(), Event::Left(..));
    let all_left = |stage: &Stage| stage.logged(Side::Server).filter(left).count() >= came;
    stage.wait(CALM, |stage| stage.is_over(server) || all_left(stage));
    let mut passed = Vec::new();
    if proxy.is_some() && rung.speaks().transport() == Transport::Tcp {
        // A server tells that a client has left, and then the end of its stream is on its way.
        let until = Instant::now() + CALM;
        while passed.iter().filter(|passed| ends(passed)).count() < came
            && let Ok(next) = recorded.recv_timeout(until.duration_since(Instant::now()))
        {
            passed.push(next);
        }
    }
    drop(proxy);
    passed.extend(recorded.iter());
    if fault.is_some() || !rung.serves_once() {
        stage.ask_to_stop(server);
    }
    let code = stage.exit_code(server)?;
    let happenings = std::mem::take(&mut stage.happenings);
    Ok(Scene { happenings, passed: in_order(passed), visits, code })
}

/// Whether nothing more comes from the server.
fn ends(passed: &Passed) -> bool {
    passed.way == Way::ToClient && matches!(passed.fate, Fate::Ended | Fate::Reset | Fate::Cut)
}

/// What has passed, one connection after the other as they began.
fn in_order(recorded: Vec<Passed>) -> Vec<Passed> {
    let mut connections: HashMap<u64, Vec<Passed>> = HashMap::new();
    for passed in recorded {
        connections.entry(passed.connection).or_default().push(passed);
    }
    let mut connections: Vec<(u64, Vec<Passed>)> = connections.into_iter().collect();
    connections.sort_by_key(|(connection, _)| *connection);
    connections.into_iter().flat_map(|(_, passed)| passed).collect()
}
