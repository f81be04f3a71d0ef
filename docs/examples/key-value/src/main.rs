//! The command line of `key-value`.

use std::process::ExitCode;

use key_value::{Echo, PORT, client, server};
use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, program};

fn main() -> ExitCode {
    cli::run(program!("'set colour blue' 'get colour'"), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let service = service.open()?;
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
