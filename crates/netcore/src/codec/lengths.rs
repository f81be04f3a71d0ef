//! The length of a list or a map, judged before the format believes it.
//!
//! bincode makes a `usize` of the 64 bits on the wire before anyone can look at them: on
//! a machine of 32 bits, 2^40 items become none. In its format a list is its length and
//! then its items, so here it is asked for just that: a pair of a number and of as many
//! items as were found to be possible. The refusal is the same on every width.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::budget::Bounded;

/// What a list or map of the type is made from, with the type's visitor inside.
pub enum Claimed<'b, V> {
    /// Items.
    List(Bounded<'b, V>),
    /// Keys, each with its value.
    Map(Bounded<'b, V>),
}

impl<V> Claimed<'_, V> {
    /// The number of values that a length of `claimed` stands for, if the message can
    /// hold them at all.
    fn values<E: Error>(&self, claimed: u64) -> Result<usize, E> {
        let (budget, each) = match self {
            Claimed::List(visitor) => (visitor.values_left(), 1),
            Claimed::Map(visitor) => (visitor.values_left(), 2),
        };
        let values = claimed.checked_mul(each).and_then(|values| usize::try_from(values).ok());
        values
            .filter(|values| *values <= budget)
            .ok_or_else(|| E::custom("more values than its bytes can hold"))
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Claimed<'_, V> {
    type Value = V::Value;

    /// A pair: the length, which is no value of the type's, and what it counts.
    fn visit_seq<A: SeqAccess<'de>>(self, mut pair: A) -> Result<V::Value, A::Error> {
        let missing = || A::Error::custom("a list without its length");
        let claimed: u64 = pair.next_element()?.ok_or_else(missing)?;
        let values = self.values(claimed)?;
        pair.next_element_seed(Counted { values, claimed: self })?.ok_or_else(missing)
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claimed::List(visitor) | Claimed::Map(visitor) => visitor.expecting(f),
        }
    }
}

/// So many values, one behind the other.
struct Counted<'b, V> {
    values: usize,
    claimed: Claimed<'b, V>,
}

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Counted<'_, V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        match self.claimed {
            Claimed::List(visitor) => deserializer.deserialize_tuple(self.values, visitor),
            Claimed::Map(visitor) => deserializer.deserialize_tuple(self.values, Pairs(visitor)),
        }
    }
}

/// Takes every other value for a key.
struct Pairs<T>(T);

impl<'de, V: Visitor<'de>> Visitor<'de> for Pairs<Bounded<'_, V>> {
    type Value = V::Value;

    fn visit_seq<A: SeqAccess<'de>>(self, values: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Pairs(values))
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }
}

impl<'de, A: SeqAccess<'de>> MapAccess<'de> for Pairs<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        key: K,
    ) -> Result<Option<K::Value>, A::Error> {
        self.0.next_element_seed(key)
    }

    fn next_value_seed<W: DeserializeSeed<'de>>(&mut self, value: W) -> Result<W::Value, A::Error> {
        let missing = || A::Error::custom("a key without its value");
        self.0.next_element_seed(value)?.ok_or_else(missing)
    }
}
