//! The roles of the program: a server and a client.

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use netcore::Error;
use netcore::cli::{self, ClientArgs, NoOptions};
use netcore::shutdown::Shutdown;

use super::options::{Options, Prepared, Unprepared};
use crate::{PORT, client};

/// The exit code for what makes no sense, as clap has it.
const WRONG_USAGE: u8 = 2;

/// HTTP server for a folder, and its client
#[derive(Parser)]
#[command(version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "Example:\n  http-server ./site 8080\n  http-server client --port 8080 /index.html"
)]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Role {
    /// Serve a folder until told to stop; the same as no role
    #[command(after_help = "Example:\n  http-server server --port 0")]
    Server(Box<Options>),
    /// Get each path and print its content
    #[command(after_help = "Example:\n  http-server client /")]
    Client(ClientArgs<PORT>),
}

/// Runs what the command line of the program asks for, and returns its exit code.
pub fn run() -> ExitCode {
    let Arguments { role, options } = Arguments::parse();
    match role {
        None => run_server(&options),
        Some(Role::Server(options)) => run_server(&options),
        Some(Role::Client(args)) => cli::finish(client::run(&args, NoOptions {})),
    }
}

fn run_server(options: &Options) -> ExitCode {
    netcore::log::init(options.verbose);
    let prepared = match options.prepare() {
        Ok(prepared) => prepared,
        Err(Unprepared::Usage(why)) => {
            let _ = writeln!(io::stderr(), "error: {why}");
            return ExitCode::from(WRONG_USAGE);
        }
        Err(Unprepared::Failed(error)) => return cli::finish(Err(error)),
    };
    for note in &prepared.notes {
        // eprintln! would panic where nobody takes it, and a note is no reason not to serve.
        let _ = writeln!(io::stderr(), "{note}");
    }
    cli::finish(serve(prepared, options.drain))
}

fn serve(prepared: Prepared, drain: Duration) -> Result<(), Error> {
    // Before the ready line: whoever reads that may stop us at once.
    let shutdown = Shutdown::on_signals(drain)?;
    cli::announce(&prepared.ready)?;
    // From a stop on, the next server may have their names.
    let claims = prepared.claims;
    shutdown.on_stop(move || drop(claims));
    prepared.server.serve(&shutdown)
}
