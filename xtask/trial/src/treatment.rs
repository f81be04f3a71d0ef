//! What is done to the process of a server, and not by a peer: how it starts, how it
//! stops, what it runs out of.

use std::io::Write;
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use ladder::log_line::{Event, LogLine};
use ladder::manifests::Carrier;
use ladder::{Address, Failure, port};
use netfault::{Fault, Transport, Treatment, connection};

use crate::faults::{self, Faults};
use crate::outcome::{Ended, GENEROUS, Outcome, badly, ordinary_client, seconds, usual_run};
use crate::stage::{self, Cast, PlayerId, Stage, Start};
use crate::timeline::Side;

/// How long a stop may take while nobody is there: 200 ms on a machine that has nothing
/// else to do, and several seconds on one that has much.
const AT_ONCE: Duration = Duration::from_secs(10);

/// How long a stop may take with clients connected.
const DRAINED: Duration = Duration::from_secs(15);

/// Descriptors of a server that has too few: enough to start, and no more.
const FEW_DESCRIPTORS: u32 = 40;

/// Threads of a server that has too few: enough to start, and for the client that comes
/// when one before it is still being closed.
const FEW_THREADS: u32 = 6;

const SHORTAGE: Duration = Duration::from_secs(1);

/// Attempts to accept that a server may make meanwhile. One that spins makes thousands.
const ATTEMPTS: usize = 100;

/// Ports that are tried before a server is held to be unable to start.
const STARTS: usize = 10;

/// Lines and their bytes: 36 MiB, which no buffers on the way hold. Linux lets those of a
/// connection grow to some 20 MiB in all. A client that sends its lines one by one waits
/// for each; one that sends them together has a message of all.
const LINES: usize = 3;
const LINE: usize = 12 << 20;

/// How long a server has to answer what it has received.
const HANDING_OVER: Duration = Duration::from_secs(1);

/// How long a server has to close what it has open.
const CLOSING: Duration = Duration::from_millis(100);

/// Between two stops, so that the second one is meant as one.
const IMPATIENCE: Duration = Duration::from_secs(1);

/// The exit code of a server that a second stop has ended.
const INTERRUPTED_TWICE: i32 = 130;

/// The programs that set a limit, as they begin what they complain of.
const LIMITERS: [&str; 2] = ["prlimit: ", "unshare: "];

/// How a rung says that a port is taken.
const IN_USE: &str = "address already in use";

pub fn play(cast: Cast, fault: &Fault, what: Treatment) -> Result<Outcome, Failure> {
    let signals =
        [Treatment::Stop, Treatment::Restart, Treatment::StopWithReplies, Treatment::DeafLog];
    if cfg!(windows) && signals.contains(&what) {
        return Err(Failure::Skipped("there are no signals to send to another process".into()));
    }
    if cfg!(windows) && matches!(what, Treatment::FewDescriptors | Treatment::LowPort) {
        return Err(Failure::Skipped("there is no such thing on this system".into()));
    }
    if cfg!(not(target_os = "linux")) && what == Treatment::FewThreads {
        return Err(Failure::Skipped("threads of one process are limited on Linux alone".into()));
    }
    let becomes_another = matches!(what, Treatment::FewThreads | Treatment::LowPort);
    if becomes_another && cast.rung.has_tokens() && stage::can_be_another_user() {
        // Whom root becomes for these may not read them.
        return Err(Failure::Skipped("its tokens are its owner's alone".into()));
    }
    let played = match what {
        Treatment::FewDescriptors => shortage(cast, fault, Start::WithDescriptors(FEW_DESCRIPTORS)),
        Treatment::FewThreads => shortage(cast, fault, Start::WithThreads(FEW_THREADS)),
        Treatment::Stop => stop(cast, fault),
        Treatment::Restart => restart(cast),
        Treatment::StopWithReplies => stop_with_replies(cast, fault),
        Treatment::DeafLog => deaf_log(cast, fault),
        Treatment::BigMessage => big_message(cast),
        Treatment::PortTaken => {
            let (_stage, _, address) = Stage::with_server(cast)?;
            cannot_start(cast, &address, Start::Plain, IN_USE)
        }
        Treatment::LowPort => {
            let low = match is_on_a_file(cast) {
                true => Address::Unix("/netladder.sock".into()),
                false => Address::port(1),
            };
            cannot_start(cast, &low, Start::WithoutPrivileges, "permission denied")
        }
        Treatment::BadHost if is_on_a_file(cast) => {
            let nowhere = Address::Unix("/no/such/folder/netladder.sock".into());
            cannot_start(cast, &nowhere, Start::Plain, "No such file or directory")
        }
        Treatment::BadHost => {
            let host = ["--bind", "no such host"].map(String::from);
            let cast = Cast { args: &[cast.args, &host].concat(), ..cast };
            cannot_start(cast, &Address::port(0), Start::Plain, "cannot find the host")
        }
        Treatment::AnotherUser => another_user(cast),
        Treatment::Killed => killed(cast),
    };
    let mut outcome = Outcome::of(played)?;
    outcome.recovered = match what {
        Treatment::FewDescriptors | Treatment::FewThreads if !cast.rung.serves_once() => {
            Some(outcome.survived)
        }
        Treatment::Restart if outcome.survived => Some(true),
        _ => None,
    };
    Ok(outcome)
}

