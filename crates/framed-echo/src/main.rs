//! The command line of `framed-echo`.

use std::process::ExitCode;

use clap::Parser;
use framed_echo::{ClientOptions, Options, PORT, client, server};
use netcore::Error;
use netcore::cli::{self, ClientArgs, ServerArgs};
use netcore::shutdown::{DRAIN, Shutdown};

/// Echo server for messages, not bytes, and its client
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  framed-echo server &\n  framed-echo client 'hello, world!'"
)]
enum Role {
    /// Serve clients until told to stop
    #[command(after_help = "Example:\n  framed-echo server --port 0 --upper")]
    Server {
        #[command(flatten)]
        args: ServerArgs<PORT>,
        #[command(flatten)]
        options: Options,
    },
    /// Send each message and print its reply
    #[command(after_help = "Example:\n  framed-echo client 'hello, world!'")]
    Client {
        #[command(flatten)]
        args: ClientArgs<PORT>,
        #[command(flatten)]
        options: ClientOptions,
    },
}

fn main() -> ExitCode {
    cli::finish(match Role::parse() {
        Role::Server { args, options } => run_server(&args, &options),
        Role::Client { args, options } => run_client(&args, &options),
    })
}

fn run_server(args: &ServerArgs<PORT>, options: &Options) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(DRAIN)?;
    let listener = args.listen()?;
    server::serve(listener, options, &shutdown).map_err(Error::failed("accept clients"))
}

fn run_client(args: &ClientArgs<PORT>, options: &ClientOptions) -> Result<(), Error> {
    let stream = args.connect()?;
    let mut stream = client::buffered(&stream);
    if options.await_greeting {
        let greeting = client::greeting(&mut stream, &options.framing);
        cli::print(greeting.map_err(Error::failed("get a greeting"))?)?;
    }
    for message in cli::messages(&args.messages) {
        let reply = client::exchange(&mut stream, &message?, &options.framing);
        cli::print(reply.map_err(Error::failed("get a reply"))?)?;
    }
    Ok(())
}
