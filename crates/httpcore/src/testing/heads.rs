//! What no client of HTTP can do to the others, whatever is answered: beside what
//! [`netcore::testing`] has for every server.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use netcore::testing::{GENEROUS, SHORT, Setup, Suite};

use super::{ANSWER, connect, read_to_end};

/// A request after whose response the server ends.
const LAST: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

/// Bytes behind a request that nobody asked for.
const UNWANTED: usize = 1_000_000;

/// Bytes that come now and then do not stretch the limit for all of them.
pub fn a_head_that_drips_is_dropped_at_the_total_limit(suite: &Suite) {
    let server = suite.start(Setup::total(SHORT));
    let mut stream = connect(&server);
    let started = Instant::now();
    for byte in LAST.iter().cycle() {
        assert!(started.elapsed() < GENEROUS, "it was not dropped");
        // In the end the server has closed, and says so.
        if stream.write_all(&[if *byte == b'\n' { b'x' } else { *byte }]).is_err() {
            break;
        }
        thread::sleep(SHORT / 10);
    }
    server.assert_serves();
}

/// The end of a head is found wherever the reads end.
pub fn a_head_in_single_bytes_is_answered(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut stream = connect(&server);
    stream.set_nodelay(true).expect("it can be done");
    for byte in LAST {
        stream.write_all(&[*byte]).expect("it can be done");
    }
    assert!(read_to_end(stream).starts_with(ANSWER));
}

/// What a field says in a language of its own is for whoever asks for that field.
pub fn a_field_that_is_no_text_is_no_reason_to_refuse(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut stream = connect(&server);
    let (line, fields) = LAST.split_at(LAST.len() - b"\r\n".len());
    stream.write_all(&[line, b"X-Name: \xff\r\n", fields].concat()).expect("it can be done");
    assert!(read_to_end(stream).starts_with(ANSWER));
}

/// What has no end is read up to a bound.
pub fn a_head_without_an_end_is_not_kept(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut stream = connect(&server);
    let flood = thread::spawn({
        let mut stream = stream.try_clone().expect("it can be done");
        move || while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    read_while_open(&mut stream);
    flood.join().expect("it can be done");
    server.assert_serves();
}

/// The next client is served while another says nothing.
pub fn a_silent_client_keeps_nobody_waiting(suite: &Suite) {
    let server = suite.start(Setup::default());
    let silent = connect(&server);
    server.assert_serves();
    drop(silent);
}

/// The response is not lost to a reset.
pub fn a_response_arrives_whatever_is_sent_behind_the_request(suite: &Suite) {
    let server = suite.start(Setup::default());
    let request = [
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
        &[b'x'; UNWANTED][..],
    ];
    let mut stream = connect(&server);
    let sender = thread::spawn({
        let mut stream = stream.try_clone().expect("it can be done");
        move || drop(stream.write_all(&request.concat()))
    });
    let mut start = vec![0; ANSWER.len()];
    stream.read_exact(&mut start).expect("it can be done");
    assert_eq!(start, ANSWER.as_bytes());
    read_while_open(&mut stream);
    sender.join().expect("it can be done");
}

/// Nobody who says nothing delays a stop.
pub fn a_stop_ends_a_server_with_a_silent_client(suite: &Suite) {
    let server = suite.start(Setup::default());
    let silent = connect(&server);
    server.assert_serves();
    server.assert_stops();
    server.assert_refuses();
    drop(silent);
}

/// Its responses fill every buffer on the way. For a server that keeps connections.
pub fn a_client_that_never_reads_is_dropped_at_the_total_limit(suite: &Suite) {
    let (server, deaf) = suite.start_with_little_room(Setup::total(SHORT));
    let started = Instant::now();
    let ended = deaf.flood().join().expect("the thread ends");
    assert!(started.elapsed() < GENEROUS, "it was not dropped: {ended}");
    drop(deaf);
    server.assert_serves();
}

/// To the end of the connection, by whatever way it comes.
fn read_while_open(stream: &mut TcpStream) {
    let mut scrap = [0; 4096];
    loop {
        match stream.read(&mut scrap) {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "still open after {GENEROUS:?}");
                return;
            }
        }
    }
}
