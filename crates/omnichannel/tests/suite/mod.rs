//! How the tests start this server in their own process.

use std::net::UdpSocket;

use netcore::testing::Suite;
use omnichannel::{Omnichannel, server};
use tempfile::TempDir;

/// A path, and the status that the server always answers for it.
const QUESTION: &str = "/";
const ANSWER: u16 = 200;

/// With drafts in memory.
pub fn suite() -> Suite {
    httpcore::testing::suite(QUESTION, ANSWER, |listener, setup, shutdown| {
        let folder = TempDir::new()?;
        let tokens = folder.path().join("tokens");
        let tokens = tokens.to_str().expect("its name is text");
        let options = ["--memory", "--account", "ann", "--tokens", tokens];
        let options: Omnichannel = setup.service(&options);
        let service = options.open().map_err(|error| std::io::Error::other(error.to_string()))?;
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        server::serve(listener, socket, &service, shutdown)
    })
}
