//! Runs a rung's real server and clients and writes down what they print, the same for
//! every run.
//!
//! Ports are chosen by the system and times pass; so a transcript shows the rung's
//! default port, numbers the clients' ports in order, leaves the times of the log out,
//! and has one date for all.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ladder::collected::Collected;
use ladder::files::read;
use ladder::log_line::{Event, LogLine};
use ladder::shell::{command_line, words};
use ladder::{Failure, Ladder, Process, Programs, Rung, failure};
use netfault::Transport;
use trial::{Faults, faults};

use crate::items;

/// Ends a run that would otherwise hang; no correct one comes near it.
const GENEROUS: Duration = Duration::from_secs(60);

/// How long the end of what a process has written may be on its way when the process has
/// ended.
const QUICK: Duration = Duration::from_millis(200);

/// What a port stands behind.
const BEFORE_PORT: [&str; 2] = ["127.0.0.1:", "--port "];

/// The folder of a rung's certificates, on a page.
const CERTS: &str = "certs";

/// What a hint tells to ask for. It is no port of anybody.
const ANY_PORT: &str = "0";

/// The first client of a transcript has this port, the next one the next.
const FIRST_CLIENT_PORT: usize = 50001;

/// The example of RFC 9110 section 5.6.7, which stands for every date.
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// The same in an access log.
const LOG_DATE: &str = "06/Nov/1994:08:49:37 +0000";

/// What a server logs before it accepts.
const WAITING: &str = "waiting for a client";

/// What a server logs when it is told to stop.
const STOPPING: &str = "stopping; ";

/// What a server logs of a client whom the stop has ended.
const BY_STOP: &str = "the server stops";

/// What to run: a server, then one step after another.
pub struct Script {
    /// Arguments after `server`, beside the port.
    pub server: Vec<String>,
    /// What happens to it, in order.
    pub steps: Vec<Step>,
}

/// One step of a [`Script`].
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// The rung's own program is run.
    Program {
        /// `client`, or `server` for a second one on the same port.
        role: String,
        /// Arguments after the role, beside the port.
        args: Vec<String>,
        /// How long.
        runs: Runs,
    },
    /// A peer misbehaves, until the server is rid of it; or the network does, for the
    /// steps that follow: the name of the fault in `netfault`.
    Fault(String),
}

/// How long a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// To its end, before the next step.
    ToItsEnd,
    /// Until the session ends, with nothing to read and nobody to close its input:
    /// `client &`.
    InTheBackground,
    /// For so many seconds, since it would wait for ever: `timeout 1 client`.
    For(u64),
}

impl Script {
    /// The demo of the rung's metadata, with everything logged.
    pub fn demo(rung: &Rung) -> Script {
        let mut server = vec!["-v".to_string()];
        server.extend(rung.server_args.iter().cloned());
        let client = |args: &Vec<String>| Step::Program {
            role: "client".into(),
            args: args.clone(),
            runs: Runs::ToItsEnd,
        };
        Script { server, steps: rung.demo.iter().map(|run| client(&run.args)).collect() }
    }

    /// Reads `server ARGS | STEP | STEP`, with quotes as in a shell. A step is `client
    /// ARGS`, `client ARGS &`, `timeout SECONDS client ARGS`, `server ARGS` or
    /// `fault NAME`.
    pub fn parse(text: &str) -> Result<Script, Failure> {
        let mut parts = text.split('|').map(words);
        let wrong = || Failure::new("a session is: server ARGS | client ARGS | fault NAME");
        let server = match parts.next() {
            Some(words) if words.first().is_some_and(|role| role == "server") => {
                words[1..].to_vec()
            }
            _ => return Err(wrong()),
        };
        let mut steps = Vec::new();
        for words in parts {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (role, runs, args) = match words.as_slice() {
                ["fault", name] => {
                    steps.push(Step::Fault(name.to_string()));
                    continue;
                }
                ["client", args @ .., "&"] => ("client", Runs::InTheBackground, args),
                [role @ ("client" | "server"), args @ ..] => (*role, Runs::ToItsEnd, args),
                ["timeout", seconds, "client", args @ ..] => {
                    ("client", Runs::For(seconds.parse().map_err(|_| wrong())?), args)
                }
                _ => return Err(wrong()),
            };
            let args = args.iter().map(ToString::to_string).collect();
            steps.push(Step::Program { role: role.into(), args, runs });
        }
        Ok(Script { server, steps })
    }
}

