//! The command line of `task-queue`.

use std::process::ExitCode;

use netcore::cli::{self, ServerArgs};
use netcore::codec::client;
use netcore::shutdown::Shutdown;
use netcore::{Error, program};
use task_queue::message::{Greeting, Reply, Request, VERSION};
use task_queue::{Exchange, PORT, server};

fn main() -> ExitCode {
    cli::run(program!("'\"take\"'"), serve, client::run::<Greeting, Request, Reply, VERSION, _>)
}

fn serve(args: &ServerArgs<PORT>, service: Exchange) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
