//! Each server under mixed faults and ordinary clients for a while: at the end it holds
//! no more descriptors, threads and memory than after a crowd and the first round.

#![forbid(unsafe_code)]

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use ladder::process::{Held, end_all_on_signals};
use ladder::{Address, Failure, Ladder, Rung, Screen, Tone, failure, workers};
use netfault::{Fault, Proof, Speaks, Transport, descriptors};
use trial::outcome::{Ended, ordinary_client};
use trial::{Cast, Faults, Stage, faults};

const AT_ONCE: usize = 4;

/// How long a server may take to be at rest again, once the last fault is over.
const REST: Duration = Duration::from_secs(20);

/// Clients that are there at once before the first round, as many as `http-server` has
/// places. What a server keeps for each place it has from then on: a worker, a buffer,
/// a larger table. Of hundreds of workers, each round would otherwise reach a few more.
const CROWD: usize = 512;

/// When one of the crowd is not answered for so long, all places are taken.
const NO_PLACE: Duration = Duration::from_secs(2);

/// The head and the content that each of the crowd sends to `http-server`: together
/// they fill a worker's buffer, which counts from when it is written to.
const HEAD: usize = 60 << 10;
const CONTENT: usize = 20 << 10;

/// Memory that may be left over: allocators keep some for the next client. A leak of a
/// few bytes for each client shows in a longer run. In KiB.
const SPARE: u64 = 8 << 10;

struct Soaked {
    first: Held,
    last: Held,
    faults: usize,
    clients: usize,
}

/// `soak SECONDS RUNG...`, as `cargo xtask faults --soak` has it.
fn main() -> ExitCode {
    Failure::exit_code(end_all_on_signals().and_then(|()| {
        descriptors::allow_many();
        let ladder = trial::load()?;
        let mut words = env::args().skip(1);
        let seconds = words.next().and_then(|word| word.parse().ok());
        let seconds = seconds.ok_or_else(|| Failure::Usage("soak SECONDS RUNG...".into()))?;
        let rungs: Vec<&Rung> = words.map(|name| ladder.rung(&name)).collect::<Result<_, _>>()?;
        run(&ladder, &rungs, Duration::from_secs(seconds), &Screen::new())
    }))
}

/// Soaks each of these rungs for so long, all at once.
fn run(ladder: &Ladder, rungs: &[&Rung], time: Duration, screen: &Screen) -> Result<(), Failure> {
    if !Path::new("/proc/self/fd").exists() {
        return Err(Failure::new(
            "what a process holds is read from /proc, which is only on Linux",
        ));
    }
    let rungs: Vec<&Rung> = rungs.iter().copied().filter(|rung| !rung.serves_once()).collect();
    ladder.build(&rungs.iter().map(|rung| rung.name.as_str()).collect::<Vec<_>>())?;
    // One that fails is told at the end, and does not keep the others from going on.
    let results = workers::share(rungs.len(), &rungs, |_, rung| Ok(soak(ladder, rung, time)))?;
    let head = ["rung", "descriptors", "threads", "memory (KiB)", "faults", "clients"];
    let (mut rows, mut wrong) = (vec![head.map(String::from).to_vec()], Vec::new());
    for (Rung { name, .. }, result) in rungs.into_iter().zip(results) {
        match result {
            Ok(Soaked { first, last, faults, clients }) => {
                if !is_no_more(last, first) {
                    wrong.push(format!("{name}: it holds more than after the first round"));
                }
                rows.push(vec![
                    name.clone(),
                    format!("{} -> {}", first.descriptors, last.descriptors),
                    format!("{} -> {}", first.threads, last.threads),
                    format!("{} -> {}", first.kib, last.kib),
                    faults.to_string(),
                    clients.to_string(),
                ]);
            }
            Err(failure) => wrong.push(format!("{name}: {failure}")),
        }
    }
    screen.table(&rows, 1..head.len()).iter().try_for_each(|line| screen.line(line))?;
    Failure::of_all(wrong)?;
    screen.line(&format!("\n  {}", screen.paint(Tone::Good, "Nothing is left behind.")))
}

