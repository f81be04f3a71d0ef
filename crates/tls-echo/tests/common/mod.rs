//! The server in the test's own process, and clients that speak TLS with it.
#![allow(dead_code, reason = "each file of tests uses a part")]

pub mod program;

use netcore::testing::{Setup, Suite, Tls, TlsListener};
use tls_echo::{Echo, server};

/// The service with the limits of a test. A handshake may take as long as it likes, unless
/// the options say how long.
pub fn service(setup: &Setup, options: &[&str]) -> Echo {
    setup.service(&[&["--handshake=10m"], options].concat())
}

/// Over TLS, with a certificate that lives as long as the test.
pub fn suite(
    question: impl Into<Vec<u8>>,
    answer: impl Into<Vec<u8>>,
    options: &'static [&'static str],
) -> Suite<Tls> {
    Suite::new(question, answer, move |listener: TlsListener, setup, shutdown| {
        server::serve(listener.socket, &service(&setup, options), &listener.side, shutdown)
    })
}
