//! Runs a rung's real server and clients and writes down what they print, the same for
//! every run.
//!
//! Ports are chosen by the system and times pass; so a transcript shows the rung's
//! default port, numbers the clients' ports in order, leaves the times of the log out,
//! and has one date for all.

use std::process::Stdio;
use std::time::Duration;

use ladder::files::read;
use ladder::log_line::Event;
use ladder::manifests::ClientRun;
use ladder::process::GENEROUS;
use ladder::shell::{command_line, words};
use ladder::{Address, Failure, Ladder, Rung, failure};
use netfault::Transport;
use trial::stage::{PlayerId, Start};
use trial::timeline::{Side, What};
use trial::{Cast, Faults, Stage, faults};

use crate::items;
use crate::pattern::replaced;

/// The folder of a rung's certificates, on a page.
const CERTS: &str = "certs";

/// The folder in which the demos have their files, from that of a manifest.
const TARGET: &str = "../../target/";

/// What a hint tells to ask for. It is no port of anybody.
const ANY_PORT: &str = "0";

/// The first client of a transcript has this port, the next one the next.
const FIRST_CLIENT_PORT: usize = 50001;

/// Everybody is this user in a transcript, and the first of its processes has this number.
const USER: &str = "1000";
const FIRST_PROCESS: usize = 4711;

/// The file that a person gets who names none.
const FILE: &str = "echo.sock";

/// The example of RFC 9110 section 5.6.7, which stands for every date.
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";

/// The same in an access log.
const LOG_DATE: &str = "06/Nov/1994:08:49:37 +0000";

/// What a server logs before it accepts.
const WAITING: &str = "waiting for a client";

/// What to run: a server, then one step after another.
pub struct Script {
    /// Arguments after `server`, beside the port.
    pub server: Vec<String>,
    pub steps: Vec<Step>,
}

#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Program {
        /// For the server, a second one on the same port.
        side: Side,
        /// Arguments after the role, beside the port.
        args: Vec<String>,
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
    /// Until the session ends, with its input open: `client &`.
    InTheBackground,
    /// For so many seconds, since it would wait for ever: `timeout 1 client`.
    For(u64),
}

impl Script {
    /// The demo of the rung's metadata, with everything logged.
    pub fn demo(rung: &Rung) -> Script {
        let mut server = vec!["-v".to_string()];
        server.extend(rung.server_args.iter().cloned());
        let (side, runs) = (Side::Client, Runs::ToItsEnd);
        let client = |run: &ClientRun| Step::Program { side, args: run.args.clone(), runs };
        Script { server, steps: rung.demo.iter().map(client).collect() }
    }

    /// Reads `server ARGS | STEP | STEP`, with quotes as in a shell. A step is `client
    /// ARGS`, `client ARGS &`, `timeout SECONDS client ARGS`, `server ARGS` or
    /// `fault NAME`. [`CERTS`] is this folder.
    pub fn parse(text: &str, certs: &str) -> Result<Script, Failure> {
        let with_certs = |word: String| match word.strip_prefix(CERTS) {
            Some(within) if within.is_empty() || within.starts_with('/') => {
                format!("{certs}{within}")
            }
            _ => word,
        };
        let mut parts =
            text.split('|').map(|part| words(part).into_iter().map(with_certs).collect::<Vec<_>>());
        let wrong = || Failure::new("a session is: server ARGS | client ARGS | fault NAME");
        let mut server = parts.next().unwrap_or_default();
        if server.first().is_none_or(|role| role != "server") {
            return Err(wrong());
        }
        server.remove(0);
        let program = |side, runs, args: &[&str]| {
            let args = args.iter().map(ToString::to_string).collect();
            Ok(Step::Program { side, args, runs })
        };
        let step = |words: Vec<String>| {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match words.as_slice() {
                ["fault", name] => Ok(Step::Fault(name.to_string())),
                ["client", args @ .., "&"] => program(Side::Client, Runs::InTheBackground, args),
                ["client", args @ ..] => program(Side::Client, Runs::ToItsEnd, args),
                ["server", args @ ..] => program(Side::Server, Runs::ToItsEnd, args),
                ["timeout", seconds, "client", args @ ..] => {
                    let seconds = seconds.parse().map_err(|_| wrong())?;
                    program(Side::Client, Runs::For(seconds), args)
                }
                _ => Err(wrong()),
            }
        };
        Ok(Script { server, steps: parts.map(step).collect::<Result<_, _>>()? })
    }
}

