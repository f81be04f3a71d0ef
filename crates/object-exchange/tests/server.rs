//! The server in the test's own process, on a port of its own.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use netcore::codec::{Codec, HEADER, MAX_BYTES};
use netcore::frame;
use netcore::listen;
use netcore::shutdown::{DRAIN, Shutdown};
use object_exchange::client::{self, Stream};
use object_exchange::message::{Refusal, Reply, Request, Value};
use object_exchange::{Limits, MAX_DEPTH, Options, VERSION, server};
use socket2::SockRef;

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// Beyond [`GENEROUS`], so that a server which waits for its own limit is told from one
/// that ends at once.
const FAR: Duration = Duration::from_secs(600);

/// Of the longest messages, which is 64 MiB: more than all the buffers on the way hold.
const DEAF_MESSAGES: usize = 1024;

/// Short beside [`GENEROUS`], so that a limit which did not work could not be mistaken
/// for a slow machine.
const SHORT: Duration = Duration::from_millis(300);

const MAX_MESSAGE: usize = 64 << 10;

/// Limits that no test comes near unless it sets its own.
const OPTIONS: Options = Options {
    limits: Limits { max_message: MAX_MESSAGE },
    accept_timeout: None,
    idle: FAR,
    total: FAR,
};

const CODEC: Codec = Codec::new(VERSION, MAX_BYTES, MAX_DEPTH);

