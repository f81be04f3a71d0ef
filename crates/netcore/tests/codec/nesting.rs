//! How deep a message nests is counted, whatever it nests.

use std::collections::BTreeMap;
use std::thread;

use netcore::codec::{Codec, ValueError};
use serde::{Deserialize, Serialize};

use crate::{CODEC, DEPTH, MAX, VERSION, Value, message, nested};

/// No value of this type can exist. Reading one takes no bytes, and never ends by
/// itself.
#[derive(Debug, PartialEq, Deserialize)]
pub struct Endless(Box<Endless>);

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