/// What the real programs of `rung` print when `script` is played, server first.
pub fn transcript(ladder: &Ladder, rung: &Rung, script: &Script) -> Result<String, Failure> {
    let cast = |args| Cast { ladder, rung, args };
    let mut stage = Stage::new();
    stage.verbose = false;
    let (server, listening) = stage.start_server(cast(&script.server))?;
    // A bad network in between, where the clients of the steps that follow find the server.
    let mut network: Option<netfault::Running> = None;
    let (mut clients, mut staying) = (0, 0);
    let mut steps = String::new();
    for step in &script.steps {
        let (side, args, runs) = match step {
            Step::Program { side, args, runs } => (*side, args, runs),
            Step::Fault(name) => {
                let fault = faults::find(name)?;
                let running = faults::start(rung, fault, &listening)?;
                if *running.address() == listening {
                    clients += 1;
                    wait_until_gone(&mut stage, server, rung, (clients, staying))?;
                }
                steps.push_str(&format!("\n# {name}: {}\n", fault.about));
                network = Some(running).filter(|running| *running.address() != listening);
                continue;
            }
        };
        let place = network.as_ref().map(netfault::Running::address);
        let shown = place.map(|place| format!(" {}", place.option().join(" ")));
        let shown = shown.unwrap_or_default();
        let command = command_line(&format!("{} {}{shown}", rung.name, side.role()), args);
        // Nobody types anything: the end of its input comes at once, or never.
        let stdin = if *runs == Runs::InTheBackground { Stdio::piped() } else { Stdio::null() };
        let one =
            stage.start(side, cast(args), place.unwrap_or(&listening), Start::Plain, stdin)?;
        match runs {
            Runs::ToItsEnd => {
                wait_for_end(&mut stage, one)?;
                if side == Side::Client {
                    clients += 1;
                    wait_until_gone(&mut stage, server, rung, (clients, staying))?;
                }
                steps.push_str(&format!("\n$ {command}\n{}", said(&stage, one)));
            }
            Runs::InTheBackground => {
                (clients, staying) = (clients + 1, staying + 1);
                wait(&mut stage, server, |stage| connected(stage) >= clients)?;
                steps.push_str(&format!("\n$ {command} &\n"));
            }
            Runs::For(seconds) => {
                stage.wait(Duration::from_secs(*seconds), |stage| stage.is_over(one));
                let said = said(&stage, one);
                stage.ask_to_stop(one);
                wait_for_end(&mut stage, one)?;
                let told = format!("(nothing more within {seconds} s; given up)");
                steps.push_str(&format!("\n$ timeout {seconds} {command}\n{said}{told}\n"));
            }
        }
        if rung.serves_once() && side == Side::Client {
            // Whoever comes next must find it gone.
            wait_for_end(&mut stage, server)?;
        }
    }
    stage.ask_to_stop(server);
    wait_for_end(&mut stage, server)?;
    let command = command_line(&format!("{} server", rung.name), &script.server);
    let one_at_a_time = rung.limits.iter().any(|limit| limit.fault == "second-client");
    let shown = format!("$ {command}\n{}{steps}", said_of_server(&stage, server, one_at_a_time));
    // A page has a folder for its certificates that anybody has, and a file that is made for
    // the demo is in the folder that a person is in.
    let shown = shown.replace(certs_of(rung), CERTS).replace(TARGET, "");
    timeless(&match &listening {
        Address::Inet(address) => {
            let library = read(&rung.folder.join("src/lib.rs"))?;
            let port = items::default_port(&library).unwrap_or_default();
            normalised(&shown, &address.port().to_string(), port)
        }
        Address::Unix(path) => without_users(&shown.replace(&path.display().to_string(), FILE)),
    }?)
}

/// The folder of its certificates, as it is told to the rung.
pub fn certs_of(rung: &Rung) -> &str {
    rung.certs.first().map_or(CERTS, String::as_str)
}

/// Waits until the server is as `done` says, or ends.
fn wait(stage: &mut Stage, server: PlayerId, done: impl Fn(&Stage) -> bool) -> Result<(), Failure> {
    match stage.wait(GENEROUS, |stage| stage.is_over(server) || done(stage)) {
        true => Ok(()),
        false => Err(failure!("a run here did not get on:\n{}", said(stage, server))),
    }
}

/// Its sockets are closed once it has been waited for.
fn wait_for_end(stage: &mut Stage, player: PlayerId) -> Result<(), Failure> {
    wait(stage, player, |_| false)?;
    stage.exit_code(player).map(drop)
}

fn connected(stage: &Stage) -> usize {
    stage.count(Side::Server, |event| matches!(event, Event::Connected(_)))
}