/// A server that is told to stop and waited for on every way out of a test.
struct Running {
    address: SocketAddr,
    shutdown: Shutdown,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Running {
    fn start(options: Options) -> Running {
        let shutdown = Shutdown::new(DRAIN).unwrap();
        let listener = listen::tcp("127.0.0.1", 0).unwrap();
        let address = listener.local_addr().unwrap();
        let handle = shutdown.clone();
        let thread = Some(thread::spawn(move || server::serve(listener, &options, &handle)));
        Running { address, shutdown, thread }
    }

    fn connect(&self) -> TcpStream {
        connect(self.address)
    }

    /// The promise after every fault: an ordinary client is served.
    #[track_caller]
    fn assert_serves(&self) {
        let stream = self.connect();
        let mut stream = greeted(&stream);
        assert_eq!(ask(&mut stream, question()), answer());
    }

    fn stop(mut self) -> io::Result<()> {
        self.shutdown.stop();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.shutdown.stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What the tests ask where any request will do. Whoever changes the protocol changes
/// this and its answer with it.
fn question() -> Request {
    Request::Get(1)
}

fn answer() -> Reply {
    Reply::Entry(Some("hi".into()))
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    stream.set_write_timeout(Some(GENEROUS)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// The connection with its buffer, after the greeting.
#[track_caller]
fn greeted(stream: &TcpStream) -> Stream<'_> {
    let mut stream = client::buffered(stream);
    client::greeting(&mut stream, &CODEC).unwrap();
    stream
}

#[track_caller]
fn ask(stream: &mut Stream, request: Request) -> Reply {
    client::exchange(stream, &request, &CODEC).unwrap()
}

/// Sends a frame that holds these bytes, whatever they are, and returns the reply.
#[track_caller]
fn ask_with_bytes(stream: &mut Stream, message: &[u8]) -> Reply {
    CODEC.write(stream.get_mut(), message).unwrap();
    CODEC.read(stream, &mut Vec::new()).unwrap().unwrap()
}

fn encoded(request: &Request) -> Vec<u8> {
    let mut message = Vec::new();
    CODEC.encode(request, &mut message).unwrap();
    message
}

fn framed(request: &Request) -> Vec<u8> {
    let mut bytes = Vec::new();
    CODEC.write(&mut bytes, &encoded(request)).unwrap();
    bytes
}

/// A list in a list in a list, without the recursion that would build it as a value.
fn nested(lists: usize) -> Vec<u8> {
    let mut message = vec![VERSION, 2];
    message.extend([5, 1].repeat(lists));
    message.extend([5, 0]);
    message
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// Reads to the end, which a server that drops its client with bytes unread makes a
/// reset.
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
fn the_greeting_comes_first_and_is_the_map() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let greeting = client::greeting(&mut client::buffered(&stream), &CODEC).unwrap();
    assert_eq!(greeting.0, BTreeMap::from([(1, "hi".into()), (2, "there".into())]));
    assert_eq!(greeting.to_string(), r#"{1: "hi", 2: "there"}"#);
}

#[test]
fn the_greeting_has_the_bytes_that_the_protocol_says() {
    let server = Running::start(OPTIONS);
    let mut bytes = [0; 17];
    server.connect().read_exact(&mut bytes).unwrap();
    // The length of the frame; the version; two entries; each a number, the length of its
    // text, and the text.
    assert_eq!(&bytes, b"\0\0\0\x0d\x01\x02\x01\x02hi\x02\x05there");
}

#[test]
fn every_request_gets_its_reply() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let mut stream = greeted(&stream);
    assert_eq!(ask(&mut stream, Request::Get(1)), Reply::Entry(Some("hi".into())));
    assert_eq!(ask(&mut stream, Request::Get(3)), Reply::Entry(None));
    assert_eq!(
        ask(&mut stream, Request::Upper("straße, мир".into())),
        Reply::Upper("STRASSE, МИР".into())
    );
    assert_eq!(ask(&mut stream, Request::Echo(text(""))), Reply::Echo(text("")));
}

#[test]
fn a_value_of_every_kind_comes_back_as_it_was() {
    let server = Running::start(OPTIONS);
    let value = Value::List(vec![
        Value::Integer(i64::MIN),
        Value::Float(-0.1),
        Value::Float(f64::INFINITY),
        text("Привет, сервер!"),
        Value::Bytes((0..=255).collect()),
        Value::Optional(None),
        Value::Optional(Some(Box::new(Value::List(vec![text("inside"), Value::List(vec![])])))),
    ]);
    let stream = server.connect();
    assert_eq!(ask(&mut greeted(&stream), Request::Echo(value.clone())), Reply::Echo(value));
}

#[test]
fn the_largest_message_is_answered_and_a_larger_one_refused_without_reading_it() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let mut stream = greeted(&stream);
    // The version, the request, the kind of the value, and four bytes of length stand
    // before the bytes.
    let largest = Value::Bytes(vec![7; MAX_MESSAGE - 6]);
    assert_eq!(encoded(&Request::Echo(largest.clone())).len(), MAX_MESSAGE);
    assert_eq!(ask(&mut stream, Request::Echo(largest.clone())), Reply::Echo(largest));
    let header = (MAX_MESSAGE as u32 + 1).to_be_bytes();
    stream.get_mut().write_all(&header).unwrap();
    assert_eq!(CODEC.read::<Reply>(&mut stream, &mut Vec::new()).unwrap(), None);
    server.assert_serves();
}

#[test]
fn a_request_that_arrives_byte_by_byte_and_two_that_arrive_together_are_each_answered() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let mut stream = greeted(&stream);
    for byte in framed(&Request::Get(1)) {
        stream.get_mut().write_all(&[byte]).unwrap();
    }
    let two = [framed(&Request::Get(2)), framed(&Request::Get(3))].concat();
    stream.get_mut().write_all(&two).unwrap();
    for entry in [Some("hi".into()), Some("there".into()), None] {
        let reply = CODEC.read(&mut stream, &mut Vec::new()).unwrap();
        assert_eq!(reply, Some(Reply::Entry(entry)));
    }
}

#[test]
fn each_whole_message_that_is_no_request_is_refused_by_name_and_the_conversation_goes_on() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let mut stream = greeted(&stream);
    let mut trailing = encoded(&question());
    trailing.push(0);
    let mut other_version = encoded(&question());
    other_version[0] = 2;
    let claims_64_gib = [&[VERSION, 1, 253][..], &(64_u64 << 30).to_le_bytes()].concat();
    let not_text = [VERSION, 1, 1, 0xff];
    for (message, refusal) in [
        (&other_version[..], Refusal::WrongVersion { ours: VERSION }),
        (&[], Refusal::Undecodable),
        (b"GET / HTTP/1.1\r\n\r\n", Refusal::WrongVersion { ours: VERSION }),
        (&[VERSION, 99], Refusal::Undecodable),
        (&[VERSION, 1, 5, b'c', b'u', b't'], Refusal::Undecodable),
        (&not_text, Refusal::Undecodable),
        (&claims_64_gib, Refusal::Undecodable),
        (&trailing, Refusal::TrailingBytes),
        (&nested(10_000), Refusal::TooDeep),
    ] {
        assert_eq!(ask_with_bytes(&mut stream, message), Reply::Refused(refusal), "{message:?}");
        assert_eq!(ask(&mut stream, question()), answer());
    }
}

#[test]
fn nesting_is_answered_up_to_the_limit() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let mut stream = greeted(&stream);
    // The request is one level, each list two.
    let deepest = MAX_DEPTH / 2 - 2;
    assert!(matches!(ask_with_bytes(&mut stream, &nested(deepest)), Reply::Echo(_)));
    assert_eq!(ask_with_bytes(&mut stream, &nested(deepest + 1)), Reply::Refused(Refusal::TooDeep));
}

#[test]
fn an_answer_over_the_limit_is_refused_before_any_of_it_is_sent() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let mut stream = greeted(&stream);
    // Two bytes each, and three in upper case.
    let grows = Request::Upper("ŉ".repeat(MAX_MESSAGE / 2 - 8));
    assert_eq!(ask(&mut stream, grows), Reply::Refused(Refusal::AnswerTooLong));
    assert_eq!(ask(&mut stream, question()), answer());
}

#[test]
fn a_message_that_is_cut_short_gets_no_reply() {
    let server = Running::start(OPTIONS);
    let whole = framed(&Request::Upper("hello".into()));
    for cut in 1..whole.len() {
        let mut stream = server.connect();
        greeted(&stream);
        stream.write_all(&whole[..cut]).unwrap();
        stream.shutdown(Side::Write).unwrap();
        assert_closed_without_a_word(&stream);
    }
    server.assert_serves();
}

