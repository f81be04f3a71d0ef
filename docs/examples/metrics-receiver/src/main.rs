//! The command line of `metrics-receiver`.

use std::process::ExitCode;

use metrics_receiver::{Echo, PORT, client, server};
use netcore::cli::{self, ServerArgs};
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::{Error, program};

fn main() -> ExitCode {
    cli::run(program!("'add requests 3' 'show requests'"), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(DRAIN)?;
    server::serve(args.listen_udp()?, &service, &shutdown).map_err(Error::failed("receive"))
}
