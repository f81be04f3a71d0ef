//! How the tests start this server.

use http_hello::server;
use netcore::testing::Suite;

/// A path, and the status that the server always answers for it.
const QUESTION: &str = "/";
const ANSWER: u16 = 200;

/// The server as it is in its demo.
pub fn suite() -> Suite {
    httpcore::testing::suite(QUESTION, ANSWER, |listener, setup, shutdown| {
        server::serve(listener, &setup.service(&[]), shutdown)
    })
}
