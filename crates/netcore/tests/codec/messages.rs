//! What is no message of this version, what is too long for one, and how messages follow
//! each other in a stream.

use std::io::{self, Write};

use netcore::codec::{Codec, MAX_BYTES, ValueError};
use netcore::frame::FrameError;
use serde::Serialize;

use crate::{CODEC, DEPTH, MAX, VERSION, Value, assert_undecodable, encode, nested};

#[test]
fn another_version_is_refused_unread() {
    let wrong = ValueError::WrongVersion { theirs: 8, ours: VERSION };
    assert_eq!(CODEC.decode::<String>(b"\x08\xff\xff"), Err(wrong));
    assert_undecodable::<String>(b"", "empty");
}

#[test]
fn bytes_after_the_value_are_refused() {
    let mut message = encode(&"text");
    message.extend_from_slice(b"more");
    assert_eq!(CODEC.decode::<String>(&message), Err(ValueError::TrailingBytes(4)));
}

#[test]
fn a_value_over_the_limit_is_an_error_before_anything_is_written() {
    let mut message = Vec::new();
    let text = |bytes| "x".repeat(bytes);
    // Version and length take four bytes.
    CODEC.encode(&text(MAX - 4), &mut message).unwrap();
    assert_eq!(message.len(), MAX);
    assert_eq!(CODEC.encode(&text(MAX - 3), &mut message), Err(ValueError::TooLong { max: MAX }));
    assert!(message.len() <= MAX);
    let without_length = CODEC.encode(&Stream, &mut message);
    assert!(matches!(without_length, Err(ValueError::Unencodable(_))), "{without_length:?}");
}

/// A list that does not know how long it will be.
struct Stream;

impl Serialize for Stream {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq;
        serializer.serialize_seq(None)?.end()
    }
}

#[test]
fn no_limit_is_above_that_of_the_codec() {
    let codec = Codec::new(VERSION, usize::MAX, DEPTH);
    let mut message = Vec::new();
    let text = "x".repeat(MAX_BYTES);
    assert_eq!(codec.encode(&text, &mut message), Err(ValueError::TooLong { max: MAX_BYTES }));
    // Version and length take six bytes: the longest message that can be written can also
    // be read.
    codec.encode(&&text[6..], &mut message).unwrap();
    assert_eq!(message.len(), MAX_BYTES);
    assert!(codec.decode::<String>(&message).unwrap() == text[6..]);
}

#[test]
fn a_whole_frame_with_a_bad_value_does_not_end_the_conversation() {
    let mut stream = Vec::new();
    for message in [&b"\xff"[..], b"", &nested(10_000), &encode(&Value::Unit)] {
        CODEC.write(&mut stream, message).unwrap();
    }
    let (mut stream, mut message) = (&stream[..], Vec::new());
    let mut read = || CODEC.read::<Value>(&mut stream, &mut message);
    assert!(matches!(read(), Ok(Some(Err(ValueError::WrongVersion { .. })))));
    assert!(matches!(read(), Ok(Some(Err(ValueError::Undecodable(_))))));
    assert!(matches!(read(), Ok(Some(Err(ValueError::TooDeep { .. })))));
    assert!(matches!(read(), Ok(Some(Ok(Value::Unit)))));
    assert!(matches!(read(), Ok(None)));
}

#[test]
fn a_frame_that_is_not_whole_ends_the_conversation() {
    let mut message = Vec::new();
    let mut read = |mut stream: &[u8]| CODEC.read::<Value>(&mut stream, &mut message);
    assert!(matches!(read(b"\0\0\0\x09cut"), Err(FrameError::CutShort)));
    assert!(matches!(read(b"\xff\xff\xff\xff"), Err(FrameError::TooLong { .. })));
}

#[test]
fn a_frame_is_one_write() {
    struct Calls(Vec<usize>);
    impl Write for Calls {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.push(bytes.len());
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut calls = Calls(Vec::new());
    CODEC.write(&mut calls, &encode(&"hello")).unwrap();
    assert_eq!(calls.0, [4 + 1 + 1 + 5]);
}
