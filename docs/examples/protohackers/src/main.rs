//! The command line: which problem, and where to listen.

use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Parser;
use netcore::listen;
use netcore::shutdown::{DRAIN, Shutdown};
use protohackers::{
    chat, cipher, database, echo, jobs, middle, pests, prices, primes, reliable, server, storage,
    tickets,
};

/// A server for one of the problems
#[derive(Parser)]
#[command(after_help = "Example:\n  protohackers 0 --port 7000")]
struct Command {
    /// 0 to 11
    #[arg(value_parser = clap::value_parser!(u8).range(0..=11))]
    problem: u8,
    /// The site that checks has to reach it: 0.0.0.0 lets everybody
    #[arg(short, long, default_value = "127.0.0.1")]
    bind: String,
    /// 0 takes a free one
    #[arg(short, long, default_value_t = 7000)]
    port: u16,
    /// For problem 5, the room of the others; for problem 11, where authorities are
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:7001")]
    upstream: String,
}

fn main() -> ExitCode {
    let command = Command::parse();
    match run(&command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command) -> Result<(), Box<dyn std::error::Error>> {
    let shutdown = &Shutdown::on_signals(DRAIN)?;
    if let 4 | 7 = command.problem {
        let socket = listen::udp(&command.bind, command.port)?;
        println!("listening on {}", socket.local_addr()?);
        let served = match command.problem {
            4 => database::serve(socket, shutdown),
            _ => reliable::serve(socket, shutdown),
        };
        return Ok(served?);
    }
    let listener = listen::tcp(&command.bind, command.port)?;
    println!("listening on {}", listener.local_addr()?);
    let upstream = || -> Result<SocketAddr, Box<dyn std::error::Error>> {
        Ok(command.upstream.to_socket_addrs()?.next().ok_or("there is nobody upstream")?)
    };
    match command.problem {
        0 => server::serve(listener, shutdown, echo::talk)?,
        1 => server::serve(listener, shutdown, primes::talk)?,
        2 => server::serve(listener, shutdown, prices::talk)?,
        3 => {
            let room = Arc::new(chat::Room::default());
            server::serve(listener, shutdown, |stream, peer| room.talk(stream, peer))?
        }
        5 => {
            let upstream = upstream()?;
            server::serve(listener, shutdown, |stream, _| middle::talk(stream, upstream))?
        }
        6 => {
            let roads = tickets::Roads::default();
            server::serve(listener, shutdown, |stream, peer| roads.talk(stream, peer))?
        }
        8 => server::serve(listener, shutdown, cipher::talk)?,
        9 => {
            let jobs = jobs::Jobs::new(shutdown);
            server::serve(listener, shutdown, |stream, peer| jobs.talk(stream, peer))?
        }
        10 => {
            let storage = storage::Storage::default();
            server::serve(listener, shutdown, |stream, peer| storage.talk(stream, peer))?
        }
        11 => {
            let sites = pests::Sites::new(upstream()?);
            server::serve(listener, shutdown, |stream, peer| sites.talk(stream, peer))?
        }
        other => unreachable!("no command line has problem {other}"),
    }
    Ok(())
}
