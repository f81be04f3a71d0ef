//! The command line of `object-exchange`.

use std::process::ExitCode;

use netcore::cli::{self, ServerArgs};
use netcore::codec::client;
use netcore::shutdown::Shutdown;
use netcore::{Error, program};
use object_exchange::message::{Greeting, Reply, Request, VERSION};
use object_exchange::{Exchange, PORT, server};

fn main() -> ExitCode {
    cli::run(program!(r#"'{"get":1}'"#), serve, client::run::<Greeting, Request, Reply, VERSION, _>)
}

fn serve(args: &ServerArgs<PORT>, service: Exchange) -> Result<(), Error> {
    service.messages.codec(VERSION).has_room_for("the greeting", &service.greeting())?;
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