/// Runs `script` against the real programs of `rung` and returns what they print,
/// server first.
pub fn transcript(
    ladder: &Ladder,
    programs: &mut Programs,
    rung: &Rung,
    script: &Script,
) -> Result<String, Failure> {
    let program = programs.get(ladder, &rung.name)?;
    rung.prepare(&program)?;
    // A page has a folder for them that anybody has.
    let certs = rung.certs.first().map_or(CERTS, String::as_str);
    let start = |role: &str, port: &str, args: &[String]| {
        let mut command = Command::new(&program);
        let args = args.iter().map(|arg| match arg.strip_prefix(CERTS) {
            Some(within) if within.is_empty() || within.starts_with('/') => {
                format!("{certs}{within}")
            }
            _ => arg.clone(),
        });
        command.current_dir(&rung.folder).arg(role).args(["--port", port]).args(args);
        Running::start(&mut command)
    };
    let mut server = start("server", "0", &script.server)?;
    let listening = server.process.wait_for_address(GENEROUS)?;
    let port = listening.port().to_string();
    // A bad network in between, where the clients of the steps that follow find the server.
    let mut network: Option<netfault::Running> = None;
    let mut background = Vec::new();
    let mut steps = String::new();
    for step in &script.steps {
        let (role, args, runs) = match step {
            Step::Program { role, args, runs } => (role, args, runs),
            Step::Fault(name) => {
                let (about, running) = misbehave(name, listening, rung, &mut server)?;
                steps.push_str(&format!("\n# {name}: {about}\n"));
                network = Some(running).filter(|running| running.address() != listening);
                continue;
            }
        };
        let place = network.as_ref().map(|network| network.address().port().to_string());
        let client = start(role, place.as_ref().unwrap_or(&port), args)?;
        let place = place.map(|place| format!(" --port {place}")).unwrap_or_default();
        let command = command_line(&format!("{} {role}{place}", rung.name), args);
        match runs {
            Runs::ToItsEnd => {
                // Nobody types anything: the end of its input comes at once.
                drop(client.process.stdin());
                client.wait_for_end()?;
                if role == "client" {
                    server.wait_until_next_client_has_left(rung)?;
                }
                steps.push_str(&format!("\n$ {command}\n{}", client.said()));
            }
            Runs::InTheBackground => {
                background.push(client);
                server.wait_for_next_client()?;
                steps.push_str(&format!("\n$ {command} &\n"));
            }
            Runs::For(seconds) => {
                client.process.wait(Duration::from_secs(*seconds))?;
                let said = client.said();
                let told = format!("(nothing more within {seconds} s; given up)");
                steps.push_str(&format!("\n$ timeout {seconds} {command}\n{said}{told}\n"));
            }
        }
        if rung.serves_once() && role == "client" {
            // Whoever comes next must find it gone.
            server.wait_for_end()?;
        }
    }
    server.process.ask_to_stop();
    server.wait_for_end()?;
    let command = command_line(&format!("{} server", rung.name), &script.server);
    let shown =
        format!("$ {command}\n{}{steps}", server.said_of_server(serves_one_at_a_time(rung)));
    let shown = shown.replace(certs, CERTS);
    Ok(timeless(&normalised(&shown, &port, &default_port(&rung.folder)?)))
}

/// Lets a fault loose on the server, waits until the server is rid of a faulty client,
/// and returns what it is.
fn misbehave(
    name: &str,
    address: SocketAddr,
    rung: &Rung,
    server: &mut Running,
) -> Result<(&'static str, netfault::Running), Failure> {
    let fault = faults::find(name)?;
    let running = faults::start(rung, fault, address)?;
    if running.address() == address {
        server.wait_until_next_client_has_left(rung)?;
    }
    Ok((fault.about, running))
}

fn serves_one_at_a_time(rung: &Rung) -> bool {
    rung.limits.iter().any(|limit| limit.fault == "second-client")
}

/// The port that a person gets who names none.
fn default_port(folder: &Path) -> Result<String, Failure> {
    let source = read(&folder.join("src/lib.rs"))?;
    let item = items::without_docs(&items::find(&source, "const PORT")?);
    Ok(item.chars().skip_while(|&c| c != '=').filter(char::is_ascii_digit).collect())
}

/// A run of the rung's program, whose lines are collected.
struct Running {
    process: Process,
    /// Of a server: the clients that have been waited for.
    clients: usize,
}

