//! The two roles of every program: its server and its client.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser};

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

/// A command of a program beside its two roles.
#[derive(Debug, Clone, Copy)]
pub struct Also<A> {
    /// Its name.
    pub name: &'static str,
    /// What it does, a sentence.
    pub about: &'static str,
    /// What an example has behind its name, behind `server` and behind `client`.
    pub example: [&'static str; 3],
    /// What runs it.
    pub run: fn(A) -> Result<(), Error>,
}

impl<A: Args> Also<A> {
    fn command(&self, help: String) -> Command {
        // Its words come last: those that describe the arguments would take their place.
        A::augment_args(Command::new(self.name)).about(self.about).after_help(help)
    }
}

/// Runs the role that the command line asks for, and returns the exit code: 0 done, 1
/// failed, 2 wrong usage. `S` is the service and `C` what a client can be told beside
/// where and what.
pub fn run<L: Listens, S: Args, C: Args>(
    program: Program,
    server: impl FnOnce(&L, S) -> Result<(), Error>,
    client: impl FnOnce(&L::Client, C) -> Result<(), Error>,
) -> ExitCode {
    let command = command::<L, S, C>(program, ["", ""]);
    play::<L, S, C>(&command.get_matches(), server, client)
}

/// As [`run`], for a program that has one more command.
pub fn run_also<L: Listens, S: Args, C: Args, A: Args>(
    program: Program,
    server: impl FnOnce(&L, S) -> Result<(), Error>,
    client: impl FnOnce(&L::Client, C) -> Result<(), Error>,
    also: Also<A>,
) -> ExitCode {
    let [own, roles @ ..] = also.example;
    let command = command::<L, S, C>(program, roles);
    let help = format!("Example:\n  {} {} {own}", program.name, also.name);
    let more = also.command(help.clone());
    let first = help.lines().last().unwrap_or_default();
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let help = help.replacen('\n', &format!("\n{first}\n"), 1);
    let matches = command.after_help(help).subcommand(more).get_matches();
    match matches.subcommand() {
        Some((name, matches)) if name == also.name => match A::from_arg_matches(matches) {
            Ok(args) => finish((also.run)(args)),
            Err(error) => error.exit(),
        },
        _ => play::<L, S, C>(&matches, server, client),
    }
}

/// `roles` are the arguments of both in an example.
fn command<L: Listens, S: Args, C: Args>(program: Program, roles: [&str; 2]) -> Command {
    let Program { name, version, about, example } = program;
    let [server, client] = roles.map(|args| match args {
        "" => String::new(),
        args => format!(" {args}"),
    });
    let first = format!("{name} client --wait 5s{client} {example}");
    let client = format!("{name} client{client} {example}");
    Role::<L, S, C>::command()
        .name(name)
        .bin_name(name)
        .version(version)
        .about(about)
        // The server takes a moment to listen.
        .after_help(format!("Example:\n  {name} server{server} &\n  {first}"))
        .mut_subcommand("server", |it| {
            it.after_help(format!("Example:\n  {name} server{server} {} -v", L::ELSEWHERE))
        })
        .mut_subcommand("client", |it| it.after_help(format!("Example:\n  {client}")))
}

fn play<L: Listens, S: Args, C: Args>(
    matches: &ArgMatches,
    server: impl FnOnce(&L, S) -> Result<(), Error>,
    client: impl FnOnce(&L::Client, C) -> Result<(), Error>,
) -> ExitCode {
    match Role::from_arg_matches(matches) {
        Ok(Role::Server { args, service }) => finish(server(&args, service)),
        Ok(Role::Client { args, options }) => finish(client(&args, options)),
        Err(error) => error.exit(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the arguments are.
    #[derive(Args)]
    struct Nothing {}

    #[test]
    fn a_further_command_is_told_in_its_own_words() {
        let also: Also<Nothing> =
            Also { name: "dance", about: "Dance", example: [""; 3], run: |_| Ok(()) };
        let command = also.command(String::new());
        assert_eq!(command.get_about().map(ToString::to_string).as_deref(), Some("Dance"));
    }
}
