//! How the tests start this server, and what they ask it.

use framed_echo::{Echo, server};
use netcore::testing::{Setup, Suite};

/// What the server answers, and always in the same way.
const QUESTION: &str = "what is it?";

/// The server with these options.
pub fn suite(options: &'static [&'static str]) -> Suite {
    let answer = Setup::default().service::<Echo>(options).reply(QUESTION);
    Suite::of_messages(QUESTION, answer, |listener, setup, shutdown| {
        server::serve(listener, &setup.service(options), shutdown)
    })
}
