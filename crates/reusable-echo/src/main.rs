//! The command line of `reusable-echo`.

use std::process::ExitCode;

use netcore::cli::{self, ClientArgs, NoOptions, ServerArgs};
use netcore::{Error, program};
use reusable_echo::{Echo, PORT, client, server};

fn main() -> ExitCode {
    cli::run(program!(), serve, send)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let listener = args.listen_by(server::listen)?;
    server::serve(listener, &service).map_err(Error::failed("accept clients"))
}

fn send(args: &ClientArgs<PORT>, _: NoOptions) -> Result<(), Error> {
    let stream = args.connect()?;
    for message in cli::messages(&args.messages) {
        let reply = client::exchange(&stream, &message?);
        cli::print_bytes(&reply.map_err(Error::failed("get a reply"))?)?;
    }
    Ok(())
}
