//! A value of whatever shape: the plain data of a program, and no more than data.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A value of whatever shape. In a format for people, such as JSON, it is written as
/// what it is; in one without names, with its kind before it.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// A whole number.
    Integer(i64),
    /// A number with a fraction. JSON knows no infinite one, and none that is no number:
    /// there they are texts, `"NaN"`, `"Infinity"`, `"-Infinity"`.
    Float(f64),
    /// UTF-8 text.
    Text(String),
    /// Bytes that need not be text. JSON knows none: there they are a list of numbers.
    Bytes(Vec<u8>),
    /// A value that may be missing.
    Optional(Option<Box<Value>>),
    /// Values in order, each of any shape.
    List(Vec<Value>),
    /// Yes or no.
    Bool(bool),
    /// Values by name.
    Map(BTreeMap<String, Value>),
}

/// How it is on the wire, where a kind is told by its place: new ones go to the end.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Value")]
enum Tagged {
    Integer(i64),
    Float(f64),
    Text(String),
    Bytes(#[serde(with = "bytes")] Vec<u8>),
    Optional(Option<Box<Value>>),
    List(Vec<Value>),
    Bool(bool),
    Map(BTreeMap<String, Value>),
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if !serializer.is_human_readable() {
            return Tagged::serialize(self, serializer);
        }
        match self {
            Value::Integer(number) => serializer.serialize_i64(*number),
            Value::Float(number) if number.is_finite() => serializer.serialize_f64(*number),
            Value::Float(number) => serializer.serialize_str(not_finite(*number)),
            Value::Text(text) => serializer.serialize_str(text),
            Value::Bytes(bytes) => serializer.collect_seq(bytes),
            Value::Optional(value) => value.serialize(serializer),
            Value::List(items) => serializer.collect_seq(items),
            Value::Bool(yes) => serializer.serialize_bool(*yes),
            Value::Map(entries) => serializer.collect_map(entries),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        match deserializer.is_human_readable() {
            true => deserializer.deserialize_any(AsItIs),
            false => Tagged::deserialize(deserializer),
        }
    }
}

fn not_finite(number: f64) -> &'static str {
    match number {
        f64::INFINITY => "Infinity",
        f64::NEG_INFINITY => "-Infinity",
        _ => "NaN",
    }
}

/// Takes what the format says it has.
struct AsItIs;

impl<'de> Visitor<'de> for AsItIs {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, yes: bool) -> Result<Value, E> {
        Ok(Value::Bool(yes))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Integer(number))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        i64::try_from(number).map(Value::Integer).map_err(|_| E::custom("a number is too large"))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::Text(text.into()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Optional(None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = BTreeMap::new();
        while let Some((name, value)) = entries.next_entry()? {
            map.insert(name, value);
        }
        Ok(Value::Map(map))
    }
}

/// Bytes in one piece. Serde takes a `Vec<u8>` for a list of numbers, and would read
/// and write it one by one.
mod bytes {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        <&[u8]>::deserialize(deserializer).map(<[u8]>::to_vec)
    }
}