/// A crowd takes all descriptors, or threads. When it leaves, the next client is served.
fn shortage(cast: Cast, fault: &Fault, few: Start) -> Result<String, Ended> {
    let rung = cast.rung;
    let mut stage = Stage::new();
    let free = stage.free_address(rung)?;
    // Whoever is counted alone is another user.
    stage.open_to_everybody()?;
    let (server, address) = match (stage.try_server(cast, &free, few), few) {
        (Err(failure), Start::WithThreads(_)) => {
            return Err(Failure::Skipped(failure.to_string()).into());
        }
        (started, _) => started?,
    };
    let Some(address) = address else {
        let why = wrote(&stage, server);
        return match LIMITERS.iter().any(|it| why.starts_with(it)) {
            true => Err(Failure::Skipped(why).into()),
            false => badly(format!("it does not start with so few: {why}")),
        };
    };
    let crowd = faults::start(rung, fault, &address)?;
    let came = crowd.peers().len();
    // The pause is the fault itself: a server that spins has time to show it.
    thread::sleep(SHORTAGE);
    drop(crowd);
    // Until the server has seen them go, it may refuse others.
    stage.wait_for_so_many(server, came, |event| matches!(event, Event::Left(..)));
    let served = ordinary_client(&mut stage, cast, &address);
    let ended = if stage.is_over(server) { "; the server had ended" } else { "" };
    stage.ask_to_stop(server);
    let code = stage.exit_code(server)?;
    let failed = |line: &&LogLine| line.message.starts_with("cannot accept for now");
    let attempts = stage.logged(Side::Server).filter(failed).count();
    match served {
        Err(Ended::Badly(story)) => badly(format!("{story}{ended}")),
        Err(unplayed) => Err(unplayed),
        Ok(_) if attempts > ATTEMPTS => {
            badly(format!("it tried to accept {attempts} times while it could not"))
        }
        // Who leaves a stop to the system is ended by it.
        Ok(_) if !matches!(code, Some(0) | None) => {
            badly(format!("it ended with {code:?} afterwards"))
        }
        Ok(_) => Ok(format!("an ordinary client was served when {came} others had left")),
    }
}

/// SIGTERM: exit code 0 in time, and nobody listens any more.
fn stop(cast: Cast, fault: &Fault) -> Result<String, Ended> {
    let rung = cast.rung;
    let (mut stage, server, address) = Stage::with_server(cast)?;
    let clients = faults::start(rung, fault, &address)?;
    let limit = if clients.peers().is_empty() { AT_ONCE } else { DRAINED };
    let (code, took) = stop_server(&mut stage, server)?;
    let listens = rung.speaks().transport() == Transport::Tcp && connection(&address).is_ok();
    match (code, listens) {
        (Some(0), false) if took <= limit => Ok("it ended in time with exit code 0".into()),
        (Some(0), false) => badly(format!("it took {} to end", seconds(took))),
        (Some(0), true) => badly("it ended, and somebody still listens"),
        (Some(code), _) => badly(format!("it ended with exit code {code}")),
        (None, _) => badly("the signal ended it in the middle of whatever it did"),
    }
}

