//! Runs a rung's real server and clients and writes down what they print, the same for every run.
//!
//! Ports are chosen by the system and times pass; so a transcript shows the rung's default port, numbers the
//! clients' ports in order, and leaves the times out.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use super::items;
use crate::Failure;
use crate::ladder::{Ladder, Rung, cargo};

/// Ends a run that would otherwise hang; no correct one comes near it.
const GENEROUS: Duration = Duration::from_secs(60);

/// The first client of a transcript has this port, the next one the next.
const FIRST_CLIENT_PORT: usize = 50001;

/// What a server logs before it accepts.
const WAITING: &str = "waiting for a client";

/// What to run: the server's arguments, then one client after another.
pub struct Script {
    /// Arguments after `server`, beside the port.
    pub server: Vec<String>,
    /// The clients in order.
    pub clients: Vec<Client>,
}

/// One client of a [`Script`].
#[derive(Debug, PartialEq, Eq)]
pub struct Client {
    /// Arguments after `client`, beside the port.
    pub args: Vec<String>,
    /// How it runs.
    pub runs: Runs,
}

/// How a client runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Runs {
    /// To its end, before the next one starts.
    ToItsEnd,
    /// Until the session ends, with nothing to read and nobody to close its input: `client &`.
    InTheBackground,
    /// For so many seconds, since it would wait for ever: `timeout 1 client`.
    For(u64),
}

impl Script {
    /// The demo of the rung's metadata, with everything logged.
    pub fn demo(rung: &Rung) -> Script {
        let mut server = vec!["-v".to_string()];
        server.extend(rung.about.server_args.iter().cloned());
        let client = |args: &Vec<String>| Client { args: args.clone(), runs: Runs::ToItsEnd };
        Script { server, clients: rung.about.demo.iter().map(|run| client(&run.args)).collect() }
    }

    /// Reads `server ARGS | client ARGS | client ARGS & | timeout 1 client ARGS`, with quotes as in a shell.
    pub fn parse(text: &str) -> Result<Script, Failure> {
        let mut parts = text.split('|').map(shell_words);
        let wrong = || Failure::new("a session is: server ARGS | client ARGS | timeout SECONDS client ARGS");
        let server = match parts.next() {
            Some(words) if words.first().is_some_and(|role| role == "server") => words[1..].to_vec(),
            _ => return Err(wrong()),
        };
        let mut clients = Vec::new();
        for words in parts {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let (runs, args) = match words.as_slice() {
                ["client", args @ .., "&"] => (Runs::InTheBackground, args),
                ["client", args @ ..] => (Runs::ToItsEnd, args),
                ["timeout", seconds, "client", args @ ..] => {
                    (Runs::For(seconds.parse().map_err(|_| wrong())?), args)
                }
                _ => return Err(wrong()),
            };
            clients.push(Client { args: args.iter().map(ToString::to_string).collect(), runs });
        }
        Ok(Script { server, clients })
    }
}

/// Runs `script` against the real programs of `rung` and returns what they print, server first.
pub fn transcript(ladder: &Ladder, rung: &Rung, script: &Script) -> Result<String, Failure> {
    let program = build(ladder, rung)?;
    let mut server = Running::start(
        Command::new(&program).arg("server").args(["--port", "0"]).args(&script.server),
        &format!("{} server", rung.name),
    )?;
    let port = server.wait_for_port()?;
    let mut background = Vec::new();
    let mut shown = String::new();
    for Client { args, runs } in &script.clients {
        let mut client = Running::start(
            Command::new(&program).arg("client").args(["--port", &port]).args(args),
            &format!("{} client", rung.name),
        )?;
        let command = command_line(&rung.name, "client", args);
        match runs {
            Runs::ToItsEnd => {
                client.child.stdin.take();
                client.wait_for_end()?;
                server.wait_until_last_client_has_left()?;
                shown.push_str(&format!("\n$ {command}\n{}{}", lines(&client.stdout), lines(&client.stderr)));
            }
            Runs::InTheBackground => {
                background.push(client);
                server.wait_for_clients(background.len())?;
                shown.push_str(&format!("\n$ {command} &\n"));
            }
            Runs::For(seconds) => {
                client.gather_for(Duration::from_secs(*seconds));
                let said = format!("{}{}", lines(&client.stdout), lines(&client.stderr));
                shown.push_str(&format!(
                    "\n$ timeout {seconds} {command}\n{said}(nothing more within {seconds} s; given up)\n"
                ));
            }
        }
        if serves_one_client(rung) {
            server.wait_for_end()?;
        }
    }
    server.end();
    // Whether it has come to wait again when it is ended is chance, and with several threads so is the place.
    let last = server.stderr.iter().rposition(|line| !line.ends_with(WAITING)).map_or(0, |last| last + 1);
    server.stderr.truncate(last);
    if !serves_one_at_a_time(rung) {
        server.stderr.retain(|line| !line.ends_with(WAITING));
    }
    let command = command_line(&rung.name, "server", &script.server);
    let shown = format!("$ {command}\n{}{}{shown}", lines(&server.stdout), lines(&server.stderr));
    Ok(normalised(&shown, &port, &default_port(ladder, rung)?))
}

