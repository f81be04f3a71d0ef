//! The command line of `oneshot-echo`.

use std::process::ExitCode;

use netcore::cli::{self, ClientArgs, NoOptions, ServerArgs};
use netcore::{Error, program};
use oneshot_echo::{Echo, PORT, client, server};

fn main() -> ExitCode {
    cli::run(program!(), serve, send)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let listener = args.listen_by(server::listen)?;
    server::serve(listener, &service).map_err(Error::failed("serve the client"))
}

fn send(args: &ClientArgs<PORT>, _: NoOptions) -> Result<(), Error> {
    let reply = client::exchange(args.connect()?, &cli::all_messages(&args.messages)?);
    cli::print_bytes(&reply.map_err(Error::failed("get a reply"))?)
}