/// SIGTERM, with replies on their way that nobody has read: all that was handed over
/// arrives, and then the end of the stream.
fn stop_with_replies(cast: Cast, fault: &Fault) -> Result<String, Ended> {
    let (mut stage, server, address) = Stage::with_server(cast)?;
    let client = faults::start(cast.rung, fault, &address)?;
    // A server that logs nothing of the kind is one whose replies are not counted.
    stage.wait_for_so_many(server, 1, |event| matches!(event, Event::Sending(..)));
    thread::sleep(HANDING_OVER);
    stage.ask_to_stop(server);
    // The pause is the fault itself: the client speaks when the server has had time to close.
    thread::sleep(CLOSING);
    let heard = client.hear_the_end();
    drop(client);
    let code = stage.exit_code(server)?;
    let handed_over: usize = stage.logged(Side::Server).filter_map(sent).sum();
    match (heard, code) {
        (Err(what), _) => badly(format!("its client {what}, of {handed_over}")),
        (Ok(heard), _) if heard < handed_over => {
            badly(format!("its client got {heard} bytes of {handed_over}"))
        }
        (Ok(heard), Some(0)) => Ok(format!("its client got all {heard} bytes and then the end")),
        (Ok(_), code) => badly(format!("it ended with {code:?}")),
    }
}

/// The bytes that a line says are being sent.
fn sent(line: &LogLine) -> Option<usize> {
    match line.event() {
        Event::Sending(_, rest) => rest.split(' ').nth(1)?.parse().ok(),
        _ => None,
    }
}

/// Visits with nobody who reads the log; then a stop while all is calm, and one with
/// work in hand that a second one cuts.
fn deaf_log(cast: Cast, fault: &Fault) -> Result<String, Ended> {
    let rung = cast.rung;
    for busy in [false, true] {
        let mut stage = Stage::new();
        let free = stage.free_address(rung)?;
        let (server, Some(address)) = stage.try_server(cast, &free, Start::Unread)? else {
            return badly("it does not start");
        };
        let visits = faults::start(rung, fault, &address)?;
        if let Err(story) = visits.verdict() {
            return badly(format!("a client {story}"));
        }
        ordinary_client(&mut stage, cast, &address)?;
        let deaf = match netfault::find("never-reads") {
            Some(fault) if busy && fault.is_for(rung.speaks()) => {
                Some(faults::start(rung, fault, &address)?)
            }
            _ => None,
        };
        if deaf.is_some() {
            stage.ask_to_stop(server);
            // Two signals of one moment are one; a person takes longer.
            thread::sleep(IMPATIENCE);
        }
        let (code, took) = stop_server(&mut stage, server)?;
        if !matches!(code, Some(0 | INTERRUPTED_TWICE)) || took > DRAINED {
            return badly(format!("it ended after {} with {}", seconds(took), told(code)));
        }
    }
    Ok("it served on and ended in time".into())
}

/// The rung's own client sends a large message, from its standard input.
fn big_message(cast: Cast) -> Result<String, Ended> {
    let line = "0123456789abcdef".repeat(LINE / 16);
    let input = format!("{line}\n").repeat(LINES).into_bytes();
    let (mut stage, _, address) = Stage::with_server(cast)?;
    let client = Cast { args: cast.rung.client_args(), ..cast };
    let client = stage.start(Side::Client, client, &address, Start::Plain, Stdio::piped())?;
    let mut keyboard = stage.keyboard(client)?;
    // It ends when the client has read all or has ended itself.
    thread::spawn(move || keyboard.write_all(&input));
    let visit = stage.watch(client, GENEROUS)?;
    let is_whole = visit.printed.len() == LINES && visit.printed.iter().all(|one| *one == line);
    match visit.code {
        Some(0) if is_whole => Ok(format!("it came back whole after {}", seconds(visit.took))),
        None => badly("its client and the server waited for each other"),
        code => badly(format!("its client ended with {}", told(code))),
    }
}

