//! What stays true in every copy, whatever `reply` does: a stop, deadlines, clients that
//! hang up and floods.
//!
//! A copy changes what stands at the top at most: to a message that its server answers,
//! always in the same way.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown as Side, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use netcore::frame::{self, Header};
use object_exchange::message::{Request, VERSION};
use running::{GENEROUS, Running, service};
use socket2::SockRef;

mod running;

/// What an ordinary client asks.
fn question() -> Vec<u8> {
    let mut message = Vec::new();
    service("")
        .messages
        .codec(VERSION)
        .encode(&Request::Upper("what is it?".into()), &mut message)
        .unwrap();
    message
}

/// What is due to it.
fn answer() -> Vec<u8> {
    let mut message = Vec::new();
    service("").reply(Request::Upper("what is it?".into()), &mut message).unwrap();
    message
}

/// What the server says first, as it is on the wire.
fn greeting() -> Vec<u8> {
    let mut message = Vec::new();
    service("").messages.codec(VERSION).encode(&service("").greeting(), &mut message).unwrap();
    framed(&[message])
}

/// Clients that hang about while another one is served.
const CROWD: usize = 20;

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine; and how it is written.
const SHORT: Duration = Duration::from_millis(300);
const IDLE: &str = "--idle 300ms";
const TOTAL: &str = "--total 300ms";

fn framed(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for message in messages {
        frame::write(&mut bytes, Header::Binary, usize::MAX, message).unwrap();
    }
    bytes
}

/// The connection, when the server has said what it says first.
fn greeted(mut stream: TcpStream) -> TcpStream {
    let mut said = vec![0; greeting().len()];
    stream.read_exact(&mut said).unwrap();
    assert_eq!(said, greeting());
    stream
}

/// One exchange on a connection that has no other in flight.
fn ask(mut stream: &TcpStream) -> std::io::Result<()> {
    stream.write_all(&framed(&[question()]))?;
    let mut reply = vec![0; framed(&[answer()]).len()];
    stream.read_exact(&mut reply)?;
    assert_eq!(reply, framed(&[answer()]));
    Ok(())
}

/// The promise after every fault: an ordinary client is served.
#[track_caller]
fn assert_serves(server: &Running) {
    ask(&greeted(server.connect())).unwrap();
}

/// Reads to the end, which may be a reset where the server has given up.
#[track_caller]
fn assert_closed_without_a_word(mut stream: &TcpStream) {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
    }
    assert_eq!(said, b"");
}

#[test]
fn many_clients_are_served_while_others_are_silent_or_in_the_middle_of_a_message() {
    let server = Running::start("");
    let silent: Vec<TcpStream> = (0..CROWD).map(|_| greeted(server.connect())).collect();
    for mut stream in &silent[..CROWD / 2] {
        stream.write_all(&framed(&[question()])[..6]).unwrap();
    }
    thread::scope(|scope| {
        for _ in 0..CROWD {
            scope.spawn(|| assert_serves(&server));
        }
    });
    // Those in the middle go on where they were.
    let mut stream = &silent[0];
    stream.write_all(&framed(&[question()])[6..]).unwrap();
    let mut reply = vec![0; framed(&[answer()]).len()];
    stream.read_exact(&mut reply).unwrap();
    assert_eq!(reply, framed(&[answer()]));
}

#[test]
fn a_client_beyond_the_bound_is_served_when_another_one_leaves() {
    let server = Running::start("--max-clients 1");
    let first = greeted(server.connect());
    ask(&first).unwrap();
    let second = server.connect();
    drop(first);
    ask(&greeted(second)).unwrap();
}

#[test]
fn a_message_that_is_split_at_any_byte_gets_one_reply() {
    let server = Running::start("");
    let (message, reply) = (framed(&[question()]), framed(&[answer()]));
    let mut stream = greeted(server.connect());
    for split in 0..=message.len() {
        // One write, so once the server has answered the first message it has this part of
        // the second as well.
        stream.write_all(&[&message, &message[..split]].concat()).unwrap();
        let mut got = vec![0; reply.len()];
        stream.read_exact(&mut got).unwrap();
        stream.write_all(&message[split..]).unwrap();
        stream.read_exact(&mut got).unwrap();
        assert_eq!(got, reply, "split at {split}");
    }
}

