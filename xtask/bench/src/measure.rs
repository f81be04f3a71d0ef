//! One measurement: a fresh server on one core, netload on another or the same.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use ladder::process::output;
use ladder::scratch::Scratch;
use ladder::{Address, Failure, Ladder, failure, files, port, programs};
use serde::Serialize;

use crate::contenders::{Contender, Start};
use crate::fronts::Front;
use crate::load::{self, Report};
use crate::scenarios::{Scenario, Speaks, Unit};
use crate::server::Server;
use crate::site::Site;

/// Which of the two cores is whose.
const SERVER: usize = 0;
const LOAD: usize = 1;

/// What came of one measurement, or why nothing did.
pub type Sample = Result<Figures, String>;

/// The figures of one measurement, as far as its scenario has them.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Figures {
    /// Replies or bytes in a second.
    pub rate: Option<f64>,
    #[serde(rename = "p50_us")]
    pub p50: Option<f64>,
    #[serde(rename = "p99_us")]
    pub p99: Option<f64>,
    #[serde(rename = "p999_us")]
    pub p999: Option<f64>,
    /// The server's processor seconds for a million replies, or for a gigabyte.
    #[serde(rename = "processor_seconds")]
    pub processor: Option<f64>,
    /// Seconds until every connection of a crowd had been answered.
    #[serde(rename = "opening_seconds")]
    pub opening: Option<f64>,
    /// The server's memory for each connection of a crowd.
    pub kib_each: Option<f64>,
    pub lost: Option<f64>,
    /// The p99 of those who listen with one who does not, beside that without.
    pub deaf_ratio: Option<f64>,
    /// Processor milliseconds in each second in which no client said anything.
    #[serde(rename = "at_rest_ms")]
    pub at_rest: Option<f64>,
    #[serde(rename = "stop_ms")]
    pub stop: Option<f64>,
}

pub struct Bench {
    contenders: Vec<Contender>,
    programs: HashMap<String, PathBuf>,
    peers: PathBuf,
    site: Site,
    /// A core for the server and one for the load.
    cores: Option<[String; 2]>,
    seconds: u16,
    left_out: Vec<String>,
}

impl Bench {
    /// Builds what is needed. What is not installed is left out, with a word.
    pub fn prepare(
        ladder: &Ladder,
        mut contenders: Vec<Contender>,
        names: &[String],
        seconds: u16,
    ) -> Result<Bench, Failure> {
        let peers = ladder.root.join("crates/netload/peers");
        let mut left_out = Vec::new();
        contenders.retain(|contender| {
            if !contender.base && !names.contains(&contender.name) {
                return false;
            }
            let missing = missing(contender);
            if let Some(missing) = &missing {
                let text = format!("{} is left out: {missing} is not installed", contender.name);
                eprintln!("{text}");
                left_out.push(text);
            }
            missing.is_none()
        });
        let programs = build(ladder, &contenders)?;
        let built = programs.get("netload").and_then(|netload| netload.parent());
        let site = Site::new(built.ok_or_else(|| Failure::new("netload was not built"))?)?;
        let bench = Bench { contenders, programs, peers, site, cores: cores(), seconds, left_out };
        bench.make_certs()?;
        Ok(bench)
    }

    pub fn is_pinned(&self) -> bool {
        self.cores.is_some()
    }

    /// The servers that are not installed, each in words.
    pub fn left_out(&self) -> &[String] {
        &self.left_out
    }

    /// The servers of a scenario, what ratios are to first.
    pub fn contenders(&self, scenario: &Scenario) -> Vec<Contender> {
        self.contenders.iter().filter(|contender| contender.serves(scenario)).cloned().collect()
    }