/// Waits until so many clients have come, the last of them has left, and no more are there than
/// stay. Without connections there is nothing to wait for: a datagram is logged before its
/// reply is sent.
fn wait_until_gone(
    stage: &mut Stage,
    server: PlayerId,
    rung: &Rung,
    (clients, staying): (usize, usize),
) -> Result<(), Failure> {
    if rung.speaks().transport() == Transport::Udp {
        return Ok(());
    }
    wait(stage, server, |stage| {
        let (mut here, mut last) = (Vec::new(), None);
        for line in stage.logged(Side::Server) {
            match line.event() {
                Event::Connected(peer) => {
                    here.push(peer);
                    last = Some(peer);
                }
                Event::Left(peer, _) => here.retain(|other| *other != peer),
                _ => {}
            }
        }
        let has_left = last.is_some_and(|last| !here.contains(&last));
        connected(stage) >= clients && has_left && here.len() <= staying
    })
}

/// What a program has printed, and then what it has logged, without the times.
fn said(stage: &Stage, player: PlayerId) -> String {
    let printed = stage.printed(player).iter().map(String::as_str);
    printed.chain(stage.told(player).map(What::text)).map(|line| format!("{line}\n")).collect()
}

/// The same of a server, without the stop, and without what is chance: whether it has
/// come to wait again when it is stopped, and, with several threads, the place of
/// every such line, and whether who leaves is told of before who comes or leaves next.
fn said_of_server(stage: &Stage, server: PlayerId, one_at_a_time: bool) -> String {
    let mut told: Vec<&What> = stage.told(server).filter(|what| !tells_stop(what)).collect();
    if !one_at_a_time {
        // First, as one may stand between two that are to change places.
        told.retain(|what| !what.text().ends_with(WAITING));
        in_order(&mut told);
    }
    let mut told: Vec<&str> = told.into_iter().map(What::text).collect();
    let last = told.iter().rposition(|line| !line.ends_with(WAITING));
    told.truncate(last.map_or(0, |last| last + 1));
    let printed = stage.printed(server).iter().map(String::as_str);
    printed.chain(told).map(|line| format!("{line}\n")).collect()
}

/// Who has left by itself has done so when it had nothing more to say, whenever its thread
/// tells that.
fn in_order(told: &mut [&What]) {
    for place in 1..told.len() {
        let Event::Left(peer, "closed") = told[place].event() else { continue };
        let before = told[..place].iter().rev();
        let is_of_another = |what: &&&What| what.event().peer().is_some_and(|it| it != peer);
        let others = before.take_while(is_of_another).count();
        told[place - others..=place].rotate_right(1);
    }
    for place in 1..told.len() {
        if let (Event::Connected(comes), Event::Left(leaves, _)) =
            (told[place - 1].event(), told[place].event())
            && comes != leaves
        {
            told.swap(place - 1, place);
        }
    }
}

/// Whether a line is one of the stop that ends every transcript. The end of a client that has
/// left before may be told after it.
fn tells_stop(what: &What) -> bool {
    let What::Logged(line) = what else { return false };
    line.message.starts_with("stopping; ") || line.message.contains("the server stops")
}

/// The text with [`DATE`] for every date of HTTP, and without how long anything took.
fn timeless(text: &str) -> Result<String, Failure> {
    let text = replaced(text, r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} GMT", |_| DATE.into())?;
    // Cut short, where a status line was long.
    let text = replaced(&text, r#"(\\nDate: )([^"\\]{0,28})""#, |found| {
        format!("{}{}\"", &found[1], &DATE[..found[2].len()])
    })?;
    let text = replaced(&text, r"(?m) - - \[[^\]]*\](.*) \S+$", |found| {
        format!(" - - [{LOG_DATE}]{}", &found[1])
    })?;
    // Chance is a part of a wait, so that clients do not all ask again at once.
    let wait = r"(?m)( no reply .* within |; asking again.* in ).*$";
    replaced(&text, wait, |found| format!("{}TIME", &found[1]))
}

/// Ports: the server's becomes `default`, the others are numbered as they appear.
fn normalised(text: &str, port: &str, default: &str) -> Result<String, Failure> {
    let mut others = Vec::new();
    replaced(text, r"(127\.0\.0\.1:|--port )(\d+)", |found| {
        let shown = match &found[2] {
            own if own == port => default.into(),
            ANY_PORT => ANY_PORT.into(),
            other => (FIRST_CLIENT_PORT + number(&mut others, other)).to_string(),
        };
        format!("{}{shown}", &found[1])
    })
}

/// Users and processes: everybody is one user, and processes are numbered as they appear.
fn without_users(text: &str) -> Result<String, Failure> {
    let mut processes = Vec::new();
    replaced(text, r"uid=\d+,pid=([^\s]*)", |found| {
        format!("uid={USER},pid={}", FIRST_PROCESS + number(&mut processes, &found[1]))
    })
}

/// Where a word stands among those that appeared so far.
fn number(known: &mut Vec<String>, word: &str) -> usize {
    known.iter().position(|other| other == word).unwrap_or_else(|| {
        known.push(word.into());
        known.len() - 1
    })
}

