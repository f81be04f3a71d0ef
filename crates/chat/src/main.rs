//! The command line of `chat`.

use std::process::ExitCode;

use chat::{Chat, PORT, client, server};
use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, program};

fn main() -> ExitCode {
    cli::run(program!("ann"), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Chat) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.drain)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
