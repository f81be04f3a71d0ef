//! What the server answers to which request. It goes with the protocol.

use std::collections::BTreeMap;
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown as Side, SocketAddr, TcpListener, TcpStream};
use std::thread;

use netcore::codec::client::{self, buffered};
use netcore::codec::{Codec, DEPTH, HEADER, MAX_BYTES, Refusal, Value};
use netcore::connection::Connection;
use netcore::frame;
use netcore::testing::{Running, Setup};
use object_exchange::message::{Greeting, Reply, Request, VERSION};
use suite::{service, suite};

mod suite;

/// The default of `--max-message`.
const MAX_MESSAGE: usize = 64 << 10;
const CODEC: Codec = Codec::new(VERSION, MAX_MESSAGE, DEPTH);

type Stream = BufReader<Connection>;

fn connect(address: SocketAddr) -> Stream {
    buffered(Connection::of_client(TcpStream::connect(address).unwrap()).unwrap())
}

/// A connection with its buffer, after the greeting.
#[track_caller]
fn greeted(server: &Running) -> Stream {
    let mut stream = connect(server.address);
    client::receive::<Greeting>(&mut stream, &CODEC).unwrap();
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
    client::receive(stream, &CODEC).unwrap()
}

fn encoded(value: &impl serde::Serialize) -> Vec<u8> {
    let mut message = Vec::new();
    CODEC.encode(value, &mut message).unwrap();
    message
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

/// The protocol, byte by byte. A type that has changed so that this fails is another
/// protocol: give it another [`VERSION`], and write its bytes down here.
#[test]
fn the_bytes_of_this_version_are_these() {
    assert_eq!(VERSION, 1);
    let some = Value::Optional(Some(Box::new(Value::Bool(true))));
    let map = Value::Map(BTreeMap::from([("k".into(), Value::Integer(-1))]));
    let values = [
        (Value::Integer(300), &b"\x00\xfb\x58\x02"[..]),
        (Value::Float(1.5), b"\x01\0\0\0\0\0\0\xf8\x3f"),
        (text("hi"), b"\x02\x02hi"),
        (Value::Bytes(vec![255, 0]), b"\x03\x02\xff\0"),
        (Value::Optional(None), b"\x04\0"),
        (some, b"\x04\x01\x06\x01"),
        (Value::List(vec![Value::Integer(1)]), b"\x05\x01\0\x02"),
        (map, b"\x07\x01\x01k\0\x01"),
    ];
    let mut pinned = vec![
        (encoded(&Greeting::from([(1, "hi".into())])), b"\x01\x01\x01\x02hi".to_vec()),
        (encoded(&Request::Get(2)), b"\x01\0\x02".into()),
        (encoded(&Request::Upper("hi".into())), b"\x01\x01\x02hi".into()),
        (encoded(&Reply::Entry(Some("hi".into()))), b"\x01\0\x01\x02hi".into()),
        (encoded(&Reply::Entry(None)), b"\x01\0\0".into()),
        (encoded(&Reply::Upper("HI".into())), b"\x01\x01\x02HI".into()),
    ];
    for (value, bytes) in values {
        pinned.push((encoded(&Request::Echo(value.clone())), [b"\x01\x02", bytes].concat()));
        pinned.push((encoded(&Reply::Echo(value)), [b"\x01\x02", bytes].concat()));
    }
    for (refusal, bytes) in [
        (Refusal::WrongVersion { ours: VERSION }, &b"\0\x01"[..]),
        (Refusal::Undecodable, b"\x01"),
        (Refusal::TooDeep, b"\x02"),
        (Refusal::TrailingBytes, b"\x03"),
        (Refusal::AnswerTooLong, b"\x04"),
    ] {
        pinned.push((encoded(&Reply::Refused(refusal)), [b"\x01\x03", bytes].concat()));
    }
    for (number, (bytes, expected)) in pinned.iter().enumerate() {
        assert_eq!(bytes, expected, "number {number}");
    }
}

#[test]
fn the_greeting_comes_first_and_is_the_map() {
    let server = suite().start(Setup::default());
    let mut bytes = [0; 17];
    server.connect().stream().read_exact(&mut bytes).unwrap();
    // The length of the frame; the version; two entries; each a number, the length of its
    // text, and the text.
    assert_eq!(&bytes, b"\0\0\0\x0d\x01\x02\x01\x02hi\x02\x05there");
}

#[test]
fn every_request_gets_its_reply() {
    let server = suite().start(Setup::default());
    let mut stream = greeted(&server);
    assert_eq!(ask(&mut stream, Request::Get(1)), Reply::Entry(Some("hi".into())));
    assert_eq!(ask(&mut stream, Request::Get(3)), Reply::Entry(None));
    let upper = ask(&mut stream, Request::Upper("straße, мир".into()));
    assert_eq!(upper, Reply::Upper("STRASSE, МИР".into()));
    assert_eq!(ask(&mut stream, Request::Echo(text(""))), Reply::Echo(text("")));
}

#[test]
fn a_value_of_every_kind_comes_back_as_it_was() {
    let server = suite().start(Setup::default());
    let value = Value::List(vec![
        Value::Integer(i64::MIN),
        Value::Float(-0.1),
        Value::Float(f64::INFINITY),
        text("Привет, сервер!"),
        Value::Bytes((0..=255).collect()),
        Value::Bool(false),
        Value::Optional(None),
        Value::Optional(Some(Box::new(Value::List(vec![text("inside"), Value::List(vec![])])))),
        Value::Map(BTreeMap::from([("key".into(), Value::Map(BTreeMap::new()))])),
    ]);
    let reply = ask(&mut greeted(&server), Request::Echo(value.clone()));
    assert_eq!(reply, Reply::Echo(value));
}

#[test]
fn the_largest_message_is_answered_and_a_larger_one_refused_without_reading_it() {
    let server = suite().start(Setup::default());
    let mut stream = greeted(&server);
    // The version, the request, the kind of the value, and four bytes of length stand
    // before the bytes.
    let largest = Value::Bytes(vec![7; MAX_MESSAGE - 6]);
    assert_eq!(encoded(&Request::Echo(largest.clone())).len(), MAX_MESSAGE);
    assert_eq!(ask(&mut stream, Request::Echo(largest.clone())), Reply::Echo(largest));
    stream.get_mut().write_all(&(MAX_MESSAGE as u32 + 1).to_be_bytes()).unwrap();
    assert_eq!(CODEC.read::<Reply>(&mut stream, &mut Vec::new()).unwrap(), None);
}

#[test]
fn each_whole_message_that_is_no_request_is_refused_by_name_and_the_conversation_goes_on() {
    let server = suite().start(Setup::default());
    let mut stream = greeted(&server);
    let question = || Request::Get(1);
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
        assert_eq!(ask(&mut stream, question()), Reply::Entry(Some("hi".into())));
    }
}

