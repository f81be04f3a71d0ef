//! The codec on memory instead of a stream: what round trips, what is refused, and what
//! a hostile message cannot do.
#![cfg(feature = "codec")]

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{self, Write};
use std::thread;

use netcore::codec::{Codec, MAX_BYTES, ValueError};
use netcore::frame::FrameError;
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const VERSION: u8 = 7;
const MAX: usize = 64 << 10;
const DEPTH: usize = 64;
const CODEC: Codec = Codec::new(VERSION, MAX, DEPTH);

/// Why a list is refused that cannot be in its message.
const TOO_MANY: &str = "more values than its bytes can hold";

/// Every kind of thing that serde knows, and itself.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
enum Value {
    Unit,
    Bool(bool),
    Small(u8, i16),
    Integer(i64),
    Large(u128),
    Float(f64),
    Char(char),
    Text(String),
    Optional(Option<Box<Value>>),
    List(Vec<Value>),
    Map(BTreeMap<String, Value>),
    Struct { left: Box<Value>, right: Wrapped },
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
struct Wrapped(Box<Value>);

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Unit),
        any::<bool>().prop_map(Value::Bool),
        any::<(u8, i16)>().prop_map(|(a, b)| Value::Small(a, b)),
        any::<i64>().prop_map(Value::Integer),
        any::<u128>().prop_map(Value::Large),
        any::<f64>().prop_map(Value::Float),
        any::<char>().prop_map(Value::Char),
        any::<String>().prop_map(Value::Text),
    ];
    leaf.prop_recursive(8, 128, 8, |inner| {
        prop_oneof![
            proptest::option::of(inner.clone().prop_map(Box::new)).prop_map(Value::Optional),
            proptest::collection::vec(inner.clone(), 0..8).prop_map(Value::List),
            proptest::collection::btree_map(any::<String>(), inner.clone(), 0..4)
                .prop_map(Value::Map),
            (inner.clone(), inner).prop_map(|(left, right)| Value::Struct {
                left: Box::new(left),
                right: Wrapped(Box::new(right))
            }),
        ]
    })
}

fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut message = Vec::new();
    CODEC.encode(value, &mut message).unwrap();
    message
}

/// A message whose value is these bytes.
fn message(parts: &[&[u8]]) -> Vec<u8> {
    let mut message = vec![VERSION];
    for part in parts {
        message.extend_from_slice(part);
    }
    message
}

/// A length as bincode writes the largest ones: a mark and eight bytes.
fn length(length: u64) -> [u8; 9] {
    let mut bytes = [253; 9];
    bytes[1..].copy_from_slice(&length.to_le_bytes());
    bytes
}

/// `List` of one `List` of one ... and in the innermost a `Unit`. Two levels each, one
/// for the innermost and its name.
fn nested(lists: usize) -> Vec<u8> {
    message(&[&[9, 1].repeat(lists), &[0]])
}

