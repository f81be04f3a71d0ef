//! The command line of `udp-retry`.

use std::process::ExitCode;

use netcore::cli::{self, ServerArgs};
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::{Error, program};
use udp_retry::{Echo, PORT, client, server};

fn main() -> ExitCode {
    cli::run(program!(), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(DRAIN)?;
    server::serve(args.listen_udp()?, &service, &shutdown).map_err(Error::failed("receive"))
}