    /// Starts the server, loads it, ends it. The error is one of bench itself; the
    /// server's own is in the sample.
    pub fn sample(&self, contender: &Contender, scenario: &Scenario) -> Result<Sample, Failure> {
        let server = match self.start(contender, scenario.connections) {
            Ok(server) => server,
            Err(failure) => return Ok(Err(failure.to_string())),
        };
        let core = if scenario.one_core { SERVER } else { LOAD };
        let mut command = self.pinned(core, &self.program("netload")?);
        self.arguments(&mut command, contender, scenario, &server);
        let (before, used) = (server.resident_kib(), server.processor_seconds());
        let mut silent = Figures::default();
        let report = load::run(&mut command, |crowd| {
            let grown =
                server.resident_kib().zip(before).map(|(now, before)| now.saturating_sub(before));
            silent.kib_each = grown.map(|kib| kib as f64 / crowd.connections as f64);
            if scenario.unit != Unit::Nothing {
                return ControlFlow::Continue(());
            }
            self.rest(&server, &mut silent);
            ControlFlow::Break(())
        });
        let used = server.processor_seconds().zip(used).map(|(now, before)| now - before);
        Ok(report.map_err(|failure| failure.to_string()).and_then(|report| match report {
            Some(report) => {
                Ok(Figures { kib_each: silent.kib_each, ..figures(&report, scenario, used)? })
            }
            None => Ok(silent),
        }))
    }

    /// What a server does while its clients are silent, and when it is asked to stop then.
    fn rest(&self, server: &Server, figures: &mut Figures) {
        let before = server.processor_seconds();
        let seconds = f64::from(self.seconds);
        thread::sleep(Duration::from_secs_f64(seconds));
        let used = server.processor_seconds().zip(before).map(|(now, before)| now - before);
        figures.at_rest = used.map(|used| used * 1e3 / seconds);
        figures.stop = server.stop().map(|taken| taken.as_secs_f64() * 1e3);
    }

    fn arguments(
        &self,
        command: &mut Command,
        contender: &Contender,
        scenario: &Scenario,
        server: &Server,
    ) {
        let (kind, rest) =
            scenario.load.split_first().map_or(("", &[][..]), |(k, rest)| (k.as_str(), rest));
        command.args(["--json", kind]);
        match scenario.speaks {
            Speaks::Http => command.arg(format!("http://{}{}", server.address, scenario.page)),
            _ => command.arg(server.address.to_string()),
        };
        let certs = self.certs();
        let certs = certs.to_string_lossy();
        command.args(rest.iter().map(|arg| arg.replace("{certs}", &certs)));
        let connections = scenario.connections.to_string();
        match kind {
            "tcp-bulk" => {}
            "udp-echo" => drop(command.args(["--window", &connections])),
            _ => drop(command.args(["--connections", &connections])),
        }
        if scenario.speaks == Speaks::Object && !contender.ours {
            command.arg("--raw");
        }
        if let Some(dialect) = &contender.dialect {
            command.args(["--dialect", dialect]);
        }
        command.args(&contender.load);
        // Silent clients are ended when they have been silent for long enough.
        let seconds = if scenario.unit == Unit::Nothing { LONGER } else { self.seconds };
        command.args(["--seconds", &seconds.to_string()]);
    }

