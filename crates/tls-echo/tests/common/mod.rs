//! The server in the test's own process, and clients that speak TLS with it.
#![allow(dead_code, reason = "each file of tests uses a part")]

pub mod program;

use netcore::client::exchange;
use netcore::connection::Connection;
use netcore::testing::{FAR, Setup, Suite};
use netcore::tls::{ClientSide, ServerSide, ServerTlsArgs};
use tls_echo::{Echo, server};

/// The service with the limits of a test. A handshake may take as long as it likes.
pub fn service(setup: &Setup, upper: bool) -> Echo {
    Echo {
        upper,
        accept_timeout: setup.accept_timeout,
        limits: setup.limits.clone(),
        max_clients: setup.max_clients,
        tls: ServerTlsArgs { certs: None, mutual: false, handshake: FAR },
    }
}

/// Over TLS, with a certificate that lives as long as the test.
pub fn suite(question: &str, answer: &str, upper: bool) -> Suite {
    let side = ServerSide::made_now().unwrap();
    let client = ClientSide::knowing(side.fingerprint()).unwrap();
    let wire = client.clone();
    Suite::new(question, answer, move |listener, setup, shutdown| {
        server::serve(listener, &service(&setup, upper), &side, shutdown)
    })
    .with_clients(
        move |socket| Box::new(wire.wire(socket)),
        move |socket, message| {
            let mut connection = Connection::of_client(socket)?;
            let mut stream = client.connect(&mut connection, "localhost")?;
            let reply = exchange(&mut stream, message)?;
            stream.finish().map(|()| reply)
        },
    )
}
