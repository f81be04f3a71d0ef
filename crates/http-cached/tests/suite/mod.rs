//! How the tests start this server.

use http_cached::{Site, server};
use netcore::testing::Suite;

/// The server with what it serves in its demo. What is asked and answered stands in the
/// tests.
pub fn suite() -> Suite {
    Suite::new("", "", |listener, setup, shutdown| {
        let service = Site {
            root: concat!(env!("CARGO_MANIFEST_DIR"), "/site").into(),
            accept_timeout: setup.accept_timeout,
            limits: setup.limits,
            max_clients: setup.max_clients,
        };
        server::serve(listener, &service, shutdown)
    })
}
