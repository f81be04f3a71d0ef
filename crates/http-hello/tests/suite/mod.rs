//! How the tests start this server.

use http_hello::server;
use netcore::testing::Suite;

/// The server as it is in its demo.
pub fn suite() -> Suite {
    httpcore::testing::suite(|listener, setup, shutdown| {
        server::serve(listener, &setup.service(&[]), shutdown)
    })
}