/// The server of this rung ends by itself, and whoever comes next must find it gone.
fn serves_one_client(rung: &Rung) -> bool {
    rung.about.limits.iter().any(|limit| limit.fault == "second-visit")
}

fn serves_one_at_a_time(rung: &Rung) -> bool {
    rung.about.limits.iter().any(|limit| limit.fault == "second-client")
}

fn build(ladder: &Ladder, rung: &Rung) -> Result<PathBuf, Failure> {
    let built = cargo()
        .args(["build", "--quiet", "--package", &rung.name])
        .current_dir(&ladder.root)
        .status()
        .map_err(|error| Failure::new(format!("cannot run cargo build: {error}")))?;
    if !built.success() {
        return Err(Failure::new(format!("{} does not build", rung.name)));
    }
    Ok(ladder.target.join("debug").join(format!("{}{}", rung.name, std::env::consts::EXE_SUFFIX)))
}

fn default_port(ladder: &Ladder, rung: &Rung) -> Result<String, Failure> {
    let path = ladder.root.join("crates").join(&rung.name).join("src/lib.rs");
    let source = fs::read_to_string(&path)
        .map_err(|error| Failure::new(format!("cannot read {}: {error}", path.display())))?;
    let item = items::without_docs(&items::find(&source, "const PORT")?);
    Ok(item.chars().skip_while(|&c| c != '=').filter(char::is_ascii_digit).collect())
}

/// A process whose lines are gathered, and which is ended when this is dropped.
struct Running {
    name: String,
    child: Child,
    lines: Receiver<(Source, String)>,
    stdout: Vec<String>,
    stderr: Vec<String>,
}

#[derive(Clone, Copy)]
enum Source {
    Stdout,
    Stderr,
}

impl Running {
    fn start(command: &mut Command, name: &str) -> Result<Running, Failure> {
        let mut child = command
            // The reader's own settings must not change what the page shows.
            .env_remove("RUST_LOG")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| Failure::new(format!("cannot start {name}: {error}")))?;
        let (sender, lines) = mpsc::channel();
        if let Some(stdout) = child.stdout.take() {
            gather(stdout, Source::Stdout, sender.clone());
        }
        if let Some(stderr) = child.stderr.take() {
            gather(stderr, Source::Stderr, sender);
        }
        Ok(Running { name: name.into(), child, lines, stdout: Vec::new(), stderr: Vec::new() })
    }

    /// Gathers lines until `done` says so or the process has closed its output.
    fn gather_until(&mut self, done: impl Fn(&Running) -> bool) -> Result<(), Failure> {
        match self.gather_within(GENEROUS, done) {
            true => Ok(()),
            false => Err(Failure::new(format!("{} did not get on: {}", self.name, lines(&self.stderr)))),
        }
    }

    /// As [`gather_until`](Running::gather_until); `false` when `limit` comes first.
    fn gather_within(&mut self, limit: Duration, done: impl Fn(&Running) -> bool) -> bool {
        let started = Instant::now();
        while !done(self) {
            match self.lines.recv_timeout(limit.saturating_sub(started.elapsed())) {
                Ok((Source::Stdout, line)) => self.stdout.push(line),
                Ok((Source::Stderr, line)) => self.stderr.push(without_time(&line).to_string()),
                Err(RecvTimeoutError::Disconnected) => return true,
                Err(RecvTimeoutError::Timeout) => return false,
            }
        }
        true
    }

    /// Gathers what a process says that is known to go on for ever.
    fn gather_for(&mut self, limit: Duration) {
        self.gather_within(limit, |_| false);
    }

    fn wait_for_port(&mut self) -> Result<String, Failure> {
        self.gather_until(|server| !server.stdout.is_empty())?;
        let port = self.stdout.first().and_then(|ready| port_at_end(ready));
        port.ok_or_else(|| Failure::new(format!("{} did not start: {}", self.name, lines(&self.stderr))))
    }

    /// Waits until so many clients have connected.
    fn wait_for_clients(&mut self, count: usize) -> Result<(), Failure> {
        self.gather_until(|server| {
            server.stderr.iter().filter(|line| line.ends_with(" connected")).count() >= count
        })
    }

    /// Waits until the client that connected last has left. Without connections there is nothing to wait for.
    fn wait_until_last_client_has_left(&mut self) -> Result<(), Failure> {
        self.gather_until(|server| {
            let log = &server.stderr;
            let last =
                log.iter().enumerate().filter_map(|(n, line)| Some((n, line.strip_suffix(" connected")?)));
            let Some((connected, peer)) = last.last() else { return true };
            // The level stands before the peer and may be another for the last word.
            let peer = peer.split_whitespace().last().unwrap_or(peer);
            let left = [format!("{peer} closed"), format!("{peer} dropped: ")];
            log[connected..].iter().any(|line| left.iter().any(|words| line.contains(words)))
        })
    }

    fn wait_for_end(&mut self) -> Result<(), Failure> {
        self.gather_until(|_| false)?;
        // Its output is closed; its sockets are too once it has been waited for.
        let _ = self.child.wait();
        Ok(())
    }

    /// Ends the process and gathers what it has written until then.
    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.gather_until(|_| false);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn gather(from: impl Read + Send + 'static, source: Source, to: Sender<(Source, String)>) {
    thread::spawn(move || {
        for line in BufReader::new(from).lines().map_while(Result::ok) {
            if to.send((source, line)).is_err() {
                return;
            }
        }
    });
}

