//! How the tests start this server.

use http_kept::server;
use netcore::testing::Suite;

/// The server of this folder.
pub fn suite(root: &str) -> Suite {
    let root = root.to_string();
    httpcore::testing::suite(move |listener, setup, shutdown| {
        server::serve(listener, &setup.service(&[&root]), shutdown)
    })
}
