//! How the tests start this server.

use api_client::{ThirdParty, server};
use clap::Parser;
use netcore::testing::Suite;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    service: ThirdParty,
}

/// The server with what it serves in its demo. What is asked and answered stands in the
/// tests.
pub fn suite() -> Suite {
    Suite::new("", "", |listener, setup, shutdown| {
        // As from a command line, so that whatever else a server of your own has to know is
        // what it is there.
        let mut service = Command::parse_from(["server"]).service;
        service.accept_timeout = setup.accept_timeout;
        service.limits = setup.limits;
        service.max_clients = setup.max_clients;
        server::serve(listener, &service, shutdown)
    })
}
