//! A page on which the ladder plays: real processes, and what really passes between them.
//!
//! | module | idea |
//! |---|---|
//! | `page` | what is served, and who may give orders |
//! | `feed`, `event` | what has happened, as server-sent events |
//! | `director`, `order` | orders, one after the other |
//! | `play`, `player`, `line` | a rung's server and clients, and the proxies between them |
//! | `look`, `system` | what the system tells of sockets and of the server's process |
//! | `crowd`, `loose` | a crowd, and faults |
//! | `record` | plays for the book |
//! | `rungs` | what can be watched, by the manifests |

#![forbid(unsafe_code)]

mod crowd;
mod director;
mod event;
mod feed;
mod line;
mod look;
mod loose;
mod options;
mod order;
mod page;
mod play;
mod player;
mod record;
mod rungs;
mod system;
#[cfg(test)]
mod tests;

use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use clap::Parser;
use ladder::process::{end_all_on_signals, spawn};
use ladder::{Failure, Screen, Tone, failure};

use feed::Feed;
use options::Options;
use order::Order;

fn main() -> ExitCode {
    let options = Options::parse();
    Failure::exit_code(end_all_on_signals().and_then(|()| run(&options, &Screen::new())))
}

/// Serves the page until it is interrupted.
fn run(options: &Options, screen: &Screen) -> Result<(), Failure> {
    let ladder = Arc::new(trial::load()?);
    if let Some(folder) = &options.record {
        return record::run(&ladder, folder, screen);
    }
    let default = ladder.rungs.first().map(|rung| rung.name.as_str());
    let first = ladder.rung(options.rung.as_deref().or(default).unwrap_or_default())?;
    if let Some(why) = trial::why_not(first) {
        return Err(failure!("{} cannot be watched: {why}", first.name));
    }
    let feed = Arc::new(Feed::default());
    let (orders, given) = director::orders();
    let server = page::server(options.port, &ladder, &feed, &orders)?;
    let server = server.spawn().map_err(|error| failure!("{error}"))?;
    let address = format!("http://{}/", server.address());
    // The first one finds room.
    let _ = orders.try_send(Order::Begin { rung: first.name.clone(), fault: None });
    let told = screen.paint(Tone::Bold, &address);
    screen.line(&format!("{} plays at {told}; Ctrl-C ends it", first.name))?;
    if options.open {
        open(&address, screen)?;
    }
    director::direct(&ladder, &feed, &orders, &given);
    server.stop().map_err(|error| failure!("{error}"))
}

/// Shows the page in the browser. Where there is none, the address has been printed.
fn open(address: &str, screen: &Screen) -> Result<(), Failure> {
    let mut command = match () {
        () if cfg!(windows) => Command::new("explorer"),
        () if cfg!(target_os = "macos") => Command::new("open"),
        () => Command::new("xdg-open"),
    };
    let quiet = command.arg(address).stdin(Stdio::null()).stderr(Stdio::null());
    // It outlives us, as a browser does.
    match spawn(quiet.stdout(Stdio::null())) {
        Ok(_) => Ok(()),
        Err(error) => screen.say(Tone::Warning, &format!("cannot open a browser: {error}")),
    }
}
