//! Serde's nesting, bounded: a deserializer around another one, of any format.
//!
//! A value that can hold values of its own kind is read by a function that calls
//! itself, one call for each level. The stack ends before a hostile message does, and
//! the process with it; that is no error which could be caught. JSON readers count
//! levels for this reason. bincode does not, so the counting is done here, between the
//! format and the type: whatever one hands to the other is wrapped, and each value
//! inside a value has one level less than the value around it.
//!
//! Two smaller promises of a message are not believed either. A list says how long it
//! is, and serde reserves up to 1 MiB for it at every level; here it grows as its items
//! come. And items that take no bytes, as in `Vec<()>`, can be claimed by the billion;
//! here the number of values is bounded as well.

use std::cell::Cell;
use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor,
};

/// What one message may hold. The counts are of one message: make a new one for the
/// next.
#[derive(Debug)]
pub struct Budget {
    levels: usize,
    values: Cell<usize>,
    too_deep: Cell<bool>,
}

impl Budget {
    /// For at most `levels` of values inside each other, the outermost included, and
    /// `values` in all.
    pub fn new(levels: usize, values: usize) -> Budget {
        Budget { levels, values: Cell::new(values), too_deep: Cell::new(false) }
    }

    /// Whether the levels did not suffice. The format's own error says it as text only.
    pub fn was_too_deep(&self) -> bool {
        self.too_deep.get()
    }

    /// Wraps the seed that a format is asked to read, such as a `PhantomData<T>`.
    pub fn around<S>(&self, seed: S) -> Bounded<'_, S> {
        Bounded { inner: seed, levels: self.levels, budget: self }
    }
}

/// Anything that serde passes between a format and a type, and the levels that are left
/// below it.
#[derive(Debug)]
pub struct Bounded<'b, T> {
    inner: T,
    levels: usize,
    budget: &'b Budget,
}

impl<'b, T> Bounded<'b, T> {
    /// Wraps what is passed on for the same value.
    fn same<U>(&self, inner: U) -> Bounded<'b, U> {
        Bounded { inner, levels: self.levels, budget: self.budget }
    }

    /// Wraps the deserializer of a value inside this one: the only place that counts.
    fn inside<U, E: Error>(&self, inner: U) -> Result<Bounded<'b, U>, E> {
        let Some(levels) = self.levels.checked_sub(1) else {
            self.budget.too_deep.set(true);
            return Err(E::custom("nested too deep"));
        };
        let Some(values) = self.budget.values.get().checked_sub(1) else {
            return Err(E::custom("more values than its bytes can hold"));
        };
        self.budget.values.set(values);
        Ok(Bounded { inner, levels, budget: self.budget })
    }
}