    fn start(&self, contender: &Contender, connections: usize) -> Result<Server, Failure> {
        let folder = match contender.is_on_a_file() {
            true => Some(Scratch::temporary("bench")?),
            false => None,
        };
        match &contender.start {
            Start::Rung(args) => {
                let mut command = self.pinned(SERVER, &self.program(&contender.name)?);
                let place = match &folder {
                    Some(folder) => Address::Unix(folder.path().join("echo.sock")),
                    None => Address::port(0),
                };
                command.arg("server").args(place.option());
                for arg in args {
                    let arg = arg.replace("{connections}", &(connections + SPARE).to_string());
                    let arg = arg.replace("{certs}", &self.certs().to_string_lossy());
                    command.arg(arg.replace("{site}", &self.site.pages().to_string_lossy()));
                }
                Server::start_in(folder, command.env("RUST_LOG", "error"))
            }
            Start::Example(name) => {
                let mut command = self.pinned(SERVER, &self.program(name)?);
                Server::start_in(folder, command.stderr(Stdio::null()))
            }
            Start::Python(script) => {
                let mut command = self.pinned(SERVER, &PathBuf::from("python3"));
                for word in script {
                    command.arg(word.replace("{site}", &self.site.pages().to_string_lossy()));
                }
                Server::start(command.current_dir(&self.peers).stderr(Stdio::null()))
            }
            Start::Nginx(_) => self.start_on_a_port("nginx", |address| {
                let (folder, pages) = (self.site.folder(), self.site.pages());
                let configuration = folder.join("nginx.conf");
                let text =
                    include_str!("nginx.conf").replace("{folder}", &folder.to_string_lossy());
                let text = text.replace("{pages}", &pages.to_string_lossy());
                files::write(&configuration, text.replace("{address}", &address.to_string()))?;
                let path = |path: &Path| path.to_string_lossy().into_owned();
                Ok(vec!["-p".into(), path(folder), "-c".into(), path(&configuration)])
            }),
            Start::Program(words) => self.start_on_a_port(&words[0], |address| {
                let port = address.port().to_string();
                let certs = self.certs().display().to_string();
                let word = |word: &String| word.replace("{port}", &port).replace("{certs}", &certs);
                Ok(words[1..].iter().map(word).collect())
            }),
            Start::Front(front) => self.start_front(*front, connections),
        }
    }

    /// The folder of the certificates, for both ends.
    fn certs(&self) -> PathBuf {
        self.site.folder().join("certs")
    }

    /// Has `tls-echo` make the certificates, where something speaks TLS.
    fn make_certs(&self) -> Result<(), Failure> {
        let Some(program) = self.programs.get(ENCRYPTING) else { return Ok(()) };
        output(Command::new(program).arg("certs").arg(self.certs())).map(drop)
    }

    fn start_front(&self, front: Front, connections: usize) -> Result<Server, Failure> {
        let mut behind = self.pinned(SERVER, &self.program(PLAIN)?);
        let most = (connections + SPARE).to_string();
        behind.args(["server", "--port", "0", "--idle", "10m", "--total", "10m"]);
        behind.args(["--max-clients", &most]).env("RUST_LOG", "error");
        let behind = Server::start(&mut behind)?;
        let to = behind.address.inet().map_err(|error| failure!("{PLAIN}: {error}"))?;
        let server = self.start_on_a_port(front.program(), |address| {
            front.configure(self.site.folder(), &self.certs(), address, to)
        })?;
        Ok(server.in_front_of(behind))
    }

    /// Starts a program that says nothing that we could read and takes no port that the
    /// system chooses, with the arguments for an address.
    fn start_on_a_port(
        &self,
        program: &str,
        arguments: impl Fn(SocketAddr) -> Result<Vec<String>, Failure>,
    ) -> Result<Server, Failure> {
        let port = port::lasting().ok_or_else(|| Failure::new("there is no free port"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut command = self.pinned(SERVER, &PathBuf::from(program));
        command.args(arguments(address)?).current_dir(self.site.folder());
        Server::start_silent(command.stderr(Stdio::null()), address)
    }

    fn pinned(&self, core: usize, program: &PathBuf) -> Command {
        let Some(cores) = &self.cores else { return Command::new(program) };
        // Becomes the program, and its process number stays.
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &cores[core]]).arg(program);
        command
    }

    fn program(&self, name: &str) -> Result<PathBuf, Failure> {
        self.programs.get(name).cloned().ok_or_else(|| failure!("{name} was not built"))
    }
}

/// What stands behind a program that encrypts, and what makes its certificates.
const PLAIN: &str = "threaded-echo";
const ENCRYPTING: &str = "tls-echo";

/// Places beside those that the load takes.
const SPARE: usize = 64;

/// Seconds that no measurement lasts.
const LONGER: u16 = 3600;

