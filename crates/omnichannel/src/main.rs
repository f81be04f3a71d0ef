//! The command line of `omnichannel`.

use std::process::ExitCode;

use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, log, program};
use omnichannel::{Omnichannel, PORT, client, server};

fn main() -> ExitCode {
    cli::run(program!("'add hello, world!' get"), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, options: Omnichannel) -> Result<(), Error> {
    log::init(args.verbose);
    let shutdown = Shutdown::on_signals(options.limits.drain)?;
    // Before anybody is told that it listens: the file may be another's, or none.
    let service = options.open()?;
    let (listener, socket) = server::open(args)?;
    server::serve(listener, socket, &service, &shutdown).map_err(Error::failed("go on serving"))
}
