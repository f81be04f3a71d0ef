//! One conversation of a rung in circumstances that are asked for: with a fault, over a
//! bad network, with every byte shown, or drawn.

use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use clap::{Args, FromArgMatches};
use ladder::files::Doing;
use ladder::log_line::{Event, Time};
use ladder::near::there_are;
use ladder::scratch::Scratch;
use ladder::shell::command_line;
use ladder::{Address, Failure, Ladder, Rung, Screen, Tone, failure};
use netfault::proxy::{Fate, Network, NetworkArgs, Passed, Way, record};
use netfault::{Fault, Proof, Speaks, Transport};
use trial::live::{Live, Teller};
use trial::stage::{CALM, Stage, Visit};
use trial::timeline::{Happening, Side, Timeline, What, Wire};
use trial::{Cast, Faults, between, faults};

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

/// In what circumstances a conversation is played.
#[derive(Clone, Copy, Default)]
pub struct Around<'a> {
    pub fault: Option<&'a Fault>,
    pub network: Option<&'a Network>,
    /// Who looks on.
    pub live: Option<&'a Live>,
    /// Whether `curl` asks first, where it is installed and knows how.
    pub curl: bool,
}

pub struct Scene {
    /// What passed on the way; nothing where nothing stood in between.
    pub passed: Vec<Passed>,
    pub visits: Vec<Visit>,
    /// Those of `curl`.
    pub curl: Vec<Visit>,
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
    let words = network.as_ref().map(|_| Wire::Words(rung.speaks()));
    let wire = if options.wire { Some(Wire::Bytes) } else { words };
    let around = Around { fault, network: network.as_ref(), ..Around::default() };
    let scene = show(ladder, rung, around, wire, screen)?;
    screen.line("")?;
    for (number, (run, visit)) in rung.demo.iter().zip(&scene.visits).enumerate() {
        let who = client(rung, number);
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
        let who = who[..1].to_uppercase() + &who[1..];
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

/// What a client of the demo is called.
pub fn client(rung: &Rung, number: usize) -> String {
    match rung.demo.len() {
        1 => "the client".into(),
        _ => format!("client {}", number + 1),
    }
}

fn known(rung: &Rung, name: &str) -> Result<&'static Fault, Failure> {
    let fault = faults::find(name)?;
    let wrong = match fault.proof {
        _ if !fault.is_for(rung.speaks()) => {
            let names: Vec<&str> = rung.faults().map(|fault| fault.name).collect();
            let (rung, names) = (&rung.name, there_are(&names));
            format!("there is no {name} for what {rung} speaks; {names}")
        }
        Proof::Process(_) => format!(
            "{name} is done to the process, not by a peer: cargo xtask faults {} {name}",
            rung.alias
        ),
        _ => return Ok(fault),
    };
    Err(Failure::Usage(wrong))
}

/// The demo of a rung: over the network that its manifest has for it, and with what passes
/// on the way where that is more than what the two ends say.
pub fn main(ladder: &Ladder, rung: &Rung, screen: &Screen) -> Result<Scene, Failure> {
    let speaks = rung.speaks();
    let plain = matches!(speaks, Speaks::Bytes | Speaks::Local | Speaks::Datagrams);
    // Who has tokens is asked over several transports at once.
    let is_seen = !plain && !rung.has_tokens();
    let network = (is_seen || !rung.network.is_empty()).then(|| network_of(rung)).transpose()?;
    let wire = network.as_ref().map(|_| Wire::Words(speaks));
    let around = Around { network: network.as_ref(), curl: true, ..Around::default() };
    show(ladder, rung, around, wire, screen)
}

/// Plays it while somebody looks on.
fn show(
    ladder: &Ladder,
    rung: &Rung,
    around: Around,
    wire: Option<Wire>,
    screen: &Screen,
) -> Result<Scene, Failure> {
    let live = Live::start(Timeline::new(screen, &[], wire));
    let scene = play(ladder, rung, Around { live: Some(&live), ..around })?;
    live.finish()?;
    Ok(scene)
}

fn network_of(rung: &Rung) -> Result<Network, Failure> {
    let command = NetworkArgs::augment_args(clap::Command::new("network").no_binary_name(true));
    let matches = command.try_get_matches_from(&rung.network);
    let args = matches.and_then(|matches| NetworkArgs::from_arg_matches(&matches));
    let args = args.map_err(|error| failure!("the network of {}: {error}", rung.name))?;
    Ok(args.network())
}

/// The demo's clients, one after the other, in these circumstances.
pub fn play(ladder: &Ladder, rung: &Rung, around: Around) -> Result<Scene, Failure> {
    let Around { fault, network, live, curl } = around;
    let limit = fault.and_then(|fault| rung.limit(fault.name));
    let args = fault.map_or(rung.server_args.clone(), |fault| rung.args_for(fault));
    let mut stage = Stage::new();
    stage.onlooker = live.map(Live::teller);
    let cast = Cast { ladder, rung, args: &args };
    let (server, mut address) = stage.start_server(cast)?;
    let mut faulty = None;
    if let Some(fault) = fault {
        let at = Time::now();
        let running = faults::start(rung, fault, &address)?;
        let what = What::Wrote(format!("{}: {}", fault.name, fault.about));
        if let Some(teller) = &stage.onlooker {
            teller.tell(Happening { at, side: Side::Client, process: usize::MAX - 1, what });
        }
        address = running.address().clone();
        faulty = Some(running);
    }
    let (recorder, recorded) = record::recorder();
    let recorded = told(recorded, stage.onlooker.clone());
    let here = stage.free_address(rung)?;
    let proxy = network.map(|it| between(rung, &here, &address, it, recorder)).transpose()?;
    let address = proxy.as_ref().map_or(address, |proxy| proxy.address().clone());
    if let (Some(teller), true) = (&stage.onlooker, proxy.is_some()) {
        let what = What::Aside(format!("something on the way looks on, at {address}"));
        let (at, side) = (Time::now(), Side::Client);
        teller.tell(Happening { at, side, process: usize::MAX, what });
    }
    let mut visits = Vec::new();
    let curl = if curl { ask_with_curl(&mut stage, rung, &address)? } else { Vec::new() };
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
    let came = stage.count(side, |event| matches!(event, Event::Connected(_)));
    stage.wait_for_so_many(server, came, |event| matches!(event, Event::Left(..)));
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
    // One connection after the other as they began; what has passed in one stays in order.
    passed.sort_by_key(|passed| passed.connection);
    if fault.is_some() || !rung.serves_once() {
        stage.ask_to_stop(server);
    }
    let code = stage.exit_code(server)?;
    Ok(Scene { passed, visits, curl, code })
}

/// What was recorded, once it was told as well.
fn told(recorded: Receiver<Passed>, teller: Option<Teller>) -> Receiver<Passed> {
    let Some(teller) = teller else { return recorded };
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for passed in recorded {
            let (at, what) = (Time::of(passed.at), What::Passed(passed.clone()));
            // A process of its own: what passes is done by neither end.
            teller.tell(Happening { at, side: Side::Client, process: usize::MAX, what });
            if sender.send(passed).is_err() {
                return;
            }
        }
    });
    receiver
}

/// What a program asks that nobody here has written, in a folder of its own.
fn ask_with_curl(stage: &mut Stage, rung: &Rung, server: &Address) -> Result<Vec<Visit>, Failure> {
    let is_there = || Command::new("curl").arg("--version").output().is_ok();
    if rung.curl.is_empty() || !is_there() {
        return Ok(Vec::new());
    }
    let address = server.inet().map_err(|error| failure!("where is the server? {error}"))?;
    let folder = Scratch::temporary("curl")?;
    let mut visits = Vec::new();
    for run in &rung.curl {
        let args: Vec<String> = run
            .args
            .iter()
            .map(|arg| match arg.starts_with('/') {
                true => format!("http://{address}{arg}"),
                false => arg.clone(),
            })
            .collect();
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*", "--max-time", "30"]).args(&args);
        curl.current_dir(folder.path());
        curl.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let player = stage.begin(Side::Client, &mut curl, command_line("curl", &args), None)?;
        visits.push(stage.watch(player, PATIENCE)?);
    }
    Ok(visits)
}

/// Whether nothing more comes from the server.
fn ends(passed: &Passed) -> bool {
    passed.way == Way::ToClient && matches!(passed.fate, Fate::Ended | Fate::Reset | Fate::Cut)
}
