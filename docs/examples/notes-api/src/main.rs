//! The command line of `notes-api`.

use std::process::ExitCode;

use httpcore::client;
use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, program};
use notes_api::{PORT, Site, server};

fn main() -> ExitCode {
    cli::run(program!("/api/notes"), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Site) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