#[test]
fn nesting_is_answered_up_to_the_limit() {
    let server = suite().start(Setup::default());
    let mut stream = greeted(&server);
    // The request is one level, each list two.
    let deepest = DEPTH / 2 - 2;
    assert!(matches!(ask_with_bytes(&mut stream, &nested(deepest)), Reply::Echo(_)));
    assert_eq!(ask_with_bytes(&mut stream, &nested(deepest + 1)), Reply::Refused(Refusal::TooDeep));
}

#[test]
fn a_reply_may_use_the_stack_that_std_gives_a_thread() {
    // A copy's `reply` runs in such a thread. JSON as deep as serde_json reads it takes
    // more than an echo does, in a build without optimization most of all.
    let deepest = format!("{}{}", "[".repeat(127), "]".repeat(127));
    thread::scope(|scope| {
        let reply = thread::Builder::new().spawn_scoped(scope, || {
            serde_json::from_str::<serde_json::Value>(&deepest).unwrap().to_string()
        });
        assert_eq!(reply.unwrap().join().unwrap(), deepest);
    });
}

#[test]
fn an_answer_over_the_limit_is_refused_before_any_of_it_is_sent() {
    let server = suite().start(Setup::default());
    let mut stream = greeted(&server);
    // Two bytes each, and three in upper case.
    let grows = Request::Upper("ŉ".repeat(MAX_MESSAGE / 2 - 8));
    assert_eq!(ask(&mut stream, grows), Reply::Refused(Refusal::AnswerTooLong));
    assert_eq!(ask(&mut stream, Request::Get(2)), Reply::Entry(Some("there".into())));
}

#[test]
fn a_limit_below_the_greeting_is_wrong_usage() {
    let small = Codec::new(VERSION, 12, DEPTH);
    let greeting = service().greeting();
    assert!(small.has_room_for("the greeting", &greeting).is_err());
    assert!(Codec::new(VERSION, 13, DEPTH).has_room_for("the greeting", &greeting).is_ok());
    assert!(service().messages.max_message <= MAX_BYTES);
}

#[test]
fn a_client_takes_no_reply_that_it_has_not_asked_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut stream = connect(listener.local_addr().unwrap());
    let mut server = listener.accept().unwrap().0;
    // The greeting, and a reply before there is a request: in one segment.
    let mut both = Vec::new();
    CODEC.write(&mut both, &encoded(&Greeting::new())).unwrap();
    CODEC.write(&mut both, &encoded(&Reply::Upper("HELLO".into()))).unwrap();
    server.write_all(&both).unwrap();
    client::receive::<Greeting>(&mut stream, &CODEC).unwrap();
    let asked = client::exchange::<_, Reply>(&mut stream, &Request::Upper("hi".into()), &CODEC);
    assert_eq!(asked.unwrap_err().to_string(), "more came than was asked for");
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
    let mut first = connect(address);
    let error = client::receive::<Greeting>(&mut first, &CODEC).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    let error = client::receive::<Greeting>(&mut connect(address), &CODEC).unwrap_err();
    assert_eq!(error.to_string(), "version 2, where 1 is spoken");
    drop(first);
    other.join().unwrap();
}
