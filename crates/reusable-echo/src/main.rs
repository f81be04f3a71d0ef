//! The command line of `reusable-echo`.

use std::process::ExitCode;

use netcore::cli::{self, ServerArgs};
use netcore::{Error, program};
use reusable_echo::{Echo, PORT, client, server};

fn main() -> ExitCode {
    cli::run(program!(), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let listener = args.listen_by(server::listen)?;
    server::serve(listener, &service).map_err(Error::failed("accept clients"))
}
