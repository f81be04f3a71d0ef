//! The command line of `http-cached`.

use std::process::ExitCode;

use http_cached::{PORT, Site, server};
use httpcore::client;
use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, program};

fn main() -> ExitCode {
    cli::run(program!("/"), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Site) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
