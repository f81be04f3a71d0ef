//! The command line of `my-site`: an address, if it is not to be the usual one.

use std::env;
use std::process::ExitCode;

use my_site::{ADDRESS, server};
use netcore::shutdown::{DRAIN, Shutdown};
use netcore::{Error, cli};

fn main() -> ExitCode {
    let address = env::args().nth(1).unwrap_or_else(|| ADDRESS.into());
    cli::finish(serve(&address))
}

fn serve(address: &str) -> Result<(), Error> {
    let (shutdown, server) = (Shutdown::on_signals(DRAIN)?, server(address)?);
    for address in server.addresses() {
        cli::print(format_args!("listening on {address}"))?;
    }
    server.serve(&shutdown)
}
