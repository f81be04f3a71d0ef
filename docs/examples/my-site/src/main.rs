//! The command line of `my-site`: an address, if it is not to be the usual one.

use std::env;
use std::process::ExitCode;

use http_server::Server;
use my_site::{ADDRESS, site};
use netcore::{Error, cli};

fn main() -> ExitCode {
    cli::finish(run())
}

fn run() -> Result<(), Error> {
    let server = match Server::from_systemd()? {
        Some(server) => server,
        None => Server::bind(&env::args().nth(1).unwrap_or_else(|| ADDRESS.into()))?,
    };
    site(server)?.run()
}
