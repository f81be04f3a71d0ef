//! How the tests start this server.

use api_client::server;
use netcore::testing::Suite;

/// The third party in its best mood.
pub fn suite() -> Suite {
    httpcore::testing::suite(|listener, setup, shutdown| {
        server::serve(listener, &setup.service(&[]), shutdown)
    })
}
