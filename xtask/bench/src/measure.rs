//! One measurement: a fresh server on one core, netload on another or the same.

use std::collections::{BTreeMap, HashMap};
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
use serde_json::Value;

use crate::contenders::{self, Contender, Start};
use crate::load;
use crate::scenarios::{Scenario, Speaks, Unit};
use crate::server::Server;
use crate::site;

/// Which of the two cores is whose.
const SERVER: usize = 0;
const LOAD: usize = 1;

/// What came of one measurement, or why nothing did.
pub type Sample = Result<Figures, String>;

/// The figures of one measurement, by name, as far as its scenario has them:
///
/// | name | what |
/// |---|---|
/// | `rate` | replies or bytes in a second |
/// | `p50_us`, `p99_us`, `p999_us` | how long replies took |
/// | `processor_seconds` | the server's for a million replies, or for a gigabyte |
/// | `opening_seconds` | until every connection of a crowd had been answered |
/// | `kib_each` | the server's memory for each connection of a crowd |
/// | `lost` | datagrams |
/// | `deaf_ratio` | the p99 of those who listen with one who does not, beside that without |
/// | `at_rest_ms` | of the processor, in each second in which no client said anything |
/// | `stop_ms` | until it had ended when it was asked to |
pub type Figures = BTreeMap<&'static str, f64>;

pub struct Bench {
    /// Those that are measured,
    chosen: Vec<Contender>,
    /// and all: some stand in front of others.
    contenders: Vec<Contender>,
    programs: HashMap<String, PathBuf>,
    peers: PathBuf,
    /// The folder of the pages, and of what else the servers read.
    site: Scratch,
    /// A core for the server and one for the load.
    pub cores: Option<[String; 2]>,
    seconds: u16,
    /// The servers that are not installed, each in words.
    pub left_out: Vec<String>,
}

