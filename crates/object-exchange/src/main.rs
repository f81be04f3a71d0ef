//! The command line of `object-exchange`.

use std::process::ExitCode;

use clap::Parser;
use netcore::Error;
use netcore::cli::{self, ClientArgs, ServerArgs};
use netcore::shutdown::{DRAIN, Shutdown};
use object_exchange::message::Request;
use object_exchange::{Limits, Options, PORT, client, notation, server};

/// Server that exchanges typed values, and its client
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  object-exchange server &\n  object-exchange client 'get 2'"
)]
enum Role {
    /// Serve clients until told to stop
    #[command(after_help = "Example:\n  object-exchange server --port 0 --max-message 1m")]
    Server {
        #[command(flatten)]
        args: ServerArgs<PORT>,
        #[command(flatten)]
        options: Options,
    },
    /// Print the greeting, then send each message and print its reply
    #[command(after_help = notation::HELP)]
    Client {
        #[command(flatten)]
        args: ClientArgs<PORT>,
        #[command(flatten)]
        limits: Limits,
    },
}

fn main() -> ExitCode {
    cli::finish(match Role::parse() {
        Role::Server { args, options } => run_server(&args, &options),
        Role::Client { args, limits } => run_client(&args, &limits),
    })
}

fn run_server(args: &ServerArgs<PORT>, options: &Options) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(DRAIN)?;
    let listener = args.listen()?;
    server::serve(listener, options, &shutdown).map_err(Error::failed("accept clients"))
}

fn run_client(args: &ClientArgs<PORT>, limits: &Limits) -> Result<(), Error> {
    let stream = args.connect()?;
    let (mut stream, codec) = (client::buffered(&stream), limits.codec());
    let greeting = client::greeting(&mut stream, &codec);
    cli::print(greeting.map_err(Error::failed("get the greeting"))?)?;
    for message in cli::messages(&args.messages) {
        let reply = client::exchange(&mut stream, &Request::parse(&message?), &codec);
        cli::print(reply.map_err(Error::failed("get a reply"))?)?;
    }
    Ok(())
}
