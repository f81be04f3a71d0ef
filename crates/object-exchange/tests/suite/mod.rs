//! How the tests start this server, and what they ask it.

use netcore::testing::{Setup, Suite};
use object_exchange::message::{Request, VERSION};
use object_exchange::{Exchange, server};
use serde::Serialize;

/// What the server answers, and always in the same way.
fn question() -> Request {
    Request::Upper("what is it?".into())
}

/// The service as the tests start it.
pub fn service() -> Exchange {
    Setup::default().service(&[])
}

pub fn suite() -> Suite {
    let mut answer = Vec::new();
    service().reply(question(), &mut answer).unwrap();
    Suite::of_messages(encoded(&question()), answer, |listener, setup, shutdown| {
        server::serve(listener, &setup.service(&[]), shutdown)
    })
    .greeting(encoded(&service().greeting()))
}

fn encoded(value: &impl Serialize) -> Vec<u8> {
    let mut message = Vec::new();
    service().messages.codec(VERSION).encode(value, &mut message).unwrap();
    message
}