#[track_caller]
fn assert_undecodable<T: DeserializeOwned + Debug>(message: &[u8], why: &str) {
    match CODEC.decode::<T>(message) {
        Err(ValueError::Undecodable(said)) => assert!(said.contains(why), "{said}"),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #[test]
    fn every_value_comes_back_as_it_was(value in values()) {
        // Compared as bytes too: a NaN is equal to nothing.
        let message = encode(&value);
        let back: Value = CODEC.decode(&message).unwrap();
        prop_assert_eq!(encode(&back), message);
        prop_assert_eq!(format!("{back:?}"), format!("{value:?}"));
    }

    #[test]
    fn no_bytes_are_more_than_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let message = message(&[&bytes]);
        if let Ok(value) = CODEC.decode::<Value>(&message) {
            prop_assert!(encode(&value).len() <= message.len());
        }
        let _ = CODEC.decode::<BTreeMap<u32, String>>(&message);
        let _ = CODEC.decode::<Vec<Vec<()>>>(&message);
        let _ = CODEC.decode::<Option<Endless>>(&message);
    }

    #[test]
    fn a_message_with_a_few_bytes_changed_is_an_error_or_a_value(
        value in values(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let mut message = encode(&value);
        for (index, byte) in changes {
            let index = index.index(message.len());
            message[index] = byte;
        }
        let _ = CODEC.decode::<Value>(&message);
    }

    #[test]
    fn a_message_that_is_cut_anywhere_is_an_error(value in values(), at in any::<prop::sample::Index>()) {
        let message = encode(&value);
        prop_assert!(CODEC.decode::<Value>(&message[..at.index(message.len())]).is_err());
    }
}

#[test]
fn nine_bytes_that_claim_64_gib_are_an_error() {
    // A default bincode program ends here: "memory allocation of 68719476736 bytes failed".
    let claim = length(64 << 30);
    assert_eq!(claim.len(), 9);
    assert_undecodable::<String>(&message(&[&claim]), "it claims too much");
    assert_undecodable::<Box<str>>(&message(&[&claim]), "it claims too much");
    assert_undecodable::<Vec<u64>>(&message(&[&claim]), TOO_MANY);
    assert_undecodable::<BTreeMap<u32, String>>(&message(&[&claim]), TOO_MANY);
    assert_undecodable::<Value>(&message(&[&[7], &claim]), "it claims too much");
    assert_undecodable::<String>(&message(&[&length(u64::MAX)]), "it claims too much");
}

#[test]
fn a_claim_within_every_limit_is_compared_with_what_has_come() {
    let claim = length(MAX_BYTES as u64 - 64);
    assert_undecodable::<String>(&message(&[&claim, b"short"]), "it ends too early");
    assert_undecodable::<Vec<String>>(&message(&[&claim, b"\0\0\0\0"]), TOO_MANY);
    assert_undecodable::<Vec<u64>>(&message(&[&[3], b"\0\0"]), "it ends too early");
}

#[test]
fn a_length_is_the_same_claim_on_every_width() {
    // Of each of these a `usize` of 32 bits keeps nothing, or one.
    for claim in [1 << 32, (1 << 32) + 1, 1 << 40, u64::MAX << 32] {
        let claim = length(claim);
        assert_undecodable::<Vec<u64>>(&message(&[&claim]), TOO_MANY);
        assert_undecodable::<Vec<u8>>(&message(&[&claim, b"\0"]), TOO_MANY);
        assert_undecodable::<Vec<()>>(&message(&[&claim]), TOO_MANY);
        assert_undecodable::<BTreeMap<u8, ()>>(&message(&[&claim, b"\0"]), TOO_MANY);
        assert_undecodable::<String>(&message(&[&claim]), "it claims too much");
        assert_undecodable::<Value>(&message(&[&[7], &claim]), "it claims too much");
    }
    // A key and a value for each entry: the pairs are counted, and cannot wrap around.
    assert_undecodable::<BTreeMap<u8, u8>>(&message(&[&length((u64::MAX >> 1) + 2)]), TOO_MANY);
}

#[test]
fn a_value_ten_thousand_deep_is_an_error_on_a_small_stack() {
    // A default bincode program ends here: "thread has overflowed its stack".
    let thread = thread::Builder::new().stack_size(512 << 10).spawn(|| {
        let deep = nested(10_000);
        assert_eq!(CODEC.decode::<Value>(&deep), Err(ValueError::TooDeep { max: DEPTH }));
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn the_limit_of_nesting_is_exact() {
    // 31 lists take 62 levels, the unit and its name two.
    assert!(CODEC.decode::<Value>(&nested(31)).is_ok());
    assert_eq!(CODEC.decode::<Value>(&nested(32)), Err(ValueError::TooDeep { max: DEPTH }));
    let options = |depth: usize| message(&[&[1].repeat(depth - 1), &[0]]);
    assert!(Codec::new(VERSION, MAX, 3).decode::<Option<Option<Option<()>>>>(&options(3)).is_ok());
    let too_deep = Codec::new(VERSION, MAX, 2).decode::<Option<Option<Option<()>>>>(&options(3));
    assert_eq!(too_deep, Err(ValueError::TooDeep { max: 2 }));
}

/// No value of this type can exist. Reading one takes no bytes, and never ends by
/// itself.
#[derive(Debug, PartialEq, Deserialize)]
struct Endless(Box<Endless>);

#[test]
fn nesting_that_takes_no_bytes_is_counted_as_well() {
    assert_eq!(CODEC.decode::<Endless>(&[VERSION]), Err(ValueError::TooDeep { max: DEPTH }));
}

#[test]
fn each_way_to_nest_is_counted() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Ways {
        End,
        Newtype(Box<Ways>),
        Tuple(u8, Box<Ways>),
        Struct { inside: Box<Ways> },
        Option(Option<Box<Ways>>),
        Pair((u8, Box<Ways>)),
        Map(BTreeMap<u8, Ways>),
    }
    for way in [&[1][..], &[2, 0], &[3], &[4, 1], &[5, 0], &[6, 1, 0]] {
        let within = message(&[&way.repeat(10), &[0]]);
        assert!(CODEC.decode::<Ways>(&within).is_ok(), "{way:?}");
        let beyond = message(&[&way.repeat(10_000), &[0]]);
        assert_eq!(
            CODEC.decode::<Ways>(&beyond),
            Err(ValueError::TooDeep { max: DEPTH }),
            "{way:?}"
        );
    }
}

#[test]
fn a_list_of_nothing_cannot_be_longer_than_its_message_allows() {
    assert_eq!(CODEC.decode(&encode(&vec![(); 100])), Ok(vec![(); 100]));
    assert_undecodable::<Vec<()>>(&message(&[&length(1 << 40)]), TOO_MANY);
    // Four bytes of a message can hold four times as many values as it may be deep.
    assert_undecodable::<Vec<()>>(&message(&[&[251, 0, 2]]), TOO_MANY);
}

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
fn many_small_numbers_are_counted_by_the_bytes_that_they_take() {
    let codec = Codec::new(VERSION, MAX_BYTES, DEPTH);
    let mut message = Vec::new();
    let numbers = vec![1_u64; MAX_BYTES / 8 + 1];
    codec.encode(&numbers, &mut message).unwrap();
    assert!(codec.decode::<Vec<u64>>(&message).unwrap() == numbers);
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

#[test]
fn a_field_that_is_left_out_is_an_error_and_not_another_value() {
    #[derive(Serialize)]
    struct Entry {
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'static str>,
        count: u8,
    }
    #[derive(Serialize)]
    enum Inside {
        Deep { list: Vec<Option<Entry>> },
    }
    // Read back, the count would be taken for the name.
    let left_out = || Entry { name: None, count: 1 };
    let inside = Inside::Deep { list: vec![None, Some(left_out())] };
    for refused in [
        CODEC.encode(&left_out(), &mut Vec::new()),
        CODEC.encode(&inside, &mut Vec::new()),
        CODEC.encode(&BTreeMap::from([(1, (left_out(),))]), &mut Vec::new()),
    ] {
        let Err(ValueError::Unencodable(why)) = refused else { panic!("{refused:?}") };
        assert!(why.contains("the field name is left out"), "{why}");
    }
    let whole = Entry { name: Some("one"), count: 1 };
    assert_eq!(encode(&whole), message(&[&[1, 3], b"one", &[1]]));
}

#[test]
fn a_type_without_a_fixed_shape_is_refused_in_words() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Rest {
        x: u8,
    }
    #[derive(Debug, Serialize)]
    struct Flat {
        id: u8,
        #[serde(flatten)]
        rest: Rest,
    }
    let refused = CODEC.encode(&Flat { id: 1, rest: Rest { x: 2 } }, &mut Vec::new());
    let Err(ValueError::Unencodable(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("flatten"), "{why}");

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u8),
    }
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Tagged {
        Point { x: u8 },
    }
    assert_undecodable::<Untagged>(&encode(&Untagged::Number(1)), "untagged");
    assert_undecodable::<Tagged>(&encode(&Tagged::Point { x: 1 }), "tag");
}

#[test]
fn attributes_that_leave_the_bytes_alone_are_kept() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "UPPERCASE")]
    struct Entry {
        #[serde(rename = "other")]
        first: u8,
        #[serde(skip)]
        cached: Option<String>,
        #[serde(default)]
        last: bool,
    }
    let entry = Entry { first: 1, cached: Some("not sent".into()), last: true };
    let bytes = encode(&entry);
    assert_eq!(bytes, message(&[&[1, 1]]));
    assert_eq!(CODEC.decode(&bytes), Ok(Entry { cached: None, ..entry }));
}

