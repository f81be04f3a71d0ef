//! The command line of `object-exchange`.

use std::process::ExitCode;

use netcore::cli::{self, ServerArgs};
use netcore::codec::client;
use netcore::shutdown::Shutdown;
use netcore::{Error, program};
use object_exchange::message::{Greeting, Reply, Request, VERSION};
use object_exchange::{Exchange, PORT, server};

fn main() -> ExitCode {
    let program = program!(r#"'{"upper": "hello, world!"}'"#);
    cli::run(program, serve, client::run::<Greeting, Request, Reply, VERSION, PORT>)
}

fn serve(args: &ServerArgs<PORT>, service: Exchange) -> Result<(), Error> {
    service.messages.codec(VERSION).has_room_for("the greeting", &service.greeting())?;
    let shutdown = Shutdown::on_signals(service.limits.drain)?;
    server::serve(args.listen()?, &service, &shutdown).map_err(Error::failed("accept clients"))
}
