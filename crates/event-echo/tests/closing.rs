//! How a client is closed that still sends: nothing of its replies is lost, and nobody
//! else waits for it.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use event_echo::{Echo, server};
use netcore::cli::Limits;
use netcore::shutdown::Shutdown;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// The total limit of a client.
const TOTAL: Duration = Duration::from_millis(500);

/// A server of two clients for as long as `test` runs; `test` has a way to connect.
fn with_server(test: impl FnOnce(&dyn Fn() -> TcpStream)) {
    let limits = Limits { idle: GENEROUS, total: TOTAL, drain: GENEROUS };
    let service = Echo { upper: false, limits, max_clients: 2 };
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let shutdown = Shutdown::new(GENEROUS).unwrap();
    thread::scope(|scope| {
        let served = scope.spawn(|| server::serve(listener, &service, &shutdown));
        test(&|| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_read_timeout(Some(GENEROUS)).unwrap();
            stream.set_write_timeout(Some(GENEROUS)).unwrap();
            stream
        });
        shutdown.stop();
        served.join().unwrap().unwrap();
    });
}

#[test]
fn a_client_that_sends_past_its_total_limit_reads_its_replies_and_then_the_end() {
    with_server(|connect| {
        let (mut reader, ended) = (connect(), AtomicBool::new(false));
        let mut writer = reader.try_clone().unwrap();
        thread::scope(|scope| {
            // It goes on after the limit, so there is always something that nobody will read.
            scope.spawn(|| {
                loop {
                    if ended.load(Ordering::Relaxed) || writer.write_all(&[b'x'; 64]).is_err() {
                        break;
                    }
                }
            });
            let mut replies = Vec::new();
            let read = reader.read_to_end(&mut replies);
            ended.store(true, Ordering::Relaxed);
            assert!(!replies.is_empty());
            read.expect("the end of the stream, and not a reset");
        });
    });
}

#[test]
fn others_are_served_while_a_client_that_never_ceases_to_send_is_closed() {
    with_server(|connect| {
        let (mut reader, over) = (connect(), AtomicBool::new(false));
        let mut writer = reader.try_clone().unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                // Until the server has closed for good, after it has read for a while.
                while writer.write_all(&[b'x'; 64 << 10]).is_ok() {}
                over.store(true, Ordering::Relaxed);
            });
            let _ = reader.read_to_end(&mut Vec::new());
            let mut exchanges = 0;
            while !over.load(Ordering::Relaxed) {
                let (mut other, mut reply) = (connect(), [0; 5]);
                other.write_all(b"hello").unwrap();
                other.read_exact(&mut reply).unwrap();
                assert_eq!(&reply, b"hello");
                exchanges += 1;
            }
            assert!(exchanges > 1, "only {exchanges}");
        });
    });
}