fn soak(ladder: &Ladder, rung: &Rung, time: Duration) -> Result<Soaked, Failure> {
    let mut args = rung.server_args.clone();
    if rung.speaks().transport() == Transport::Udp {
        // What it remembers for two minutes is no leak. Over TCP the usual limits leave the
        // crowd time to assemble.
        args.extend(rung.short_limits.iter().cloned());
    }
    let cast = Cast { ladder, rung, args: &args };
    let (mut stage, server, address) = Stage::with_server(cast)?;
    let process = stage.process_id(server);
    // What it does not survive would keep the others waiting, and so would what waits for
    // every place; what is done to a process ends it.
    let faults: Vec<&Fault> = rung
        .faults()
        .filter(|fault| {
            rung.limit(fault.name).is_none()
                && fault.files <= faults::A_CROWD
                && faults::check_files(fault).is_ok()
                && !matches!(fault.proof, Proof::Told | Proof::Process(_))
        })
        .collect();
    let (mut played, mut clients) = (0, 0);
    let mut round = |stage: &mut Stage| -> Result<(), Failure> {
        for some in faults.chunks(AT_ONCE) {
            let mut running = Vec::new();
            for fault in some {
                // A server for one client serves the others when it has dropped this one.
                running.push(faults::start(rung, fault, &address)?);
                played += 1;
                if rung.limit("second-client").is_some() {
                    running.clear();
                }
            }
            match ordinary_client(stage, cast, &address) {
                Ok(_) => {}
                Err(Ended::Badly(story)) => return Err(failure!("beside {some:?}, {story}")),
                Err(Ended::Unplayed(failure)) => return Err(failure),
            }
            clients += 1;
            // What the server has logged is of no interest, and would be kept here.
            stage.happenings.clear();
        }
        Ok(())
    };
    // One that serves one client at a time keeps nothing for others, and so does one
    // without connections.
    if rung.speaks().transport() == Transport::Tcp && rung.limit("second-client").is_none() {
        crowd(rung, &address)?;
    }
    round(&mut stage)?;
    let first = at_rest(process, None)?;
    let started = Instant::now();
    while started.elapsed() < time {
        round(&mut stage)?;
    }
    let last = at_rest(process, Some(first))?;
    stage.ask_to_stop(server);
    match stage.exit_code(server)? {
        Some(0) => Ok(Soaked { first, last, faults: played, clients }),
        code => Err(failure!("it ended with {code:?} and not with exit code 0")),
    }
}

/// Each client is answered and stays, until the last one has been or there is no place
/// for one more.
fn crowd(rung: &Rung, address: &Address) -> Result<(), Failure> {
    let request = format!(
        "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: {CONTENT}\r\nX-Padding: {}\r\n\r\n{}",
        "a".repeat(HEAD),
        "a".repeat(CONTENT)
    );
    let hello = match rung.speaks() {
        Speaks::Http => request.as_bytes(),
        _ => rung.hello(),
    };
    let answered = || -> io::Result<TcpStream> {
        let mut stream = TcpStream::connect(address.inet()?)?;
        stream.set_read_timeout(Some(NO_PLACE))?;
        stream.set_write_timeout(Some(NO_PLACE))?;
        stream.write_all(hello)?;
        stream.read_exact(&mut [0; 1])?;
        Ok(stream)
    };
    let mut clients = Vec::new();
    // Half of the files that one process may have: the server has a limit as well.
    let most = CROWD.min((descriptors::allow_many() / 2) as usize);
    while clients.len() < most {
        match answered() {
            Ok(client) => clients.push(client),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                break;
            }
            Err(error) => return Err(failure!("a crowd was not answered: {error}")),
        }
    }
    Ok(())
}

/// What a process holds when it holds no more than `wanted`, or, without that, when it
/// has come to rest.
fn at_rest(process: u32, wanted: Option<Held>) -> Result<Held, Failure> {
    let started = Instant::now();
    let mut before = held(process)?;
    loop {
        // Time is what a server needs to see that its clients have gone.
        thread::sleep(Duration::from_millis(500));
        let now = held(process)?;
        let rests = match wanted {
            Some(wanted) => is_no_more(now, wanted),
            None => (now.descriptors, now.threads) == (before.descriptors, before.threads),
        };
        if rests || started.elapsed() > REST {
            return Ok(now);
        }
        before = now;
    }
}

fn held(process: u32) -> Result<Held, Failure> {
    Held::by(process).ok_or_else(|| failure!("what process {process} holds cannot be read"))
}

fn is_no_more(now: Held, before: Held) -> bool {
    now.descriptors <= before.descriptors
        && now.threads <= before.threads
        && now.kib <= before.kib + SPARE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_descriptor_or_thread_more_is_left_behind_and_so_is_memory_that_no_allocator_keeps() {
        let first = Held { descriptors: 8, threads: 2, kib: 4 << 10 };
        assert!(is_no_more(first, first));
        assert!(is_no_more(Held { kib: first.kib + SPARE, ..first }, first));
        assert!(!is_no_more(Held { descriptors: 9, ..first }, first));
        assert!(!is_no_more(Held { threads: 3, ..first }, first));
        assert!(!is_no_more(Held { kib: first.kib + SPARE + 1, ..first }, first));
    }
}
