//! The command line of `netload`.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use netcore::{Error, cli};
use netload::report::Crowd;
use netload::stop::Stop;
use netload::{fan_out, http, object, tcp_bulk, tcp_connect, tcp_echo, tcp_idle, udp_echo};

/// Closed-loop load generator that checks every byte it gets back
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  netload tcp-echo 127.0.0.1:9090 --connections 64 --seconds 5"
)]
struct Command {
    #[command(subcommand)]
    scenario: Scenario,
    /// Report in one line of JSON
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Scenario {
    /// Messages on connections that stay open
    TcpEcho(tcp_echo::Options),
    /// A new connection for each message
    TcpConnect(tcp_connect::Options),
    /// One long stream
    TcpBulk(tcp_bulk::Options),
    /// A crowd that is open and silent
    TcpIdle(tcp_idle::Options),
    /// Datagrams, counting those that are lost
    UdpEcho(udp_echo::Options),
    /// Typed values in frames
    Object(object::Options),
    /// GET of one page
    Http(http::Options),
    /// Lines that one says and many hear
    FanOut(fan_out::Options),
}

fn main() -> ExitCode {
    cli::finish(run(&Command::parse()))
}

fn run(command: &Command) -> Result<(), Error> {
    let stop = Stop::on_signals()?;
    // Whether a limit that stays is too low, opening the connections will tell.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let report = match &command.scenario {
        Scenario::TcpEcho(options) => tcp_echo::run(options, &stop)?,
        Scenario::TcpConnect(options) => tcp_connect::run(options, &stop)?,
        Scenario::TcpBulk(options) => tcp_bulk::run(options, &stop)?,
        Scenario::TcpIdle(options) => {
            if options.seconds.is_none() {
                stop.when_stdin_ends();
            }
            tcp_idle::run(options, &stop, |crowd| tell(crowd, command.json))?
        }
        Scenario::UdpEcho(options) => udp_echo::run(options, &stop)?,
        Scenario::Object(options) => object::run(options, &stop)?,
        Scenario::Http(options) => http::run(options, &stop)?,
        Scenario::FanOut(options) => fan_out::run(options, &stop)?,
    };
    if command.json {
        cli::print(report.json()?)?;
    } else {
        cli::print(&report)?;
    }
    report.verdict()
}

/// The crowd stands: whoever started us may now look at the server's memory.
fn tell(crowd: &Crowd, json: bool) -> Result<(), Error> {
    if json { cli::print(crowd.json()?) } else { cli::print(crowd) }
}
