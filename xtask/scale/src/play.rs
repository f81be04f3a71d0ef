//! The play: servers behind HAProxy, clients without a pause, and every server
//! replaced.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use ladder::process::{GENEROUS, listening};
use ladder::screen::{fit, thousands};
use ladder::{Failure, Ladder, Process, Screen, Tone, failure};
use serde_json::Value;

use crate::haproxy::{self, Haproxy, NAMES, Server, State};

/// The rung that is behind HAProxy: for short visits.
const RUNG: &str = "pooled-echo";

/// Clients at a time: enough for all servers to have some at any moment.
const CLIENTS: &str = "16";

/// Seconds after which the clients end by themselves, should nobody end them.
const BOUND: &str = "300";

/// A pause between two looks at what HAProxy tells. No event tells it.
const PAUSE: Duration = Duration::from_millis(5);

pub const COLUMNS: (usize, usize) = (7, 11);

pub const GAP: &str = "  ";

/// Restarts every server under load, and looks whether a request was lost.
pub fn run(screen: &Screen) -> Result<(), Failure> {
    let Some(version) = haproxy::version() else {
        let text = "this demo needs HAProxy, which is not installed here: apt install haproxy, or brew install haproxy";
        return Err(Failure::Skipped(text.into()));
    };
    let ladder = Ladder::load()?;
    let (program, netload) = (ladder.program(RUNG)?, ladder.program("netload")?);
    let title =
        format!("scale: {} of {RUNG} behind HAProxy {version}, restarted one by one", NAMES.len());
    screen.title(&title)?;
    let servers =
        NAMES.iter().map(|_| start(&program)).collect::<Result<Vec<Server>, Failure>>()?;
    let haproxy = Haproxy::start(&servers)?;
    let load = Load::start(&netload, &haproxy)?;
    let mut play = Play { load, haproxy, servers, program, screen, started: Instant::now() };
    screen.say(Tone::Dim, &format!("{:>1$}{GAP}{2}", "s", COLUMNS.0, names()))?;
    play.until("no clients", |states| states.iter().all(|state| state.total > 0))?;
    let clients = format!("{CLIENTS} clients come, ask once and go, and come again at once");
    play.tell(Tone::Plain, &clients)?;
    for number in 0..NAMES.len() {
        play.restart(number)?;
    }
    let report = play.load.finish()?;
    play.tell(Tone::Plain, "the clients have their last replies and end")?;
    verdict(&report, screen)
}

struct Play<'a> {
    // Whatever goes wrong, the clients end first, and the servers last.
    load: Load,
    haproxy: Haproxy,
    servers: Vec<Server>,
    program: PathBuf,
    screen: &'a Screen,
    started: Instant,
}

impl Play<'_> {
    /// Replaces one server by a new one while the others serve.
    fn restart(&mut self, number: usize) -> Result<(), Failure> {
        let name = NAMES[number];
        // First of all, no new clients. SIGTERM alone would lose those that HAProxy has
        // connected already and whose requests the server has not read.
        self.command(&format!("set server echoes/{name} state drain"))?;
        self.until("clients still", |states| states[number].clients == 0)?;
        self.tell(Tone::Server, &format!("{name} has no client any more"))?;
        let process = &self.servers[number].0;
        process.ask_to_stop();
        let status = process.wait_for_end(GENEROUS)?;
        if status.code() != Some(0) {
            return Err(failure!("{name} does not end with code 0: {status}"));
        }
        self.tell(Tone::Server, &format!("{name} gets SIGTERM, and ends with code 0"))?;
        // On another port, as on another machine: nobody can have taken it meanwhile.
        self.servers[number] = start(&self.program)?;
        let address = self.servers[number].1;
        self.tell(Tone::Server, &format!("{name} is there again, on port {}", address.port()))?;
        let (host, port) = (address.ip(), address.port());
        self.command(&format!("set server echoes/{name} addr {host} port {port}"))?;
        let before = self.haproxy.states()?[number].total;
        self.command(&format!("set server echoes/{name} state ready"))?;
        self.until("no clients", |states| {
            states[number].status == "UP" && states[number].total > before
        })?;
        self.tell(Tone::Server, &format!("{name} has clients again"))
    }

    fn command(&mut self, command: &str) -> Result<(), Failure> {
        self.tell(Tone::Client, &format!("> {command}"))?;
        let said = self.haproxy.command(command)?;
        // What it says to a change of address is that it was changed; everything else would be
        // a refusal.
        match said.is_empty() || said.contains("changed from") {
            true => Ok(()),
            false => Err(failure!("HAProxy says to {command:?}: {said}")),
        }
    }

    /// Waits until HAProxy tells what is wanted. `what` there is otherwise.
    fn until(&mut self, what: &str, wanted: impl Fn(&[State]) -> bool) -> Result<(), Failure> {
        let wanted = || Ok(wanted(&self.haproxy.states()?));
        until(|| self.load.is_over(), wanted)
            .map_err(|why| failure!("a server has {what}: {why}: {:?}", self.haproxy.states()))
    }

    /// A row: when, what HAProxy tells of each server, and what happens.
    fn tell(&mut self, tone: Tone, text: &str) -> Result<(), Failure> {
        let row = row(self.started.elapsed().as_secs_f64(), &self.haproxy.states()?, self.screen);
        self.screen.hang(&row, tone, text)
    }
}

