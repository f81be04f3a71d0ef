//! The handshake: nobody waits for another's, and nobody stretches it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Instant;

use netcore::testing::{
    GENEROUS, Running, SHORT, Setup, Suite, Tcp, Tls, TlsListener, Transport, events,
};
use netcore::tls::ServerSide;
use rustls::crypto::ring::default_provider;
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion, version};
use tls_echo::server;

mod common;

/// A hello of TLS 1.1, which knows no later version: a record of the handshake, and in it
/// the version, a random number, no session, one cipher, no compression.
fn hello_of_tls_1_1() -> Vec<u8> {
    let body = [&[3, 2][..], &[7; 32], &[0], &[0, 2, 0x00, 0x2f], &[1, 0]].concat();
    let message = [&[1, 0, 0, body.len() as u8][..], &body].concat();
    [&[22, 3, 1, 0, message.len() as u8][..], &message].concat()
}

/// A server that gives a handshake [`SHORT`].
fn hurried() -> Suite<Tls> {
    Suite::new("hello", "hello", move |listener: TlsListener, setup, shutdown| {
        let mut service = common::service(&setup, &[]);
        service.tls.handshake = SHORT;
        server::serve(listener.socket, &service, &listener.side, shutdown)
    })
}

fn plain(server: &Running<Tls>) -> TcpStream {
    plain_at(server.address.socket)
}

fn plain_at(address: SocketAddr) -> TcpStream {
    let stream = Tcp::connect(&address).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream
}

#[test]
fn a_silent_client_is_dropped_at_the_deadline_of_the_handshake() {
    let server = hurried().start(Setup::default());
    let mut silent = plain(&server);
    server.assert_serves();
    assert_eq!(silent.read(&mut [0; 1]).unwrap(), 0);
    let peer = silent.local_addr().unwrap().to_string();
    events::expect(&[&peer, "dropped: timed out"]);
}

/// Each byte comes in time, and all of them never.
#[test]
fn a_hello_that_drips_is_dropped_at_the_deadline_of_the_handshake() {
    let server = hurried().start(Setup::default());
    let mut dripping = plain(&server);
    let peer = dripping.local_addr().unwrap().to_string();
    let started = Instant::now();
    // A record that never ends: of 16 KiB, a byte at a time.
    let mut bytes = [22, 3, 1, 0x40, 0].into_iter().chain([1, 0, 0x3f, 0xfc]).chain([0; 1 << 14]);
    while bytes.next().is_some_and(|byte| dripping.write_all(&[byte]).is_ok()) {
        assert!(started.elapsed() < GENEROUS);
        // The pause is the fault itself.
        std::thread::sleep(SHORT / 20);
    }
    events::expect(&[&peer, "dropped: timed out"]);
    server.assert_serves();
}

/// Their own handshakes last as long as they like.
#[test]
fn nobody_waits_for_the_handshake_of_another_one() {
    let server = common::suite("hello", "hello", &[]).start(Setup::default());
    let silent = plain(&server);
    let mut half = plain(&server);
    half.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    for stream in [&silent, &half] {
        events::expect(&[&stream.local_addr().unwrap().to_string(), "connected"]);
        server.assert_serves();
    }
}

#[test]
fn a_stop_in_the_middle_of_a_handshake_ends_it() {
    let server = common::suite("hello", "hello", &[]).start(Setup::default());
    let silent = plain(&server);
    let mut half = plain(&server);
    half.write_all(&[22, 3, 1, 2, 0, 1]).unwrap();
    for stream in [&silent, &half] {
        events::expect(&[&stream.local_addr().unwrap().to_string(), "connected"]);
    }
    server.assert_stops();
}

#[test]
fn who_speaks_plain_text_is_told_so() {
    let server = common::suite("hello", "hello", &[]).start(Setup::default());
    for text in ["hello", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"] {
        let mut plain = plain(&server);
        let peer = plain.local_addr().unwrap().to_string();
        plain.write_all(text.as_bytes()).unwrap();
        let mut said = String::new();
        plain.read_to_string(&mut said).unwrap();
        assert_eq!(said, "this port speaks TLS\n");
        events::expect(&[&peer, "dropped: it does not speak TLS"]);
    }
}

/// Asks once in a session of this version, and tells whether it was a new one.
fn ask(config: &Arc<ClientConfig>, server: &Running) -> Option<rustls::HandshakeKind> {
    let name = "localhost".try_into().unwrap();
    let mut tls = ClientConnection::new(config.clone(), name).unwrap();
    let mut socket = plain_at(server.address);
    let mut stream = rustls::Stream::new(&mut tls, &mut socket);
    stream.write_all(b"hello").unwrap();
    let mut reply = [0; 5];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(&reply, b"hello");
    tls.handshake_kind()
}

#[test]
fn tls_1_2_and_1_3_are_spoken_and_who_comes_back_does_not_begin_anew() {
    let side = ServerSide::made_now().unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(side.certificate().to_vec().into()).unwrap();
    let suite = Suite::new("hello", "hello", move |listener, setup, shutdown| {
        server::serve(listener, &common::service(&setup, &[]), &side, shutdown)
    });
    let server = suite.start(Setup::default());
    for version in [&version::TLS12, &version::TLS13] {
        let config = Arc::new(config(version, roots.clone()));
        assert_eq!(ask(&config, &server), Some(rustls::HandshakeKind::Full), "{version:?}");
        assert_eq!(ask(&config, &server), Some(rustls::HandshakeKind::Resumed), "{version:?}");
    }
}

fn config(version: &'static SupportedProtocolVersion, roots: RootCertStore) -> ClientConfig {
    ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth()
}

#[test]
fn tls_1_1_is_refused_with_an_alert() {
    let server = common::suite("hello", "hello", &[]).start(Setup::default());
    let mut old = plain(&server);
    let peer = old.local_addr().unwrap().to_string();
    old.write_all(&hello_of_tls_1_1()).unwrap();
    let mut alert = Vec::new();
    old.read_to_end(&mut alert).unwrap();
    // An alert, fatal: handshake_failure (as rustls says it, which misses what every later
    // version has) or protocol_version.
    assert_eq!((alert.first(), alert.get(5)), (Some(&21), Some(&2)), "{alert:?}");
    assert!(matches!(alert.get(6), Some(40 | 70)), "{alert:?}");
    events::expect(&[&peer, "no version or cipher of TLS that both ends have"]);
}
