//! Which types a message can hold, and which are refused because their bytes would be read
//! as something else.

use std::collections::BTreeMap;

use netcore::codec::ValueError;
use serde::{Deserialize, Serialize};

use crate::{CODEC, assert_undecodable, encode, message};

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
