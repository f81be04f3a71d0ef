//! The command line of `stopping-echo`.

use std::process::ExitCode;

use netcore::cli::{self, ServerArgs};
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::{Error, client, program};
use stopping_echo::{Echo, PORT, server};

fn main() -> ExitCode {
    cli::run(program!(), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(DRAIN)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
