//! The command line of `api-client`.

use std::process::ExitCode;

use api_client::{PORT, ThirdParty, client, server};
use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, program};

fn main() -> ExitCode {
    cli::run(program!(), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: ThirdParty) -> Result<(), Error> {
    service.check()?;
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
