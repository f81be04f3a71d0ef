//! What a type asks of the format, with the type's visitor wrapped.

use serde::de::{DeserializeSeed, Deserializer, Error, VariantAccess, Visitor};

use super::budget::Bounded;
use super::lengths::Claimed;

/// The parts of a list or a map on the wire, see [`lengths`](super::lengths).
const LENGTH_AND_ITEMS: usize = 2;

/// The mistake is in the type, and every message meets it.
fn asks_the_message<E: Error>() -> E {
    E::custom("the type asks the message what it holds (`untagged`, `tag`), and no name is in it")
}

/// Methods that hand a request of the type on to the format, with the type's visitor
/// wrapped.
macro_rules! ask {
    ($($method:ident($($arg:ident: $type:ty),*))*) => {$(
        fn $method<V: Visitor<'de>>(self, $($arg: $type,)* visitor: V) -> Result<V::Value, Self::Error> {
            let visitor = self.same(visitor);
            self.inner.$method($($arg,)* visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Bounded<'_, D> {
    type Error = D::Error;

    ask! {
        deserialize_bool() deserialize_char() deserialize_str() deserialize_bytes()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_option() deserialize_unit()
        deserialize_identifier()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let claimed = Claimed::List(self.same(visitor));
        self.inner.deserialize_tuple(LENGTH_AND_ITEMS, claimed)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let claimed = Claimed::Map(self.same(visitor));
        self.inner.deserialize_tuple(LENGTH_AND_ITEMS, claimed)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
        Err(asks_the_message())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, D::Error> {
        Err(asks_the_message())
    }

    // Asked for an owned string, bincode reserves the length that the message claims before
    // it looks whether so much has come. Asked for a borrowed one it looks first, and
    // the type makes its copy from that.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_str(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.deserialize_bytes(visitor)
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    ask! {
        tuple_variant(len: usize)
        struct_variant(fields: &'static [&'static str])
    }

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.same(seed);
        self.inner.newtype_variant_seed(seed)
    }
}
