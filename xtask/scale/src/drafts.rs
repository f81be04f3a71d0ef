//! The play beyond one machine: three of `omnichannel` behind HAProxy, which keep their drafts
//! on three servers of NATS; one of each is killed under load.

use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ladder::files::read;
use ladder::programs::build;
use ladder::scratch::Scratch;
use ladder::screen::fit;
use ladder::{Failure, Ladder, Screen, Tone, failure};
use ureq::http::Response;
use ureq::{Agent, Body};

use crate::haproxy::{self, Haproxy, NAMES, Server};
use crate::nats::{self, Cluster};
use crate::play::{COLUMNS, GAP, names, row, started, until};

const RUNG: &str = "omnichannel";

/// Who writes: one client each, without a pause.
const ACCOUNTS: [&str; 4] = ["ann", "bob", "eve", "joe"];

/// Columns of the number of changes that were acknowledged so far.
const WRITTEN: usize = 9;

/// Changes between two events of the play.
const ENOUGH: usize = 200;

/// How long one request may take. Where nobody decides, it takes until somebody does.
const PATIENCE: Duration = Duration::from_secs(20);

/// Kills one of each under load, and counts what was acknowledged and is there.
pub fn run(screen: &Screen) -> Result<(), Failure> {
    let (Some(nats), Some(haproxy)) = (nats::version(), haproxy::version()) else {
        let text = "this demo needs nats-server and HAProxy, which are not both installed here: apt install nats-server haproxy, or brew install nats-server haproxy";
        return Err(Failure::Skipped(text.into()));
    };
    let ladder = Ladder::load()?;
    let options = ["--package", RUNG, "--features", "nats"];
    let built = build(&ladder.root, &options, &[RUNG])?;
    let program = built.get(RUNG).ok_or_else(|| failure!("cannot build {RUNG}"))?;
    screen.title(&format!(
        "omni: {} of {RUNG} behind HAProxy {haproxy}, on {} of NATS {nats}, one of each killed",
        NAMES.len(),
        nats::COPIES
    ))?;
    let folder = Scratch::temporary("drafts")?;
    let cluster = Cluster::start(folder.path().join("nats"))?;
    let start = Start { program, engine: cluster.address(), tokens: folder.path().join("tokens") };
    let servers = NAMES.iter().map(|_| start.server(0)).collect::<Result<Vec<_>, Failure>>()?;
    let haproxy = Haproxy::start(&servers)?;
    let tokens = read(&start.tokens)?;
    let clients: Vec<Client> = tokens.lines().map(|token| Client::new(&haproxy, token)).collect();
    let (written, ends) = (&Written::default(), &AtomicBool::new(false));
    let mut play =
        Play { cluster, haproxy, servers, start, written, screen, began: Instant::now() };
    let done = thread::scope(|scope| {
        let writers: Vec<_> = clients
            .iter()
            .map(|client| scope.spawn(move || client.write_until(ends, written)))
            .collect();
        let played = play.outage(|| writers.iter().any(|it| it.is_finished()));
        ends.store(true, Ordering::SeqCst);
        // A client that has failed says more than the play that has waited for it.
        let ended = writers.into_iter().map(|it| it.join().unwrap_or_else(|it| resume_unwind(it)));
        let counts = ended.collect::<Result<Vec<u64>, Failure>>()?;
        played.map(|gap| (counts, gap))
    });
    let (counts, gap) = done?;
    play.tell(Tone::Plain, "the clients end, and each server is asked")?;
    for (_, address) in &play.servers {
        for (client, count) in clients.iter().zip(&counts) {
            client.check(*address, *count)?;
        }
    }
    let good = screen.paint(Tone::Good, "Nothing was lost, and nothing was done twice:");
    let text = format!(
        "{good} {} changes were acknowledged, and each server has them all. After the kill, nothing was acknowledged for {:.1} s.",
        counts.iter().sum::<u64>(),
        gap.as_secs_f64()
    );
    screen.line("")?;
    screen.prose("  ", &text)
}

/// How a server of ours is started.
struct Start<'a> {
    program: &'a Path,
    engine: String,
    tokens: PathBuf,
}

impl Start<'_> {
    fn server(&self, port: u16) -> Result<Server, Failure> {
        let mut command = Command::new(self.program);
        command.args(["server", "--port", &port.to_string(), "--engine", &self.engine]);
        command.arg("--tokens").arg(&self.tokens).env("RUST_LOG", "off");
        command.args(ACCOUNTS.iter().flat_map(|account| ["--account", account]));
        started(&mut command)
    }
}

struct Play<'a> {
    // Whatever goes wrong, ours end first, and NATS last.
    haproxy: Haproxy,
    servers: Vec<Server>,
    cluster: Cluster,
    start: Start<'a>,
    written: &'a Written,
    screen: &'a Screen,
    began: Instant,
}

