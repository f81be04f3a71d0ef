//! The command line of `tls-echo`.

use std::process::ExitCode;

use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, program, tls};
use tls_echo::{Echo, PORT, client, server};

fn main() -> ExitCode {
    cli::run_also(program!(), serve, client::run, tls::CERTS)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    let tls = service.tls.side()?;
    let listener = args.listen()?;
    service.tls.announce(&tls)?;
    server::serve(listener, &service, &tls, &shutdown).map_err(Error::failed("accept clients"))
}
