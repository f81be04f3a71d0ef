//! How the tests start this server.

use netcore::testing::Suite;
use url_shortener::server;

/// A path, and the status that the server always answers for it: a name that nobody has been
/// given yet.
const QUESTION: &str = "/s/2";
const ANSWER: u16 = 404;

/// The server with these options.
pub fn suite(options: &'static [&'static str]) -> Suite {
    httpcore::testing::suite(QUESTION, ANSWER, move |listener, setup, shutdown| {
        server::serve(listener, &setup.service(options), shutdown)
    })
}
