//! The two roles of every program: its server and its client.

use std::process::ExitCode;

use clap::{ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser};

use super::{ClientArgs, ServerArgs, finish};
use crate::Error;

/// What a program is called and does, for `--help` and `--version`.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its name, which its folder and its package have too.
    pub name: &'static str,
    /// Its version.
    pub version: &'static str,
    /// What it does, a sentence.
    pub about: &'static str,
}

/// The [`Program`] of the package that this is written in.
#[macro_export]
macro_rules! program {
    () => {
        $crate::cli::Program {
            name: env!("CARGO_PKG_NAME"),
            version: env!("CARGO_PKG_VERSION"),
            about: env!("CARGO_PKG_DESCRIPTION"),
        }
    };
}

#[derive(Parser)]
enum Role<const PORT: u16, S: Args, C: Args> {
    /// Serve until told to stop
    Server {
        #[command(flatten)]
        args: ServerArgs<PORT>,
        #[command(flatten)]
        service: S,
    },
    /// Send each message and print its reply
    Client {
        #[command(flatten)]
        args: ClientArgs<PORT>,
        #[command(flatten)]
        options: C,
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

/// Runs the role that the command line asks for, and returns the exit code: 0 done, 1
/// failed, 2 wrong usage. `S` is the service and `C` what a client can be told beside
/// where and what.
pub fn run<const PORT: u16, S: Args, C: Args>(
    program: Program,
    server: impl FnOnce(&ServerArgs<PORT>, S) -> Result<(), Error>,
    client: impl FnOnce(&ClientArgs<PORT>, C) -> Result<(), Error>,
) -> ExitCode {
    let command = command::<PORT, S, C>(program, ["", ""]);
    play(&command.get_matches(), server, client)
}

/// As [`run`], for a program that has one more command.
pub fn run_also<const PORT: u16, S: Args, C: Args, A: Args>(
    program: Program,
    server: impl FnOnce(&ServerArgs<PORT>, S) -> Result<(), Error>,
    client: impl FnOnce(&ClientArgs<PORT>, C) -> Result<(), Error>,
    also: Also<A>,
) -> ExitCode {
    let [own, roles @ ..] = also.example;
    let command = command::<PORT, S, C>(program, roles);
    let help = format!("Example:\n  {} {} {own}", program.name, also.name);
    let more = A::augment_args(Command::new(also.name).about(also.about).after_help(help.clone()));
    let first = help.lines().last().unwrap_or_default();
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let help = help.replacen('\n', &format!("\n{first}\n"), 1);
    let matches = command.after_help(help).subcommand(more).get_matches();
    match matches.subcommand() {
        Some((name, matches)) if name == also.name => match A::from_arg_matches(matches) {
            Ok(args) => finish((also.run)(args)),
            Err(error) => error.exit(),
        },
        _ => play(&matches, server, client),
    }
}

/// `roles` are the arguments of both in an example.
fn command<const PORT: u16, S: Args, C: Args>(program: Program, roles: [&str; 2]) -> Command {
    let Program { name, version, about } = program;
    let [server, client] = roles.map(|args| match args {
        "" => String::new(),
        args => format!(" {args}"),
    });
    let client = format!("{name} client{client} 'hello, world!'");
    Role::<PORT, S, C>::command()
        .name(name)
        .bin_name(name)
        .version(version)
        .about(format!("{about}, and its client"))
        .after_help(format!("Example:\n  {name} server{server} &\n  {client}"))
        .mut_subcommand("server", |it| {
            it.after_help(format!("Example:\n  {name} server{server} --port 0 -v"))
        })
        .mut_subcommand("client", |it| it.after_help(format!("Example:\n  {client}")))
}

fn play<const PORT: u16, S: Args, C: Args>(
    matches: &ArgMatches,
    server: impl FnOnce(&ServerArgs<PORT>, S) -> Result<(), Error>,
    client: impl FnOnce(&ClientArgs<PORT>, C) -> Result<(), Error>,
) -> ExitCode {
    match Role::from_arg_matches(matches) {
        Ok(Role::Server { args, service }) => finish(server(&args, service)),
        Ok(Role::Client { args, options }) => finish(client(&args, options)),
        Err(error) => error.exit(),
    }
}