impl Play<'_> {
    /// The longest time without an acknowledgement, from the kill on.
    fn outage(&mut self, is_over: impl Fn() -> bool) -> Result<Duration, Failure> {
        let head = format!("{:>1$}{GAP}{2}{3}", "s", COLUMNS.0, names(), fit("written", WRITTEN));
        self.screen.say(Tone::Dim, &head)?;
        self.wait(&is_over, ENOUGH)?;
        self.tell(Tone::Plain, "four clients change their drafts")?;
        let leader = self.cluster.leader().unwrap_or(0);
        let killed = Instant::now();
        self.cluster.kill(leader)?;
        self.servers[1].0.kill();
        self.tell(Tone::Bad, "SIGKILL to the NATS that leads, and to b")?;
        until(&is_over, || Ok(self.cluster.leader().is_some_and(|other| other != leader)))?;
        self.wait(&is_over, 1)?;
        self.tell(Tone::Server, "another leads, and a change is acknowledged")?;
        self.wait(&is_over, ENOUGH)?;
        let gap = self.written.longest_gap(killed);
        self.tell(Tone::Plain, "everybody writes on, with two of three")?;
        self.cluster.start_again(leader)?;
        let port = self.servers[1].1.port();
        self.servers[1] = self.start.server(port)?;
        self.tell(Tone::Server, "both are started again")?;
        until(&is_over, || Ok(self.haproxy.states()?[1].status.starts_with("UP")))?;
        self.wait(&is_over, ENOUGH)?;
        self.tell(Tone::Server, "b serves again, and has what it missed")?;
        Ok(gap)
    }

    /// Until so many further changes were acknowledged.
    fn wait(&self, is_over: impl Fn() -> bool, number: usize) -> Result<(), Failure> {
        let wanted = self.written.number() + number;
        until(is_over, || Ok(self.written.number() >= wanted))
    }

    fn tell(&self, tone: Tone, text: &str) -> Result<(), Failure> {
        let row = row(self.began.elapsed().as_secs_f64(), &self.haproxy.states()?, self.screen);
        let written = fit(&self.written.number().to_string(), WRITTEN);
        self.screen.hang(&(row + &written), tone, text)
    }
}

/// When changes were acknowledged, in order.
#[derive(Default)]
struct Written(Mutex<Vec<Instant>>);

impl Written {
    fn times(&self) -> MutexGuard<'_, Vec<Instant>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn number(&self) -> usize {
        self.times().len()
    }

    fn longest_gap(&self, from: Instant) -> Duration {
        let times: Vec<Instant> = self.times().iter().copied().filter(|it| *it > from).collect();
        let starts = [from].into_iter().chain(times.clone());
        starts.zip(times).map(|(one, next)| next.duration_since(one)).max().unwrap_or_default()
    }
}

/// One account, over HTTP.
struct Client {
    agent: Agent,
    url: String,
    token: String,
}

impl Client {
    fn new(haproxy: &Haproxy, token: &str) -> Client {
        // A new connection each: HAProxy gives it to a server that is there.
        let agent = Agent::config_builder().max_idle_connections(0).http_status_as_error(false);
        let agent = agent.timeout_global(Some(PATIENCE)).build().new_agent();
        let url = format!("http://{}/draft", haproxy.address);
        Client { agent, url, token: format!("Bearer {token}") }
    }

    /// How many changes were acknowledged.
    fn write_until(&self, ends: &AtomicBool, written: &Written) -> Result<u64, Failure> {
        let mut revision = 0;
        while !ends.load(Ordering::SeqCst) {
            match self.put(revision) {
                Ok(response) if response.status() == 204 => {
                    revision += 1;
                    let made = etag(&response);
                    if made != Some(revision) {
                        return Err(failure!("change {revision} was answered with {made:?}"));
                    }
                    written.times().push(Instant::now());
                }
                // Whether it was done is not known: once more, with the same key.
                Err(_) => {}
                Ok(response) if response.status() == 503 => {}
                Ok(response) => {
                    return Err(failure!("change {revision}: {}", response.status()));
                }
            }
        }
        Ok(revision)
    }

    fn put(&self, revision: u64) -> Result<Response<Body>, ureq::Error> {
        let request = self.agent.put(&self.url).header("Authorization", &self.token);
        let request = request.header("If-Match", format!("\"{revision}\""));
        let request = request.header("Idempotency-Key", format!("key-{revision}"));
        request.send(text(revision))
    }

    /// Whether this server has all of them, and no more.
    fn check(&self, address: SocketAddr, count: u64) -> Result<(), Failure> {
        let failed = |error: ureq::Error| failure!("{address} cannot be asked: {error}");
        let url = format!("http://{address}/draft");
        let request = self.agent.get(&url).header("Authorization", &self.token);
        let mut response = request.call().map_err(failed)?;
        let there = (etag(&response), response.body_mut().read_to_string().map_err(failed)?);
        match there == (Some(count), text(count.saturating_sub(1))) {
            true => Ok(()),
            false => {
                Err(failure!("{count} changes were acknowledged, and {address} has {there:?}"))
            }
        }
    }
}

fn text(revision: u64) -> String {
    format!("text {revision}")
}

fn etag(response: &Response<Body>) -> Option<u64> {
    response.headers().get("etag")?.to_str().ok()?.trim_matches('"').parse().ok()
}
