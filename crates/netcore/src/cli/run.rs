//! The two roles of every program: its server and its client.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args, CommandFactory, FromArgMatches, Parser};

use super::finish;
use crate::Error;
use crate::connection::Socket;

/// Where a server listens, as the command line says it.
pub trait Listens: Args {
    /// What says the same to its client.
    type Client: Args;
    /// Arguments of a server that is in nobody's way, for an example.
    const ELSEWHERE: &'static str;
}

/// Where a client connects and what it sends, as the command line says it.
pub trait Connects: Args {
    /// What it gets.
    type Socket: Socket;

    /// Starts the log and connects to the server.
    ///
    /// # Errors
    /// [`Error::Connect`], and what else keeps it from there.
    fn connect(&self) -> Result<Self::Socket, Error>;

    /// What to send; without any, the lines of standard input.
    fn messages(&self) -> &[OsString];
}

/// What a program is called and does, for `--help` and `--version`.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its name, which its folder and its package have too.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it does, a sentence.
    pub about: &'static str,
    /// What a client is given in the example, as it is typed.
    pub example: &'static str,
}

/// The [`Program`] of the package that this is written in, whose client is given a
/// greeting in the example, or what is told.
#[macro_export]
macro_rules! program {
    () => {
        $crate::program!("'hello, world!'")
    };
    ($example:expr) => {
        $crate::cli::Program {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            about: env!("CARGO_PKG_DESCRIPTION"),
            example: $example,
        }
    };
}

#[derive(Parser)]
enum Role<L: Listens, S: Args, C: Args> {
    /// Serve until told to stop
    Server {
        #[command(flatten)]
        args: L,
        #[command(flatten)]
        service: S,
    },
    /// Send each message and print its reply
    Client {
        // First, so that an argument of its own stands before the messages.
        #[command(flatten)]
        options: C,
        #[command(flatten)]
        args: L::Client,
    },
}

/// Runs the role that the command line asks for, and returns the exit code: 0 done, 1
/// failed, 2 wrong usage. `S` is the service and `C` what a client can be told beside
/// where and what.
pub fn run<L: Listens, S: Args, C: Args>(
    program: Program,
    server: impl FnOnce(&L, S) -> Result<(), Error>,
    client: impl FnOnce(&L::Client, C) -> Result<(), Error>,
) -> ExitCode {
    let Program { name, version, about, example } = program;
    let command = Role::<L, S, C>::command()
        .name(name)
        .bin_name(name)
        .version(version)
        .about(format!("{about}, and its client"))
        .after_help(format!("Example:\n  {name} server &\n  {name} client {example}"))
        .mut_subcommand("server", |server| {
            server.after_help(format!("Example:\n  {name} server {} -v", L::ELSEWHERE))
        })
        .mut_subcommand("client", |client| {
            client.after_help(format!("Example:\n  {name} client {example}"))
        });
    match Role::from_arg_matches(&command.get_matches()) {
        Ok(Role::Server { args, service }) => finish(server(&args, service)),
        Ok(Role::Client { args, options }) => finish(client(&args, options)),
        Err(error) => error.exit(),
    }
}