fn start(program: &Path) -> Result<Server, Failure> {
    let mut command = Command::new(program);
    // A line for each client would be many thousands. Errors go where ours go.
    command.args(["server", "--port", "0"]).env("RUST_LOG", "error");
    started(&mut command)
}

pub fn started(command: &mut Command) -> Result<Server, Failure> {
    let (process, address) = listening(command, GENEROUS)?;
    Ok((process, address.inet().map_err(|error| failure!("a server of ours: {error}"))?))
}

/// Looks again and again whether what is waited for is there, as long as the play goes on.
pub fn until(
    is_over: impl Fn() -> bool,
    wanted: impl Fn() -> Result<bool, Failure>,
) -> Result<(), Failure> {
    let began = Instant::now();
    while !wanted()? {
        if is_over() || began.elapsed() > GENEROUS {
            return Err(Failure::new("nothing goes on any more"));
        }
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// netload at work: a new connection for each request.
struct Load(Process);

impl Load {
    fn start(program: &Path, haproxy: &Haproxy) -> Result<Load, Failure> {
        let process = Process::start(
            Command::new(program)
                .args(["tcp-connect", &haproxy.address.to_string(), "--connections", CLIENTS])
                .args(["--seconds", BOUND, "--json"])
                .stdin(Stdio::null())
                // A line each at its end, which fit into the pipes.
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
        )?;
        Ok(Load(process))
    }

    /// Whether it has ended, as it does when requests are lost.
    fn is_over(&self) -> bool {
        !matches!(self.0.wait(Duration::ZERO), Ok(None))
    }

    /// Lets every client get its reply, and asks for the report.
    fn finish(&self) -> Result<Value, Failure> {
        self.0.ask_to_stop();
        self.0.wait_for_end(GENEROUS)?;
        let report = self.0.stdout().text_at_end(GENEROUS)?;
        serde_json::from_str(&report)
            .map_err(|_| failure!("netload has no report: {}{report}", self.0.stderr().text()))
    }
}

pub fn names() -> String {
    NAMES.map(|name| fit(name, COLUMNS.1)).concat()
}

/// When, and what HAProxy tells of each server.
pub fn row(time: f64, states: &[State], screen: &Screen) -> String {
    let time = screen.paint(Tone::Dim, &format!("{time:>0$.3}", COLUMNS.0));
    // `UP 1/2` is up until it is down.
    let cell = |state: &State| {
        let status = state.status.split(' ').next().unwrap_or_default();
        fit(&format!("{status:<5} {:>2}", state.clients), COLUMNS.1)
    };
    format!("{time}{GAP}{}", states.iter().map(cell).collect::<String>())
}

fn verdict(report: &Value, screen: &Screen) -> Result<(), Failure> {
    screen.line("")?;
    if let Some(first) = report["faults"]["first"].as_str() {
        return Err(failure!("a request was lost: {first}"));
    }
    let good = screen.paint(Tone::Good, "No request was lost:");
    let replies = thousands(report["replies"].as_f64().unwrap_or(0.0));
    let text = format!(
        "{good} {replies} were made, each has its reply, and no server is the one that it was."
    );
    screen.prose("  ", &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(status: &str, clients: u64) -> State {
        State { status: status.into(), clients, total: 9 }
    }

    #[test]
    fn a_row_stands_under_the_names_and_leaves_room_for_words_in_100_columns() {
        let states = [state("DRAIN", 2), state("UP 1/2", 14), state("DOWN", 0)];
        let row = row(1.204, &states, &Screen::of_width(100));
        assert_eq!(row, "  1.204  DRAIN  2   UP    14   DOWN   0   ");
        assert!(row.len() + "> set server echoes/a addr 127.0.0.1 port 65535".len() <= 100);
        assert_eq!(names().trim_end(), "a          b          c");
    }
}
