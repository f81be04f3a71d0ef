//! The command line of `login-echo`.

use std::process::ExitCode;

use login_echo::{Echo, PORT, client, server};
use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, program, proof};

fn main() -> ExitCode {
    cli::run_also(program!(), serve, client::run, proof::SECRETS)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    let tls = service.tls.side()?;
    let listener = args.listen()?;
    service.tls.announce(&tls)?;
    server::serve(listener, &service, &tls, &shutdown).map_err(Error::failed("accept clients"))
}
