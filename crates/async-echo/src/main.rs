//! The command line of `async-echo`.

use std::process::ExitCode;

use async_echo::{Echo, PORT, server};
use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, client, program, runtime};

fn main() -> ExitCode {
    cli::run(program!(), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    let runtime = runtime::start().map_err(Error::failed("start the runtime"))?;
    let serving = server::serve(args.listen()?, service, &shutdown);
    runtime.block_on(serving).map_err(Error::failed("accept clients"))
}
