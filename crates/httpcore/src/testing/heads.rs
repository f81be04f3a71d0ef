//! What no client of HTTP can do to the others, whatever is answered: beside what
//! [`netcore::testing`] has for every server.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::Instant;

use netcore::testing::{GENEROUS, SHORT, Setup, Suite};

use super::{connect, read_to_end};

/// With this in its head, a request is the last one.
const LAST: &[u8] = b"Connection: close\r\n";

/// Bytes behind a request that nobody asked for.
const UNWANTED: usize = 1_000_000;

/// Bytes that come now and then do not stretch the limit for all of them.
pub fn a_head_that_drips_is_dropped_at_the_total_limit(suite: &Suite) {
    let server = suite.start(Setup::total(SHORT));
    let mut stream = connect(&server);
    let started = Instant::now();
    for byte in question_with(suite, LAST).iter().cycle() {
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
    for byte in question_with(suite, LAST) {
        stream.write_all(&[byte]).expect("it can be done");
    }
    assert_answer(suite, read_to_end(stream).as_bytes());
}

/// What a field says in a language of its own is for whoever asks for that field.
pub fn a_field_that_is_no_text_is_no_reason_to_refuse(suite: &Suite) {
    let server = suite.start(Setup::default());
    let mut stream = connect(&server);
    let fields = [LAST, b"X-Name: \xff\r\n"].concat();
    stream.write_all(&question_with(suite, &fields)).expect("it can be done");
    assert_answer(suite, read_to_end(stream).as_bytes());
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
    let head = question_with(suite, format!("Content-Length: {UNWANTED}\r\n").as_bytes());
    let mut stream = connect(&server);
    let sender = thread::spawn({
        let mut stream = stream.try_clone().expect("it can be done");
        move || drop(stream.write_all(&[&head[..], &[b'x'; UNWANTED]].concat()))
    });
    let mut start = vec![0; suite.question_and_answer().1.len()];
    stream.read_exact(&mut start).expect("it can be done");
    assert_answer(suite, &start);
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

/// The question with these further lines in its head.
fn question_with(suite: &Suite, fields: &[u8]) -> Vec<u8> {
    let (question, _) = suite.question_and_answer();
    let (start, end) = question.split_at(question.len() - b"\r\n".len());
    [start, fields, end].concat()
}

#[track_caller]
fn assert_answer(suite: &Suite, response: &[u8]) {
    let (_, answer) = suite.question_and_answer();
    assert!(response.starts_with(answer), "{}", String::from_utf8_lossy(response));
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