// Three doors lead to a value inside a value. This one is for the items of a list, the
// keys and values of a map, the fields of a struct and the content of an enum; the
// other two are `visit_some` and `visit_newtype_struct`.
impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Bounded<'_, S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        let deserializer = self.inside(deserializer)?;
        self.inner.deserialize(deserializer)
    }
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
        deserialize_any() deserialize_bool() deserialize_char() deserialize_str() deserialize_bytes()
        deserialize_i8() deserialize_i16() deserialize_i32() deserialize_i64() deserialize_i128()
        deserialize_u8() deserialize_u16() deserialize_u32() deserialize_u64() deserialize_u128()
        deserialize_f32() deserialize_f64() deserialize_option() deserialize_unit() deserialize_seq()
        deserialize_map() deserialize_identifier() deserialize_ignored_any()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_tuple(len: usize)
        deserialize_tuple_struct(name: &'static str, len: usize)
        deserialize_struct(name: &'static str, fields: &'static [&'static str])
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
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

/// Methods that hand a plain value of the format on to the type: nothing is inside it.
macro_rules! tell {
    ($($method:ident($type:ty))*) => {$(
        fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.inner.$method(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Bounded<'_, V> {
    type Value = V::Value;

    tell! {
        visit_bool(bool) visit_char(char) visit_f32(f32) visit_f64(f64)
        visit_i8(i8) visit_i16(i16) visit_i32(i32) visit_i64(i64) visit_i128(i128)
        visit_u8(u8) visit_u16(u16) visit_u32(u32) visit_u64(u64) visit_u128(u128)
        visit_str(&str) visit_borrowed_str(&'de str) visit_string(String)
        visit_bytes(&[u8]) visit_borrowed_bytes(&'de [u8]) visit_byte_buf(Vec<u8>)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        let deserializer = self.inside(deserializer)?;
        self.inner.visit_some(deserializer)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<V::Value, D::Error> {
        let deserializer = self.inside(deserializer)?;
        self.inner.visit_newtype_struct(deserializer)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.same(access);
        self.inner.visit_seq(access)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.same(access);
        self.inner.visit_map(access)
    }

    fn visit_enum<A: EnumAccess<'de>>(self, access: A) -> Result<V::Value, A::Error> {
        let access = self.same(access);
        self.inner.visit_enum(access)
    }

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }
}

// `size_hint` is left at its default, "unknown": it would repeat what the message
// claims.
impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let seed = self.same(seed);
        self.inner.next_element_seed(seed)
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Bounded<'_, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, A::Error> {
        let seed = self.same(seed);
        self.inner.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        let seed = self.same(seed);
        self.inner.next_value_seed(seed)
    }
}

impl<'de, 'b, A: EnumAccess<'de>> EnumAccess<'de> for Bounded<'b, A> {
    type Error = A::Error;
    type Variant = Bounded<'b, A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(
        self,
        seed: S,
    ) -> Result<(S::Value, Self::Variant), A::Error> {
        let Bounded { levels, budget, .. } = self;
        let seed = self.same(seed);
        let (name, content) = self.inner.variant_seed(seed)?;
        Ok((name, Bounded { inner: content, levels, budget }))
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::ffi::CString;
    use std::marker::PhantomData;

    use serde::de::IntoDeserializer;
    use serde::de::value::Error as Plain;
    use serde::{Deserialize, forward_to_deserialize_any};

    use super::*;

    /// Reads from a format that describes itself, where bincode does not: keys have
    /// names, and any type may come.
    fn read<'de, T: Deserialize<'de>>(
        source: impl IntoDeserializer<'de, Plain>,
        budget: &Budget,
    ) -> Result<T, Plain> {
        budget.around(PhantomData).deserialize(source.into_deserializer())
    }

    #[test]
    fn lists_are_counted_in_a_format_that_describes_itself() {
        let nested = vec![vec![vec![1_u32], vec![]]];
        assert_eq!(read(nested.clone(), &Budget::new(4, 100)), Ok(nested.clone()));
        let budget = Budget::new(3, 100);
        assert!(read::<Vec<Vec<Vec<u32>>>>(nested, &budget).is_err());
        assert!(budget.was_too_deep());
    }

    #[test]
    fn a_struct_is_found_by_the_names_of_its_fields() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct Point {
            x: u32,
            y: u32,
        }
        let source = || BTreeMap::from([("x", 1_u32), ("y", 2), ("ignored", 3)]);
        assert_eq!(read(source(), &Budget::new(2, 100)), Ok(Point { x: 1, y: 2 }));
        assert!(read::<Point>(source(), &Budget::new(1, 100)).is_err());
    }

    #[test]
    fn the_number_of_values_is_bounded_whatever_their_size() {
        let budget = Budget::new(2, 10);
        assert_eq!(read(vec![(); 9], &budget), Ok(vec![(); 9]));
        let budget = Budget::new(2, 10);
        let error = read::<Vec<()>>(vec![(); 10], &budget).unwrap_err();
        assert_eq!(error.to_string(), "more values than its bytes can hold");
        assert!(!budget.was_too_deep());
    }

    /// A format that trusts its message: whoever asks for an owned value has it reserve
    /// what is claimed.
    struct Trusting;

    impl<'de> Deserializer<'de> for Trusting {
        type Error = Plain;

        fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Plain> {
            visitor.visit_borrowed_str("what has come")
        }

        fn deserialize_string<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Plain> {
            Err(Plain::custom("reserves what is claimed"))
        }

        fn deserialize_byte_buf<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Plain> {
            Err(Plain::custom("reserves what is claimed"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str bytes option unit unit_struct newtype_struct
            seq tuple tuple_struct map struct enum identifier ignored_any
        }
    }

    #[test]
    fn a_format_is_never_asked_for_an_owned_string() {
        let budget = Budget::new(1, 100);
        let text = budget.around(PhantomData::<String>).deserialize(Trusting);
        assert_eq!(text.as_deref(), Ok("what has come"));
        let bytes = budget.around(PhantomData::<CString>).deserialize(Trusting);
        assert_eq!(bytes.as_deref(), Ok(c"what has come"));
    }
}
