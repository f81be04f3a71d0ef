//! The command line of `timeout-echo`.

use std::process::ExitCode;

use clap::Parser;
use netcore::Error;
use netcore::cli::{self, ClientArgs, ServerArgs};
use netcore::shutdown::{DRAIN, Shutdown};
use timeout_echo::{Options, PORT, client, server};

/// Echo server that drops a silent or dripping client, and its client
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  timeout-echo server &\n  timeout-echo client 'hello, world!'"
)]
enum Role {
    /// Serve clients until told to stop
    #[command(after_help = "Example:\n  timeout-echo server --port 0 --upper")]
    Server {
        #[command(flatten)]
        args: ServerArgs<PORT>,
        #[command(flatten)]
        options: Options,
    },
    /// Send each message and print its reply
    #[command(after_help = "Example:\n  timeout-echo client 'hello, world!'")]
    Client(ClientArgs<PORT>),
}

fn main() -> ExitCode {
    cli::finish(match Role::parse() {
        Role::Server { args, options } => run_server(&args, &options),
        Role::Client(args) => run_client(&args),
    })
}

fn run_server(args: &ServerArgs<PORT>, options: &Options) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(DRAIN)?;
    let listener = args.listen()?;
    server::serve(listener, options, &shutdown).map_err(Error::failed("accept clients"))
}

fn run_client(args: &ClientArgs<PORT>) -> Result<(), Error> {
    let stream = args.connect()?;
    for message in cli::messages(&args.messages) {
        let reply = client::exchange(&stream, &message?);
        cli::print_bytes(&reply.map_err(Error::failed("get a reply"))?)?;
    }
    Ok(())
}
