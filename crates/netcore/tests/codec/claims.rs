//! What a message claims to hold is compared with what has come, before there is memory for
//! it.

use std::collections::BTreeMap;

use netcore::codec::{Codec, MAX_BYTES};

use crate::{CODEC, DEPTH, VERSION, Value, assert_undecodable, encode, length, message};

/// Why a list is refused that cannot be in its message.
const TOO_MANY: &str = "more values than its bytes can hold";

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
fn a_list_of_nothing_cannot_be_longer_than_its_message_allows() {
    assert_eq!(CODEC.decode(&encode(&vec![(); 100])), Ok(vec![(); 100]));
    assert_undecodable::<Vec<()>>(&message(&[&length(1 << 40)]), TOO_MANY);
    // Four bytes of a message can hold four times as many values as it may be deep.
    assert_undecodable::<Vec<()>>(&message(&[&[251, 0, 2]]), TOO_MANY);
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
fn no_text_is_asked_for_as_an_owned_one() {
    // Asked for an owned text, bincode reserves what is claimed before it looks.
    let claim = length(MAX_BYTES as u64);
    assert_undecodable::<String>(&message(&[&claim]), "it ends too early");
    assert_undecodable::<std::ffi::CString>(&message(&[&claim]), "it ends too early");
    assert_eq!(CODEC.decode(&message(&[&[2], b"ab"])), Ok(c"ab".to_owned()));
}