fn figures(report: &Report, scenario: &Scenario, used: Option<f64>) -> Sample {
    if let Some(first) = &report.faults.first {
        return Err(first.clone());
    }
    if let Some(size) = Site::size(&scenario.page).filter(|size| *size != report.size) {
        return Err(format!("the page has {} bytes and not {size}", report.size));
    }
    let (rate, amount) = match scenario.unit {
        Unit::Replies | Unit::Nothing => (report.replies_per_second, report.replies as f64 / 1e6),
        Unit::Bytes => (report.bytes_per_second, report.bytes as f64 / 1e9),
    };
    if amount == 0.0 {
        return Err(format!("nothing came back in {:.1} s", report.seconds));
    }
    // A crowd is opened in the same run, and that time is not for the replies.
    let processor = used.filter(|_| report.crowd.is_none()).map(|used| used / amount);
    Ok(Figures {
        rate: Some(rate),
        p50: report.latency.as_ref().map(|latency| latency.p50),
        p99: report.latency.as_ref().map(|latency| latency.p99),
        p999: report.latency.as_ref().map(|latency| latency.p999),
        processor,
        opening: report.crowd.as_ref().map(|crowd| crowd.answered_seconds),
        lost: report.lost.map(|lost| lost as f64),
        deaf_ratio: report.deaf.as_ref().map(|deaf| deaf.ratio),
        ..Figures::default()
    })
}

/// What a server needs that is not there.
fn missing(contender: &Contender) -> Option<String> {
    let (program, args, missing) = match (&contender.start, &contender.needs) {
        (Start::Rung(_) | Start::Example(_), _) => return None,
        (Start::Python(_), None) => ("python3", vec!["--version".into()], "python3".into()),
        (Start::Python(_), Some(module)) => (
            "python3",
            vec!["-c".into(), format!("import {module}")],
            format!("{module} for python3"),
        ),
        (Start::Nginx(_), _) => ("nginx", vec!["-v".to_string()], "nginx".into()),
        (Start::Program(words), _) => {
            let ask = if words[0] == "openssl" { "version" } else { "--version" };
            (words[0].as_str(), vec![ask.into()], words[0].clone())
        }
        (Start::Front(front), _) => {
            (front.program(), vec![front.look().into()], front.program().into())
        }
    };
    (!runs(program, &args)).then_some(missing)
}

fn runs(program: &str, args: &[impl AsRef<OsStr>]) -> bool {
    output(Command::new(program).args(args)).is_ok()
}

/// The first two cores that we may use, where there are two and something to bind
/// processes to them.
fn cores() -> Option<[String; 2]> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    let cores = first_two(list)?;
    runs("taskset", &["--cpu-list", &cores[SERVER], "true"]).then_some(cores)
}

/// `0-3,8` names the cores 0, 1, 2, 3 and 8.
fn first_two(list: &str) -> Option<[String; 2]> {
    let mut all = list.trim().split(',').flat_map(|range| {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().unwrap_or(1), last.parse().unwrap_or(0));
        first..=last
    });
    Some([all.next()?.to_string(), all.next()?.to_string()])
}

/// Builds every program with optimisation.
fn build(ladder: &Ladder, contenders: &[Contender]) -> Result<HashMap<String, PathBuf>, Failure> {
    let mut options = vec!["--release", "--package", "netload", "--bin", "netload"];
    for contender in contenders {
        match &contender.start {
            Start::Rung(_) => {
                options.extend(["--package", &contender.name, "--bin", &contender.name])
            }
            Start::Example(name) => options.extend(["--example", name]),
            Start::Front(_) => {
                for name in [PLAIN, ENCRYPTING] {
                    options.extend(["--package", name, "--bin", name]);
                }
            }
            Start::Python(_) | Start::Nginx(_) | Start::Program(_) => {}
        }
    }
    programs::build(&ladder.root, &options, &["netload and the servers"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cores_are_read_as_linux_writes_them() {
        assert_eq!(first_two("\t0-1").unwrap(), ["0", "1"]);
        assert_eq!(first_two("3,5-7").unwrap(), ["3", "5"]);
        assert_eq!(first_two("2"), None);
    }
}