impl Running {
    fn start(command: &mut Command) -> Result<Running, Failure> {
        let process = Process::start(
            command
                // The person's own settings must not change what the page shows.
                .env_remove("RUST_LOG")
                .env_remove("RUST_LOG_STYLE")
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped()),
        )?;
        Ok(Running { process, clients: 0 })
    }

    /// Waits until the log is as `done` says, or ends.
    fn wait_for_log(&self, done: impl Fn(&[LogLine]) -> bool) -> Result<(), Failure> {
        let stderr = self.process.stderr();
        let found = stderr.wait_for(GENEROUS, |bytes| done(&log(bytes)).then_some(()));
        match found.is_ok() || stderr.wait_for_end(Duration::ZERO).is_ok() {
            true => Ok(()),
            false => Err(failure!("a run here did not get on:\n{}", self.said())),
        }
    }

    /// Waits until one more client has connected than was waited for before.
    fn wait_for_next_client(&mut self) -> Result<(), Failure> {
        self.clients += 1;
        let connected = |line: &&LogLine| matches!(line.event(), Event::Connected(_));
        self.wait_for_log(|log| log.iter().filter(connected).count() >= self.clients)
    }

    /// As [`wait_for_next_client`](Running::wait_for_next_client), and until it has
    /// left. Without connections there is nothing to wait for: a datagram is logged
    /// before its reply is sent.
    fn wait_until_next_client_has_left(&mut self, rung: &Rung) -> Result<(), Failure> {
        if rung.speaks().transport() == Transport::Udp {
            return Ok(());
        }
        self.wait_for_next_client()?;
        self.wait_for_log(|log| {
            let last = log.iter().fold(None, |here, line| match line.event() {
                Event::Connected(peer) => Some(peer),
                Event::Left(peer, _) if here == Some(peer) => None,
                _ => here,
            });
            last.is_none()
        })
    }

    /// Its sockets are closed once it has been waited for.
    fn wait_for_end(&self) -> Result<(), Failure> {
        self.process.wait_for_end(GENEROUS).map(drop)
    }

    /// What it has printed, and then what it has logged, without the times.
    fn said(&self) -> String {
        said(&written(self.process.stdout()), &written(self.process.stderr()))
    }

    /// The same of a server, without the stop, and without what is chance: whether it has
    /// come to wait again when it is stopped, and, with several threads, the place of
    /// every such line.
    fn said_of_server(&self, one_at_a_time: bool) -> String {
        let mut stderr = written(self.process.stderr());
        let stopping = |line: &String| LogLine::parse(line).is_some_and(|line| tells_stop(&line));
        stderr.truncate(stderr.iter().position(stopping).unwrap_or(stderr.len()));
        let last = stderr.iter().rposition(|line| !line.ends_with(WAITING));
        stderr.truncate(last.map_or(0, |last| last + 1));
        if !one_at_a_time {
            stderr.retain(|line| !line.ends_with(WAITING));
        }
        said(&written(self.process.stdout()), &stderr)
    }
}

/// Whether a line is one of a stop, with which a transcript ends. The server says that it
/// stops after the act, so a client's end may be told before.
fn tells_stop(line: &LogLine) -> bool {
    line.message.starts_with(STOPPING) || line.message.contains(BY_STOP)
}

/// All whole lines, where it has ended; else those until now.
fn written(output: &Collected) -> Vec<String> {
    lines(&output.wait_for_end(QUICK).unwrap_or_else(|_| output.so_far()))
}

fn lines(bytes: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(bytes);
    let whole = text.split_inclusive('\n').filter_map(|line| line.strip_suffix('\n'));
    whole.map(|line| line.trim_end_matches('\r').to_string()).collect()
}

fn log(bytes: &[u8]) -> Vec<LogLine> {
    lines(bytes).iter().filter_map(|line| LogLine::parse(line)).collect()
}

fn said(stdout: &[String], stderr: &[String]) -> String {
    let logged = stderr.iter().map(|line| without_time(line));
    stdout.iter().map(String::as_str).chain(logged).map(|line| format!("{line}\n")).collect()
}

/// The text with [`DATE`] for every date of HTTP, and without how long a wait or a
/// response took.
fn timeless(text: &str) -> String {
    let mut shown = String::new();
    for line in text.lines() {
        let mut line = line.to_string();
        for (end, end_of_date) in line.clone().match_indices(" GMT") {
            let range =
                (end + end_of_date.len()).saturating_sub(DATE.len())..end + end_of_date.len();
            if line.get(range.clone()).is_some_and(|date| date.get(3..5) == Some(", ")) {
                line.replace_range(range, DATE);
            }
        }
        if let Some((before, rest)) = line.split_once(" - - [")
            && let Some((_, request)) = rest.split_once(']')
            && let Some((request, _took)) = request.rsplit_once(' ')
        {
            line = format!("{before} - - [{LOG_DATE}]{request}");
        }
        if line.contains(" no reply ")
            && let Some((before, _wait)) = line.rsplit_once(" within ")
        {
            // Chance is a part of it, so that clients do not all ask again at once.
            line = format!("{before} within TIME");
        }
        shown.push_str(&line);
        shown.push('\n');
    }
    shown
}

/// A log line without the time it starts with.
fn without_time(line: &str) -> &str {
    match (LogLine::parse(line), line.split_once(' ')) {
        (Some(_), Some((_, rest))) => rest,
        _ => line,
    }
}

