//! For how long nobody is served over an update, and how large the program is.
//! `cargo bench -p self-update --bench gap`; `ROUNDS=100` for more updates than ten.

#[path = "../tests/common/mod.rs"]
mod common;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use common::program::Home;
use common::site::Site;
use common::{GENEROUS, V2, new_key, v1, v2};

/// Clients that ask one question after another, each on a connection of its own.
const CLIENTS: usize = 4;

/// What the clients of one update have seen.
struct Seen {
    answers: usize,
    refused: usize,
    /// Between two answers, of any client.
    longest: Duration,
    /// From question to answer.
    slowest: Duration,
}

fn main() {
    let size = fs::metadata(v1()).unwrap().len();
    println!("the program has {:.1} MB", size as f64 / 1e6);
    let rounds = std::env::var("ROUNDS").map_or(10, |text| text.parse().unwrap());
    let mut seen: Vec<Seen> = (0..rounds).map(|_| update()).collect();
    let answers: usize = seen.iter().map(|seen| seen.answers).sum();
    let refused: usize = seen.iter().map(|seen| seen.refused).sum();
    println!("{rounds} updates under {CLIENTS} clients: {answers} answers, {refused} without one");
    seen.sort_by_key(|seen| seen.longest);
    let (median, worst) = (&seen[seen.len() / 2], &seen[seen.len() - 1]);
    println!(
        "longest time without an answer: {:?} (median), {:?} (worst)",
        median.longest, worst.longest
    );
    seen.sort_by_key(|seen| seen.slowest);
    let (median, worst) = (&seen[seen.len() / 2], &seen[seen.len() - 1]);
    println!("slowest answer: {:?} (median), {:?} (worst)", median.slowest, worst.slowest);
}

fn update() -> Seen {
    let (key, site) = (new_key(), Site::default());
    site.publish(&key, V2, &v2());
    let home = Home::new(&key);
    let mut command = home.command(site.start(), &["--every", "60m"]);
    // Nothing is told of each client.
    command.env("RUST_LOG", "warn,self_update=info");
    let running = common::program::Running::start(&mut command);
    let (address, done) = (running.address, AtomicBool::new(false));
    let asked: Vec<Vec<(Instant, io::Result<Instant>)>> = thread::scope(|scope| {
        let ask = || {
            let mut asked = Vec::new();
            while !done.load(Ordering::SeqCst) {
                asked.push((Instant::now(), ask(address)));
            }
            asked
        };
        let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(ask)).collect();
        running.wait_for("serves from here on", 1);
        // What comes after it, as well.
        thread::sleep(Duration::from_millis(200));
        done.store(true, Ordering::SeqCst);
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let asked: Vec<_> = asked.into_iter().flatten().collect();
    for error in asked.iter().filter_map(|(_, to)| to.as_ref().err()) {
        println!("a client without an answer: {error}");
    }
    let slowest =
        asked.iter().filter_map(|(from, to)| Some(to.as_ref().ok()?.duration_since(*from)));
    let slowest = slowest.max().unwrap_or_default();
    let mut times: Vec<Instant> =
        asked.iter().filter_map(|(_, to)| to.as_ref().ok().copied()).collect();
    times.sort();
    let longest = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
    let (answers, refused) = (times.len(), asked.len() - times.len());
    Seen { answers, refused, longest, slowest }
}

fn ask(address: SocketAddr) -> io::Result<Instant> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(GENEROUS))?;
    stream.write_all(b"hello")?;
    stream.shutdown(Shutdown::Write)?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply)?;
    assert!(reply.eq_ignore_ascii_case("hello"), "{reply:?}");
    Ok(Instant::now())
}