#[test]
fn messages_that_arrive_together_are_answered_one_by_one_and_then_the_stream_ends() {
    let server = Running::start("");
    let mut stream = greeted(server.connect());
    stream.write_all(&framed(&[question()]).repeat(5)).unwrap();
    stream.shutdown(Side::Write).unwrap();
    let mut replies = Vec::new();
    stream.read_to_end(&mut replies).unwrap();
    assert_eq!(replies, framed(&[answer()]).repeat(5));
}

#[test]
fn a_message_that_is_cut_at_any_byte_gets_no_reply() {
    let server = Running::start("");
    let whole = framed(&[question()]);
    for cut in 0..whole.len() {
        let mut stream = greeted(server.connect());
        stream.write_all(&whole[..cut]).unwrap();
        stream.shutdown(Side::Write).unwrap();
        assert_closed_without_a_word(&stream);
    }
    assert_serves(&server);
}

#[test]
fn a_length_over_the_limit_is_refused_without_waiting_for_the_message() {
    let server = Running::start("--max-message 1k");
    for length in [1025, u32::MAX] {
        let mut stream = greeted(server.connect());
        stream.write_all(&length.to_be_bytes()).unwrap();
        assert_closed_without_a_word(&stream);
    }
    assert_serves(&server);
}

#[test]
fn a_client_of_another_protocol_is_refused() {
    let server = Running::start("");
    let mut stream = greeted(server.connect());
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    assert_closed_without_a_word(&stream);
    assert_serves(&server);
}

#[test]
fn a_client_that_hangs_up_midway_does_not_stop_the_server() {
    let server = Running::start("");
    let mut rude = greeted(server.connect());
    rude.write_all(&framed(&[question()])[..8]).unwrap();
    // Closing becomes a reset: the server's next read or write fails.
    SockRef::from(&rude).set_linger(Some(Duration::ZERO)).unwrap();
    drop(rude);
    assert_serves(&server);
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_client() {
    Running::start("").stop().unwrap();
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_the_rest_of_a_message() {
    let server = Running::start("");
    let mut stream = greeted(server.connect());
    // Once the first message is answered, the server is known to have the beginning of the
    // second.
    stream
        .write_all(&[framed(&[question()]), framed(&[question()])[..5].to_vec()].concat())
        .unwrap();
    let mut reply = framed(&[answer()]);
    stream.read_exact(&mut reply).unwrap();
    let address = server.address;
    let stopping = thread::spawn(|| server.stop());
    assert_closed_without_a_word(&stream);
    drop(stream);
    stopping.join().unwrap().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_silent_client_is_dropped_and_others_are_served_meanwhile() {
    let server = Running::start(IDLE);
    let silent = greeted(server.connect());
    assert_serves(&server);
    assert_closed_without_a_word(&silent);
}

#[test]
fn a_client_that_drips_one_message_is_dropped_at_the_idle_limit() {
    let server = Running::start(IDLE);
    let mut dripping = greeted(server.connect());
    dripping.write_all(&60_000_u32.to_be_bytes()).unwrap();
    let started = Instant::now();
    // The pause is the fault itself: a byte now and then. It ends when the server has
    // closed the connection.
    while dripping.write_all(b".").is_ok() {
        assert!(started.elapsed() < GENEROUS);
        thread::sleep(SHORT / 10);
    }
    assert_serves(&server);
}

#[test]
fn a_client_that_asks_within_the_idle_limit_is_dropped_at_the_total_one() {
    let server = Running::start(TOTAL);
    let busy = greeted(server.connect());
    let started = Instant::now();
    // The pause is the fault itself, as above.
    while ask(&busy).is_ok() {
        assert!(started.elapsed() < GENEROUS);
        thread::sleep(SHORT / 10);
    }
    assert_serves(&server);
}

#[test]
fn a_client_that_never_reads_is_dropped() {
    let server = Running::start(IDLE);
    let mut deaf = greeted(server.connect());
    let questions = framed(&[question()]).repeat(1000);
    // The server's answers fill every buffer on the way. At the limit it ends its side, and a
    // moment later, though the client still sends, the connection.
    let started = Instant::now();
    while deaf.write_all(&questions).is_ok() {
        assert!(started.elapsed() < GENEROUS, "every question was taken");
    }
    assert_serves(&server);
}

#[test]
fn the_server_ends_when_nobody_comes_in_time() {
    let mut server = Running::start("--accept-timeout 300ms");
    server.wait().unwrap();
    assert!(TcpStream::connect(server.address).is_err());
}
