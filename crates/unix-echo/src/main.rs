//! The command line of `unix-echo`.

use std::process::ExitCode;

use netcore::cli;
use netcore::shutdown::Shutdown;
use netcore::unix::ServerArgs;
use netcore::{Error, client, program};
use unix_echo::{Echo, server};

fn main() -> ExitCode {
    cli::run(program!(), serve, client::run)
}

fn serve(args: &ServerArgs, service: Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
