//! The command line of `async-echo`.

use std::process::ExitCode;

use async_echo::{Echo, PORT, server};
use netcore::cli::{self, ServerArgs};
use netcore::shutdown::Shutdown;
use netcore::{Error, client, program};
use tokio::runtime::Runtime;

fn main() -> ExitCode {
    cli::run(program!(), serve, client::run)
}

fn serve(args: &ServerArgs<PORT>, service: Echo) -> Result<(), Error> {
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    let listener = args.listen()?;
    let runtime = Runtime::new().map_err(Error::failed("start the runtime"))?;
    let served = runtime.block_on(server::serve(listener, service, &shutdown));
    served.map_err(Error::failed("accept clients"))
}