fn lines(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

/// A log line without the time it starts with.
fn without_time(line: &str) -> &str {
    match line.split_once(' ') {
        Some((time, rest)) if time.len() == 15 && time.matches(':').count() == 2 => rest,
        _ => line,
    }
}

/// The port that a ready line ends with, as in `listening on 127.0.0.1:9090` or `at http://127.0.0.1:8000/`.
fn port_at_end(ready: &str) -> Option<String> {
    let port = ready.trim_end_matches('/').rsplit(':').next()?;
    port.parse::<u16>().ok().map(|port| port.to_string())
}

/// Ports on this machine's own address: the server's becomes `default`, the others are numbered as they appear.
fn normalised(text: &str, port: &str, default: &str) -> String {
    const HOST: &str = "127.0.0.1:";
    let mut parts = text.split(HOST);
    let mut shown = parts.next().unwrap_or_default().to_string();
    let mut clients: Vec<&str> = Vec::new();
    for part in parts {
        let (found, rest) = part.split_at(part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len()));
        shown.push_str(HOST);
        if found == port {
            shown.push_str(default);
        } else if !found.is_empty() {
            let known = clients.iter().position(|&client| client == found);
            let number = known.unwrap_or(clients.len());
            if known.is_none() {
                clients.push(found);
            }
            shown.push_str(&(FIRST_CLIENT_PORT + number).to_string());
        }
        shown.push_str(rest);
    }
    shown
}

fn command_line(program: &str, role: &str, args: &[String]) -> String {
    let mut line = format!("{program} {role}");
    for arg in args {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,".contains(c);
        line.push(' ');
        match !arg.is_empty() && arg.chars().all(plain) {
            true => line.push_str(arg),
            false => line.push_str(&format!("'{arg}'")),
        }
    }
    line
}

fn shell_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in text.split('\'').enumerate() {
        match index % 2 {
            0 => words.extend(part.split_whitespace().map(str::to_string)),
            _ => words.push(part.to_string()),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_runs_of_one_session_read_the_same() {
        let run = |server: &str, a: &str, b: &str| {
            let text = format!(
                "listening on 127.0.0.1:{server}\n127.0.0.1:{a} connected\n127.0.0.1:{b} connected\n\
                 127.0.0.1:{a} closed\ncannot connect to 127.0.0.1:{server}: refused\n127.0.0.1 alone\n"
            );
            normalised(&text, server, "9090")
        };
        assert_eq!(run("40001", "33333", "44444"), run("555", "44444", "33333"));
        let wanted = "listening on 127.0.0.1:9090\n127.0.0.1:50001 connected\n127.0.0.1:50002 connected\n\
                      127.0.0.1:50001 closed\ncannot connect to 127.0.0.1:9090: refused\n127.0.0.1 alone\n";
        assert_eq!(run("40001", "33333", "44444"), wanted);
    }

    #[test]
    fn the_time_of_a_log_line_is_left_out() {
        assert_eq!(without_time("11:33:51.000007 info  stopping"), "info  stopping");
        assert_eq!(without_time("error: cannot listen"), "error: cannot listen");
    }

    #[test]
    fn the_port_of_a_ready_line_is_found() {
        assert_eq!(port_at_end("listening on 127.0.0.1:9090").as_deref(), Some("9090"));
        assert_eq!(port_at_end("Serving /a/b at http://[::1]:8000/").as_deref(), Some("8000"));
        assert_eq!(port_at_end("listening"), None);
    }

    #[test]
    fn a_session_is_read_with_quotes_as_in_a_shell() {
        let script = Script::parse("server -v --idle 1s | client 'hello, world!' '' again | client").unwrap();
        assert_eq!(script.server, ["-v", "--idle", "1s"]);
        let words = |args: &[&str]| args.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(script.clients[0].args, words(&["hello, world!", "", "again"]));
        assert_eq!(script.clients[1], Client { args: vec![], runs: Runs::ToItsEnd });
        assert!(Script::parse("client | server").is_err());
    }

    #[test]
    fn a_client_of_a_session_may_stay_or_be_given_up() {
        let script = Script::parse("server | client & | timeout 2 client hello").unwrap();
        assert_eq!(script.clients[0], Client { args: vec![], runs: Runs::InTheBackground });
        assert_eq!(script.clients[1], Client { args: vec!["hello".into()], runs: Runs::For(2) });
        assert!(Script::parse("server | timeout long client").is_err());
    }

    #[test]
    fn a_command_is_shown_so_that_it_can_be_pasted() {
        let args = ["-v", "hello, world!", ""].map(String::from);
        assert_eq!(command_line("udp-echo", "client", &args), "udp-echo client -v 'hello, world!' ''");
    }
}
