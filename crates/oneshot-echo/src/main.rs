//! The command line of `oneshot-echo`.

use std::process::ExitCode;

use clap::Parser;
use netcore::cli::{self, ClientArgs, ServerArgs};
use netcore::{Error, listen, log};
use oneshot_echo::{Options, PORT, client, server};

/// Echo server that serves one client and ends, and its client
#[derive(Parser)]
#[command(
    version,
    after_help = "Example:\n  oneshot-echo server &\n  oneshot-echo client 'hello, world!'"
)]
enum Role {
    /// Serve one client until it has sent everything, then end
    #[command(after_help = "Example:\n  oneshot-echo server --port 0 --upper")]
    Server {
        #[command(flatten)]
        args: ServerArgs<PORT>,
        #[command(flatten)]
        options: Options,
    },
    /// Send the messages as one text and print what comes back
    #[command(after_help = "Example:\n  oneshot-echo client 'hello, world!'")]
    Client(ClientArgs<PORT>),
}

fn main() -> ExitCode {
    cli::finish(match Role::parse() {
        Role::Server { args, options } => run_server(&args, &options),
        Role::Client(args) => run_client(&args),
    })
}

fn run_server(args: &ServerArgs<PORT>, options: &Options) -> Result<(), Error> {
    log::init(args.verbose);
    let address = listen::resolve(&args.bind, args.port)?[0];
    let failed = |source| Error::Listen { address: address.to_string(), source };
    let listener = server::listen(address).map_err(failed)?;
    cli::ready(listener.local_addr())?;
    server::serve(&listener, options).map_err(Error::failed("serve the client"))
}

fn run_client(args: &ClientArgs<PORT>) -> Result<(), Error> {
    let messages = cli::messages(&args.messages).collect::<Result<Vec<_>, _>>()?;
    let reply = client::exchange(&args.connect()?, &messages.join(&b'\n'));
    cli::print_bytes(&reply.map_err(Error::failed("get a reply"))?)
}
