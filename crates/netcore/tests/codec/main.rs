//! The codec on memory instead of a stream: what round trips, what is refused, and what
//! a hostile message cannot do.
#![cfg(feature = "codec")]

mod claims;
mod messages;
mod nesting;
mod shapes;

use std::collections::BTreeMap;
use std::fmt::Debug;

use netcore::codec::{Codec, ValueError};
use proptest::prelude::*;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

const VERSION: u8 = 7;
const MAX: usize = 64 << 10;
const DEPTH: usize = 64;
const CODEC: Codec = Codec::new(VERSION, MAX, DEPTH);

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
        let _ = CODEC.decode::<Option<nesting::Endless>>(&message);
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