#[test]
fn a_length_over_the_limit_closes_the_connection_at_once() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    let mut buffered = greeted(&stream);
    // The other bytes never come: a server that waited for them would wait for its own
    // limit.
    buffered.get_mut().write_all(&u32::MAX.to_be_bytes()).unwrap();
    assert_closed_without_a_word(&stream);
    server.assert_serves();
}

#[test]
fn a_client_that_half_closes_gets_every_reply_and_then_the_end_of_the_stream() {
    let server = Running::start(OPTIONS);
    let mut stream = server.connect();
    stream.write_all(&framed(&question()).repeat(2)).unwrap();
    let (mut buffered, mut message) = (greeted(&stream), Vec::new());
    stream.shutdown(Side::Write).unwrap();
    let mut read = || CODEC.read::<Reply>(&mut buffered, &mut message).unwrap();
    assert_eq!(read(), Some(answer()));
    assert_eq!(read(), Some(answer()));
    assert_eq!(read(), None);
}

#[test]
fn a_client_that_hangs_up_midway_does_not_stop_the_server() {
    let server = Running::start(OPTIONS);
    let mut rude = server.connect();
    rude.write_all(b"\0\0\0\x20half a mess").unwrap();
    // Closing becomes a reset: the server's next read or write fails.
    SockRef::from(&rude).set_linger(Some(Duration::ZERO)).unwrap();
    drop(rude);
    server.assert_serves();
}

#[test]
fn a_silent_client_is_dropped_and_the_next_one_served() {
    let server = Running::start(Options { idle: SHORT, ..OPTIONS });
    let silent = server.connect();
    greeted(&silent);
    assert_closed_without_a_word(&silent);
    server.assert_serves();
}

#[test]
fn a_client_that_drips_a_message_is_dropped_at_the_idle_limit() {
    let server = Running::start(Options { idle: SHORT, ..OPTIONS });
    let mut dripping = server.connect();
    dripping.write_all(&(MAX_MESSAGE as u32).to_be_bytes()).unwrap();
    let started = Instant::now();
    // The pause is the fault itself: a byte now and then. It ends when the server has
    // closed the connection.
    while dripping.write_all(b".").is_ok() {
        assert!(started.elapsed() < GENEROUS);
        thread::sleep(SHORT / 10);
    }
    server.assert_serves();
}

#[test]
fn a_client_that_is_always_busy_is_dropped_at_the_total_limit() {
    let server = Running::start(Options { total: SHORT, ..OPTIONS });
    let stream = server.connect();
    let mut busy = greeted(&stream);
    let started = Instant::now();
    while client::exchange(&mut busy, &question(), &CODEC).is_ok() {
        assert!(started.elapsed() < GENEROUS);
    }
    server.assert_serves();
}

#[test]
fn a_client_that_never_reads_is_dropped() {
    let server = Running::start(Options { idle: SHORT, ..OPTIONS });
    let mut deaf = server.connect();
    let request = framed(&Request::Echo(Value::Bytes(vec![b'x'; MAX_MESSAGE - 6])));
    // The server's replies fill every buffer on the way, and then it closes the connection.
    // With replies that are too short for that, as a copy of this rung may have, nobody
    // would be dropped, and this not end.
    let dropped = (0..DEAF_MESSAGES).any(|_| deaf.write_all(&request).is_err());
    assert!(dropped, "every message was taken");
    server.assert_serves();
}

#[test]
fn the_server_ends_when_nobody_comes_in_time() {
    let mut server = Running::start(Options { accept_timeout: Some(SHORT), ..OPTIONS });
    server.thread.take().unwrap().join().unwrap().unwrap();
    assert!(TcpStream::connect(server.address).is_err());
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_client() {
    let server = Running::start(OPTIONS);
    server.stop().unwrap();
}

#[test]
fn a_stop_ends_the_server_while_it_waits_for_a_request() {
    let server = Running::start(OPTIONS);
    let stream = server.connect();
    // After one exchange the server is known to be in this connection.
    let mut buffered = greeted(&stream);
    assert_eq!(ask(&mut buffered, question()), answer());
    let address = server.address;
    server.stop().unwrap();
    assert_closed_without_a_word(&stream);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn a_client_tells_a_server_that_closes_or_says_something_else_from_a_reply() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let other = thread::spawn(move || {
        let mut closes = listener.accept().unwrap().0;
        closes.shutdown(Side::Write).unwrap();
        let mut speaks_another_version = listener.accept().unwrap().0;
        frame::write(&mut speaks_another_version, HEADER, MAX_MESSAGE, b"\x02").unwrap();
        // Ends when the client has closed.
        let _ = closes.read(&mut [0; 1]);
    });
    let greeting =
        |stream: &TcpStream| client::greeting(&mut client::buffered(stream), &CODEC).unwrap_err();
    let stream = connect(address);
    assert_eq!(greeting(&stream).kind(), ErrorKind::UnexpectedEof);
    let error = greeting(&connect(address));
    assert_eq!(error.to_string(), "version 2, where 1 is spoken");
    drop(stream);
    other.join().unwrap();
}
