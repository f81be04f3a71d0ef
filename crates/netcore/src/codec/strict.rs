//! Around a serializer: what the format cannot keep is an error where serde tells.
//!
//! bincode writes no names, so a field that is left out this time and not the next moves
//! every field behind it. serde tells of such a field, and bincode does not listen.

use serde::ser::{
    Error, Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant,
    SerializeTuple, SerializeTupleStruct, SerializeTupleVariant, Serializer,
};

/// A value, or what serde passes between a value and the format.
pub struct Strict<T>(pub T);

impl<T: Serialize + ?Sized> Serialize for Strict<&T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(Strict(serializer))
    }
}

fn left_out<E: Error>(field: &str) -> E {
    E::custom(format_args!(
        "the field {field} is left out (`skip_serializing_if`), and without names nobody sees it"
    ))
}

fn unknown_length<E: Error>() -> E {
    E::custom("a list or map does not know its length, as with `flatten`")
}

/// Methods that hand a plain value on: nothing is inside it.
macro_rules! plain {
    ($($method:ident($($arg:ident: $type:ty),*))*) => {$(
        fn $method(self, $($arg: $type),*) -> Result<S::Ok, S::Error> {
            self.0.$method($($arg),*)
        }
    )*};
}

/// Methods that begin a value of several parts.
macro_rules! compound {
    ($($method:ident($($arg:ident: $type:ty),*) -> $parts:ident)*) => {$(
        fn $method(self, $($arg: $type),*) -> Result<Self::$parts, S::Error> {
            self.0.$method($($arg),*).map(Strict)
        }
    )*};
}

type Name = &'static str;

impl<S: Serializer> Serializer for Strict<S> {
    type Ok = S::Ok;
    type Error = S::Error;
    type SerializeSeq = Strict<S::SerializeSeq>;
    type SerializeTuple = Strict<S::SerializeTuple>;
    type SerializeTupleStruct = Strict<S::SerializeTupleStruct>;
    type SerializeTupleVariant = Strict<S::SerializeTupleVariant>;
    type SerializeMap = Strict<S::SerializeMap>;
    type SerializeStruct = Strict<S::SerializeStruct>;
    type SerializeStructVariant = Strict<S::SerializeStructVariant>;

    plain! {
        serialize_bool(v: bool) serialize_char(v: char) serialize_str(v: &str) serialize_bytes(v: &[u8])
        serialize_i8(v: i8) serialize_i16(v: i16) serialize_i32(v: i32) serialize_i64(v: i64)
        serialize_u8(v: u8) serialize_u16(v: u16) serialize_u32(v: u32) serialize_u64(v: u64)
        serialize_i128(v: i128) serialize_u128(v: u128) serialize_f32(v: f32) serialize_f64(v: f64)
        serialize_none() serialize_unit() serialize_unit_struct(name: Name)
        serialize_unit_variant(name: Name, index: u32, variant: Name)
    }

    compound! {
        serialize_tuple(len: usize) -> SerializeTuple
        serialize_tuple_struct(name: Name, len: usize) -> SerializeTupleStruct
        serialize_tuple_variant(name: Name, index: u32, variant: Name, len: usize) -> SerializeTupleVariant
        serialize_struct(name: Name, len: usize) -> SerializeStruct
        serialize_struct_variant(name: Name, index: u32, variant: Name, len: usize) -> SerializeStructVariant
    }

    fn serialize_seq(self, len: Option<usize>) -> Result<Self::SerializeSeq, S::Error> {
        let len = len.ok_or_else(unknown_length)?;
        self.0.serialize_seq(Some(len)).map(Strict)
    }

    fn serialize_map(self, len: Option<usize>) -> Result<Self::SerializeMap, S::Error> {
        let len = len.ok_or_else(unknown_length)?;
        self.0.serialize_map(Some(len)).map(Strict)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<S::Ok, S::Error> {
        self.0.serialize_some(&Strict(value))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: Name,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_struct(name, &Strict(value))
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        name: Name,
        index: u32,
        variant: Name,
        value: &T,
    ) -> Result<S::Ok, S::Error> {
        self.0.serialize_newtype_variant(name, index, variant, &Strict(value))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

/// The parts of a value, one call for each, and the end.
macro_rules! parts {
    ($($trait:ident { $($method:ident($($key:ident: $type:ty)?))* $(; $skip:ident)? })*) => {$(
        impl<C: $trait> $trait for Strict<C> {
            type Ok = C::Ok;
            type Error = C::Error;

            $(fn $method<T: Serialize + ?Sized>(&mut self, $($key: $type,)? value: &T) -> Result<(), C::Error> {
                self.0.$method($($key,)? &Strict(value))
            })*

            $(fn $skip(&mut self, field: Name) -> Result<(), C::Error> {
                Err(left_out(field))
            })?

            fn end(self) -> Result<C::Ok, C::Error> {
                self.0.end()
            }
        }
    )*};
}

parts! {
    SerializeSeq { serialize_element() }
    SerializeTuple { serialize_element() }
    SerializeTupleStruct { serialize_field() }
    SerializeTupleVariant { serialize_field() }
    SerializeMap { serialize_key() serialize_value() }
    SerializeStruct { serialize_field(key: Name); skip_field }
    SerializeStructVariant { serialize_field(key: Name); skip_field }
}