/// A stop with a client connected leaves the port in TIME_WAIT. The same port again, at
/// once.
fn restart(cast: Cast) -> Result<String, Ended> {
    let rung = cast.rung;
    let mut stage = Stage::new();
    let mut attempts = 1;
    let (server, address) = loop {
        let place = match is_on_a_file(cast) {
            true => stage.free_address(rung)?,
            false => Address::port(port::lasting()?),
        };
        match stage.try_server(cast, &place, Start::Plain)? {
            (server, Some(address)) => break (server, address),
            // Somebody has taken the port between our look and the server's.
            (server, None) if attempts < STARTS && wrote(&stage, server).contains(IN_USE) => {
                attempts += 1
            }
            (server, None) => {
                return badly(format!("it does not start: {}", wrote(&stage, server)));
            }
        }
    };
    let client = (rung.speaks().transport() == Transport::Tcp).then(|| connection(&address));
    if client.is_some() {
        stage.wait_for_so_many(server, 1, |event| matches!(event, Event::Connected(_)));
    }
    stop_server(&mut stage, server)?;
    // The server has closed first; now the client does.
    drop(client);
    start_again(&mut stage, cast, &address)?;
    Ok("the second one listens at once, and an ordinary client was served".into())
}

/// A client of nobody who owns anything, and one of ours: the file lets in the one of its
/// owner.
fn another_user(cast: Cast) -> Result<String, Ended> {
    let run = usual_run(cast.rung)?;
    if !stage::can_be_another_user() {
        return Err(Failure::Skipped("only root can be another user".into()).into());
    }
    let (mut stage, _, address) = Stage::with_server(cast)?;
    ordinary_client(&mut stage, cast, &address)?;
    // The folder of the stage is closed to others, and whether the file is, is the matter.
    stage.open_to_everybody()?;
    let other = Cast { args: &run.args, ..cast };
    let start = Start::WithoutPrivileges;
    let other = stage.start(Side::Client, other, &address, start, Stdio::null())?;
    let other = stage.watch(other, GENEROUS)?;
    if other.code == Some(0) {
        return badly("it served another user as it does its own");
    }
    let said = other.complaint.unwrap_or_default();
    let reason = said.rsplit_once(": ").map_or(said.as_str(), |(_, reason)| reason);
    Ok(format!("its own user was served, and the other one not: {reason}"))
}

/// SIGKILL, which leaves everything as it is; then a start at the same place.
fn killed(cast: Cast) -> Result<String, Ended> {
    let (mut stage, server, address) = Stage::with_server(cast)?;
    stage.kill(server);
    start_again(&mut stage, cast, &address)?;
    Ok("the second one takes its place, and a client was served".into())
}

/// A second server at the same place, and an ordinary client of it.
fn start_again(stage: &mut Stage, cast: Cast, at: &Address) -> Result<(), Ended> {
    let (again, address) = stage.try_server(cast, at, Start::Plain)?;
    match address {
        Some(address) => ordinary_client(stage, cast, &address).map(drop),
        None => badly(format!("it does not start again: {}", wrote(stage, again))),
    }
}

fn is_on_a_file(cast: Cast) -> bool {
    cast.rung.transport == Carrier::Unix
}

/// The first thing that a server says which is not of its log: why it does not start.
fn wrote(stage: &Stage, server: PlayerId) -> String {
    stage.wrote(server).first().cloned().unwrap_or_default()
}

fn told(code: Option<i32>) -> String {
    code.map_or("no exit code".into(), |code| format!("exit code {code}"))
}

fn stop_server(stage: &mut Stage, server: PlayerId) -> Result<(Option<i32>, Duration), Failure> {
    let started = Instant::now();
    stage.ask_to_stop(server);
    let code = stage.exit_code(server)?;
    Ok((code, started.elapsed()))
}

/// A start that must fail: one line that names `reason`, one hint, and exit code 1.
fn cannot_start(cast: Cast, at: &Address, start: Start, reason: &str) -> Result<String, Ended> {
    let mut stage = Stage::new();
    let (server, address) = stage.try_server(cast, at, start).map_err(|failure| match start {
        Start::WithoutPrivileges => Failure::Skipped(failure.to_string()),
        _ => failure,
    })?;
    if address.is_some() && start == Start::WithoutPrivileges {
        return Err(Failure::Skipped("it needs no privileges here".into()).into());
    }
    if address.is_some() {
        return badly("it started all the same");
    }
    let code = stage.exit_code(server)?;
    match (code, stage.wrote(server)) {
        (Some(1), [error, hint])
            if error.starts_with("error: ")
                && error.contains(reason)
                && hint.starts_with("hint: ") =>
        {
            Ok(format!("it says so: {error}"))
        }
        (code, wrote) => {
            badly(format!("it ends with {} and these words: {}", told(code), wrote.join("; ")))
        }
    }
}
