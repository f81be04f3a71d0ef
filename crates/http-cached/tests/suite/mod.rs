//! How the tests start this server.

use http_cached::server;
use netcore::testing::Suite;

/// A path, and the status that the server always answers for it.
const QUESTION: &str = "/";
const ANSWER: u16 = 200;

/// The server of this folder. One without a folder is started with `&[]`, and nothing is
/// handed to `suite`.
pub fn suite(root: &str) -> Suite {
    let root = root.to_string();
    httpcore::testing::suite(QUESTION, ANSWER, move |listener, setup, shutdown| {
        server::serve(listener, &setup.service(&[&root]), shutdown)
    })
}
