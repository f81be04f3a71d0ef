//! How the tests start this server.

use api_client::server;
use netcore::testing::Suite;

/// A path, and the status that the server always answers for it.
const QUESTION: &str = "/";
const ANSWER: u16 = 200;

/// The third party in its best mood.
pub fn suite() -> Suite {
    httpcore::testing::suite(QUESTION, ANSWER, |listener, setup, shutdown| {
        server::serve(listener, &setup.service(&[]), shutdown)
    })
}