impl Bench {
    /// Builds what is needed. What is not installed is left out, with a word.
    pub fn prepare(
        ladder: &Ladder,
        contenders: Vec<Contender>,
        names: &[String],
        seconds: u16,
    ) -> Result<Bench, Failure> {
        let peers = ladder.root.join("crates/netload/peers");
        let mut left_out = Vec::new();
        let mut chosen = contenders.clone();
        chosen.retain(|contender| {
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
        let programs = build(ladder, &chosen)?;
        let built = programs.get("netload").and_then(|netload| netload.parent());
        let site = site::write(built.ok_or_else(|| Failure::new("netload was not built"))?)?;
        let cores = cores();
        let bench = Bench { chosen, contenders, programs, peers, site, cores, seconds, left_out };
        bench.make_certs()?;
        Ok(bench)
    }

    /// The servers of a scenario, what ratios are to first.
    pub fn contenders(&self, scenario: &Scenario) -> Vec<Contender> {
        self.chosen.iter().filter(|contender| contender.serves(scenario)).cloned().collect()
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
        let mut crowded = Figures::new();
        let report = load::run(&mut command, |connections| {
            if let Some((now, before)) = server.resident_kib().zip(before) {
                crowded.insert("kib_each", now.saturating_sub(before) as f64 / connections);
            }
            if scenario.unit != Unit::Nothing {
                return ControlFlow::Continue(());
            }
            crowded.extend(self.rest(&server));
            ControlFlow::Break(())
        });
        let used = server.processor_seconds().zip(used).map(|(now, before)| now - before);
        Ok(match report {
            Ok(Some(report)) => figures(&report, scenario, used)
                .map(|it| [crowded, it].into_iter().flatten().collect()),
            Ok(None) => Ok(crowded),
            Err(failure) => Err(failure.to_string()),
        })
    }

    /// What a server does while its clients are silent, and when it is asked to stop then.
    fn rest(&self, server: &Server) -> Figures {
        let before = server.processor_seconds();
        let seconds = f64::from(self.seconds);
        thread::sleep(Duration::from_secs_f64(seconds));
        let used = server.processor_seconds().zip(before).map(|(now, before)| now - before);
        known([
            ("at_rest_ms", used.map(|used| used * 1e3 / seconds)),
            ("stop_ms", server.stop().map(|taken| taken.as_secs_f64() * 1e3)),
        ])
    }

    fn arguments(
        &self,
        command: &mut Command,
        contender: &Contender,
        scenario: &Scenario,
        server: &Server,
    ) {
        let words = [
            ("{address}", server.address.to_string()),
            ("{connections}", scenario.connections.to_string()),
            ("{certs}", self.certs().display().to_string()),
        ];
        command.arg("--json").args(scenario.load.iter().map(|word| filled(word, &words)));
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
        let behind = contender.behind.as_ref().map(|name| {
            let known = contenders::find(&self.contenders, name);
            self.start(known.ok_or_else(|| failure!("there is no {name}"))?, connections)
        });
        let behind = behind.transpose()?;
        let port = port::lasting()?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let words = [
            ("{connections}", (connections + SPARE).to_string()),
            ("{certs}", self.certs().display().to_string()),
            ("{site}", self.site.path().join(site::FOLDER).display().to_string()),
            ("{folder}", self.site.path().display().to_string()),
            ("{peers}", self.peers.display().to_string()),
            ("{address}", address.to_string()),
            ("{port}", port.to_string()),
            ("{behind}", behind.as_ref().map_or(String::new(), |it| it.address.to_string())),
        ];
        let fill = |text: &String| filled(text, &words);
        let folder = contender.is_on_a_file().then(|| Scratch::temporary("bench")).transpose()?;
        let mut server = match &contender.start {
            Start::Rung(args) => {
                let mut command = self.pinned(SERVER, &self.program(&contender.name)?);
                let place = match &folder {
                    Some(folder) => Address::Unix(folder.path().join("echo.sock")),
                    None => Address::port(0),
                };
                command.arg("server").args(place.option()).args(args.iter().map(fill));
                Server::start(folder, command.env("RUST_LOG", "error"))
            }
            Start::Example(name) => {
                let mut command = self.pinned(SERVER, &self.program(name)?);
                Server::start(folder, command.stderr(Stdio::null()))
            }
            Start::Program(words) => {
                if let Some(file) = &contender.configuration {
                    let text = with_modules_that_exist(&files::read(&self.peers.join(file))?);
                    files::write(&self.site.path().join(file), fill(&text))?;
                }
                let mut command = self.pinned(SERVER, Path::new(&words[0]));
                command.args(words[1..].iter().map(fill)).current_dir(self.site.path());
                command.stderr(Stdio::null());
                // One that is told where to listen does not say so.
                let told = contender.configuration.is_some()
                    || words.iter().any(|it| it.contains("{port}"));
                match told {
                    true => Server::start_silent(&mut command, address),
                    false => Server::start(None, &mut command),
                }
            }
        }?;
        server.behind = behind.map(Box::new);
        Ok(server)
    }

    /// The folder of the certificates, for both ends.
    fn certs(&self) -> PathBuf {
        self.site.path().join("certs")
    }

    /// Has `tls-echo` make the certificates, where something speaks TLS.
    fn make_certs(&self) -> Result<(), Failure> {
        let Some(program) = self.programs.get(ENCRYPTING) else { return Ok(()) };
        let certs = self.certs();
        output(Command::new(program).arg("certs").arg(&certs))?;
        // HAProxy takes both in one file.
        let [pem, key] = ["server.pem", "server.key"].map(|file| files::read(&certs.join(file)));
        files::write(&certs.join("server-both.pem"), pem? + &key?)
    }

    fn pinned(&self, core: usize, program: &Path) -> Command {
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

/// What makes certificates.
const ENCRYPTING: &str = "tls-echo";

/// Places beside those that the load takes.
const SPARE: usize = 64;

/// `text` with these words filled in.
fn filled(text: &str, words: &[(&str, String)]) -> String {
    words.iter().fold(text.to_string(), |text, (word, value)| text.replace(word, value))
}

/// Seconds that no measurement lasts.
const LONGER: u16 = 3600;

/// Of netload's report.
fn figures(report: &Value, scenario: &Scenario, used: Option<f64>) -> Sample {
    if let Some(first) = report["faults"]["first"].as_str() {
        return Err(first.into());
    }
    let of = |name: &str| report[name].as_f64();
    let page = scenario.load.iter().find_map(|word| word.strip_prefix("http://{address}/"));
    let size = page.and_then(site::size);
    if let Some(size) = size.filter(|size| of("size") != Some(*size as f64)) {
        return Err(format!("the page has {} bytes and not {size}", report["size"]));
    }
    let (rate, amount) = match scenario.unit {
        Unit::Replies | Unit::Nothing => ("replies_per_second", of("replies").map(|n| n / 1e6)),
        Unit::Bytes => ("bytes_per_second", of("bytes").map(|n| n / 1e9)),
    };
    let Some(amount) = amount.filter(|amount| *amount > 0.0) else {
        return Err(format!("nothing came back in {} s", report["seconds"]));
    };
    let (latency, crowd) = (&report["latency"], &report["crowd"]);
    Ok(known([
        ("rate", of(rate)),
        ("p50_us", latency["p50"].as_f64()),
        ("p99_us", latency["p99"].as_f64()),
        ("p999_us", latency["p999"].as_f64()),
        // A crowd is opened in the same run, and that time is not for the replies.
        ("processor_seconds", used.filter(|_| crowd.is_null()).map(|used| used / amount)),
        ("opening_seconds", crowd["answered_seconds"].as_f64()),
        ("lost", of("lost")),
        ("deaf_ratio", report["deaf"]["ratio"].as_f64()),
    ]))
}

fn known<const N: usize>(figures: [(&'static str, Option<f64>); N]) -> Figures {
    figures.into_iter().filter_map(|(name, figure)| Some((name, figure?))).collect()
}

/// What a server needs that is not there.
fn missing(contender: &Contender) -> Option<String> {
    let Start::Program(words) = &contender.start else { return None };
    let missing = contender.needs.as_ref().unwrap_or(&words[0]);
    (!runs(&words[0], &contender.look)).then(|| missing.clone())
}

/// The configuration of nginx without modules that are in no file of their own here.
fn with_modules_that_exist(text: &str) -> String {
    let module =
        |line: &str| Some(line.strip_prefix("load_module ")?.trim_end_matches(';').to_string());
    let lines = text.lines().filter(|line| module(line).is_none_or(|it| Path::new(&it).exists()));
    lines.map(|line| format!("{line}\n")).collect()
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
    let mut programs = vec!["netload"];
    let mut options = vec!["--release"];
    for contender in contenders {
        match &contender.start {
            Start::Rung(_) => programs.push(&contender.name),
            Start::Example(name) => options.extend(["--example", name]),
            Start::Program(_) => {}
        }
        programs.extend(contender.behind.as_deref());
        programs.extend(contender.speaks.contains(&Speaks::Tls).then_some(ENCRYPTING));
    }
    options.extend(programs.iter().flat_map(|name| ["--package", name, "--bin", name]));
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