#[cfg(test)]
mod tests {
    use ladder::log_line::LogLine;

    use super::*;

    #[test]
    fn users_and_processes_are_the_same_in_every_run() {
        let text = "uid=0,pid=99 connected\nuid=0,pid=99 closed\nuid=0,pid=7,@00001 connected\n";
        let wanted = "uid=1000,pid=4711 connected\nuid=1000,pid=4711 closed\n\
                      uid=1000,pid=4712 connected\n";
        assert_eq!(without_users(text).unwrap(), wanted);
    }

    #[test]
    fn no_line_of_the_stop_is_in_a_transcript() {
        for (message, of_it) in [
            ("stopping; a second signal ends at once", true),
            ("127.0.0.1:50001 closed, because the server stops", true),
            ("127.0.0.1:50001 dropped: the server stops in the middle of a message", true),
            ("127.0.0.1:50001 closed", false),
        ] {
            let line = LogLine::parse(&format!("12:00:00.000000 info  {message}")).unwrap();
            assert_eq!(tells_stop(&What::Logged(line)), of_it, "{message}");
        }
    }

    #[test]
    fn whichever_of_two_threads_tells_its_end_first_the_transcript_is_the_same() {
        let line = |text: &str| {
            let text = format!("12:00:00.000000 info  127.0.0.1:{text}");
            What::Logged(LogLine::parse(&text).unwrap())
        };
        let wanted = ["1 connected", "1 closed", "2 connected", "2 closed"].map(line);
        for order in [[0, 1, 2, 3], [0, 2, 1, 3], [0, 2, 3, 1]] {
            let mut told = order.map(|at| &wanted[at]);
            in_order(&mut told);
            let texts = |told: &[&What]| told.iter().map(|it| it.text().into()).collect();
            let [told, wanted]: [Vec<String>; 2] = [texts(&told), texts(&wanted.each_ref())];
            assert_eq!(told, wanted, "{order:?}");
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
            normalised(&text, server, "9090").unwrap()
        };
        assert_eq!(run("40001", "33333", "44444"), run("555", "44444", "33333"));
        let wanted = "listening on 127.0.0.1:9090\n127.0.0.1:50001 connected\n127.0.0.1:50002 connected\n\
                      127.0.0.1:50001 closed\ncannot connect to 127.0.0.1:9090: refused\n127.0.0.1 alone\n\
                      --port 50002 --port N\n";
        assert_eq!(run("40001", "33333", "44444"), wanted);
    }

    #[test]
    fn a_response_has_the_same_date_in_every_run() {
        let text = "sending \"HTTP/1.1 200 OK\\r\\nDate: Sun, 22 Nov 2026 12:02:08 GMT\\r\\n\"\n\
                    127.0.0.1 - - [22/Nov/2026:12:02:08 +0000] \"GET / HTTP/1.1\" 200 21 0.248ms\n\
                    Привет GMT\ninfo  no reply to try 1 within 1.2s\n\"HTTP/1.1 503\\r\\nDate: Sun, 22 N\" and 9 more\nwarn  503; asking again in 173 ms\n";
        let wanted = "sending \"HTTP/1.1 200 OK\\r\\nDate: Sun, 06 Nov 1994 08:49:37 GMT\\r\\n\"\n\
                      127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.1\" 200 21\n\
                      Привет GMT\ninfo  no reply to try 1 within TIME\n\"HTTP/1.1 503\\r\\nDate: Sun, 06 N\" and 9 more\nwarn  503; asking again in TIME\n";
        assert_eq!(timeless(text).unwrap(), wanted);
    }

    #[test]
    fn a_session_is_read_with_quotes_as_in_a_shell() {
        let parse = |text| Script::parse(text, CERTS);
        let script =
            parse("server -v --idle 1s | client 'hello, world!' '' again | client").unwrap();
        assert_eq!(script.server, ["-v", "--idle", "1s"]);
        let client = |args: &[&str], runs| Step::Program {
            side: Side::Client,
            args: args.iter().map(ToString::to_string).collect(),
            runs,
        };
        assert_eq!(script.steps[0], client(&["hello, world!", "", "again"], Runs::ToItsEnd));
        assert_eq!(script.steps[1], client(&[], Runs::ToItsEnd));
        let script = parse("server | client & | timeout 2 client hello").unwrap();
        assert_eq!(script.steps[0], client(&[], Runs::InTheBackground));
        assert_eq!(script.steps[1], client(&["hello"], Runs::For(2)));
        assert_eq!(parse("server | fault silent").unwrap().steps, [Step::Fault("silent".into())]);
        assert!(parse("client | server").is_err());
        assert!(parse("server | timeout long client").is_err());
    }
}