/// Ports: the server's becomes `default`, the others are numbered as they appear.
fn normalised(text: &str, port: &str, default: &str) -> String {
    let mut shown = String::new();
    let mut others: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(start) =
        BEFORE_PORT.iter().filter_map(|words| Some(rest.find(words)? + words.len())).min()
    {
        let (before, after) = rest.split_at(start);
        let (found, after) =
            after.split_at(after.find(|c: char| !c.is_ascii_digit()).unwrap_or(after.len()));
        shown.push_str(before);
        if found == port {
            shown.push_str(default);
        } else if found == ANY_PORT {
            shown.push_str(found);
        } else if !found.is_empty() {
            let known = others.iter().position(|&other| other == found);
            let number = known.unwrap_or(others.len());
            if known.is_none() {
                others.push(found);
            }
            shown.push_str(&(FIRST_CLIENT_PORT + number).to_string());
        }
        rest = after;
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_ends_with_the_first_line_of_the_stop_whichever_that_is() {
        for (message, of_it) in [
            ("stopping; a second signal ends at once", true),
            ("127.0.0.1:50001 closed, because the server stops", true),
            ("127.0.0.1:50001 dropped: the server stops in the middle of a message", true),
            ("127.0.0.1:50001 closed", false),
        ] {
            let line = LogLine::parse(&format!("12:00:00.000000 info  {message}")).unwrap();
            assert_eq!(tells_stop(&line), of_it, "{message}");
        }
    }

    #[test]
    fn two_runs_of_one_session_read_the_same() {
        let run = |server: &str, a: &str, b: &str| {
            let text = format!(
                "listening on 127.0.0.1:{server}\n127.0.0.1:{a} connected\n127.0.0.1:{b} connected\n\
                 127.0.0.1:{a} closed\ncannot connect to 127.0.0.1:{server}: refused\n127.0.0.1 alone\n\
                 --port {b} --port N\n"
            );
            normalised(&text, server, "9090")
        };
        assert_eq!(run("40001", "33333", "44444"), run("555", "44444", "33333"));
        let wanted = "listening on 127.0.0.1:9090\n127.0.0.1:50001 connected\n127.0.0.1:50002 connected\n\
                      127.0.0.1:50001 closed\ncannot connect to 127.0.0.1:9090: refused\n127.0.0.1 alone\n\
                      --port 50002 --port N\n";
        assert_eq!(run("40001", "33333", "44444"), wanted);
    }

    #[test]
    fn the_time_of_a_log_line_is_left_out() {
        assert_eq!(without_time("11:33:51.000007 info  stopping"), "info  stopping");
        assert_eq!(without_time("error: cannot listen"), "error: cannot listen");
    }

    #[test]
    fn a_response_has_the_same_date_in_every_run() {
        let text = "sending \"HTTP/1.1 200 OK\\r\\nDate: Sun, 22 Nov 2026 12:02:08 GMT\\r\\n\"\n\
                    127.0.0.1 - - [22/Nov/2026:12:02:08 +0000] \"GET / HTTP/1.1\" 200 21 0.248ms\n\
                    Привет GMT\ninfo  no reply to try 1 within 1.2s\n";
        let wanted = "sending \"HTTP/1.1 200 OK\\r\\nDate: Sun, 06 Nov 1994 08:49:37 GMT\\r\\n\"\n\
                      127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.1\" 200 21\n\
                      Привет GMT\ninfo  no reply to try 1 within TIME\n";
        assert_eq!(timeless(text), wanted);
    }

    #[test]
    fn a_session_is_read_with_quotes_as_in_a_shell() {
        let script =
            Script::parse("server -v --idle 1s | client 'hello, world!' '' again | client")
                .unwrap();
        assert_eq!(script.server, ["-v", "--idle", "1s"]);
        let client = |args: &[&str], runs| Step::Program {
            role: "client".into(),
            args: args.iter().map(ToString::to_string).collect(),
            runs,
        };
        assert_eq!(script.steps[0], client(&["hello, world!", "", "again"], Runs::ToItsEnd));
        assert_eq!(script.steps[1], client(&[], Runs::ToItsEnd));
        let script = Script::parse("server | client & | timeout 2 client hello").unwrap();
        assert_eq!(script.steps[0], client(&[], Runs::InTheBackground));
        assert_eq!(script.steps[1], client(&["hello"], Runs::For(2)));
        assert_eq!(
            Script::parse("server | fault silent").unwrap().steps,
            [Step::Fault("silent".into())]
        );
        assert!(Script::parse("client | server").is_err());
        assert!(Script::parse("server | timeout long client").is_err());
    }
}