#[test]
fn no_text_is_asked_for_as_an_owned_one() {
    // Asked for an owned text, bincode reserves what is claimed before it looks.
    let claim = length(MAX_BYTES as u64);
    assert_undecodable::<String>(&message(&[&claim]), "it ends too early");
    assert_undecodable::<std::ffi::CString>(&message(&[&claim]), "it ends too early");
    assert_eq!(CODEC.decode(&message(&[&[2], b"ab"])), Ok(c"ab".to_owned()));
}

#[test]
fn data_of_any_shape_is_plain_json_to_people_and_bytes_on_the_wire() {
    use netcore::codec::Value;
    let text = r#"{"a":[1,-2.5,"мир",null,true],"b":{}}"#;
    let value: Value = serde_json::from_str(text).unwrap();
    assert_eq!(serde_json::to_string(&value).unwrap(), text);
    assert_eq!(CODEC.decode(&encode(&value)), Ok(value));
    let shown = |value: Value| serde_json::to_string(&value).unwrap();
    assert_eq!(shown(Value::Bytes(vec![1, 255])), "[1,255]");
    assert_eq!(shown(Value::Optional(Some(Box::new(Value::Integer(2))))), "2");
    // It would come back as another number.
    assert!(serde_json::from_str::<Value>("18446744073709551615").is_err());
}
