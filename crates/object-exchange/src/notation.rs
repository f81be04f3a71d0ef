//! How a person writes requests and reads replies, as [`HELP`] tells. Nothing of this
//! is on the wire.

use std::fmt;

use crate::message::{Greeting, Refusal, Reply, Request, Value};

/// The whole of it, for the command line.
pub const HELP: &str = "\
Messages:
  get 2                     the entry of the greeting with this number
  upper hello               this text in upper case
  [hi, 2, 3.5, none, [yo]]  a list of words, numbers, nothing and lists, sent back
  anything else             text, sent back; bytes where it is not UTF-8

Example:
  object-exchange client hello 'get 2' '[pi, 3.14159]'";

/// Lists inside lists that are written here at most; more brackets than that are text.
/// It is past what a server takes, so that its refusal can be seen.
const MAX_LISTS: usize = 100;

impl Request {
    /// What is meant by `written`. Everything has a meaning: what is nothing else is
    /// text.
    pub fn parse(written: &[u8]) -> Request {
        let Ok(text) = str::from_utf8(written) else {
            return Request::Echo(Value::Bytes(written.to_vec()));
        };
        if let Some(text) = text.strip_prefix("upper ") {
            return Request::Upper(text.into());
        }
        if let Some(Ok(key)) = text.strip_prefix("get ").map(str::parse) {
            return Request::Get(key);
        }
        Request::Echo(list(text).unwrap_or_else(|| Value::Text(text.into())))
    }
}

/// The list that `text` is, if its brackets match.
fn list(text: &str) -> Option<Value> {
    let spaced = text.replace('[', " [ ").replace(']', " ] ").replace(',', " ");
    let mut words = spaced.split_whitespace();
    let mut open: Vec<Vec<Value>> = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "[" if open.len() == MAX_LISTS => return None,
            "[" => open.push(Vec::new()),
            "]" => {
                let list = Value::List(open.pop()?);
                let Some(outer) = open.last_mut() else {
                    return words.next().is_none().then_some(list);
                };
                outer.push(list);
            }
            word => open.last_mut()?.push(item(word)),
        }
    }
    None
}

fn item(word: &str) -> Value {
    if word == "none" {
        return Value::Optional(None);
    }
    if let Ok(number) = word.parse() {
        return Value::Integer(number);
    }
    // `parse` would take "nan" and "infinity" for numbers as well.
    match word.parse() {
        Ok(number) if word.contains(|c: char| c.is_ascii_digit()) => Value::Float(number),
        _ => Value::Text(word.into()),
    }
}

impl fmt::Display for Greeting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Display for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Request::Get(key) => write!(f, "get {key}"),
            Request::Upper(text) => write!(f, "upper {text}"),
            Request::Echo(value) => write!(f, "{value}"),
        }
    }
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reply::Entry(Some(text)) | Reply::Upper(text) => f.write_str(text),
            Reply::Entry(None) => f.write_str("none"),
            Reply::Echo(value) => write!(f, "{value}"),
            Reply::Refused(refusal) => write!(f, "refused: {refusal}"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::WrongVersion { ours } => write!(f, "another version than {ours}"),
            Refusal::Undecodable => f.write_str("not a request"),
            Refusal::TooDeep => f.write_str("nested too deep"),
            Refusal::TrailingBytes => f.write_str("bytes after the end of the request"),
            Refusal::AnswerTooLong => f.write_str("the answer would be too long"),
        }
    }
}

/// Text by itself is shown as it is; inside a list it is quoted.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Text(text) => f.write_str(text),
            other => write!(f, "{other:?}"),
        }
    }
}

/// So that every kind can be told from the others: `2`, `2.0`, `"2"`, `b"2"`, `some 2`,
/// `[2]`.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Integer(number) => write!(f, "{number}"),
            Value::Float(number) => write!(f, "{number:?}"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Bytes(bytes) => write!(f, "b\"{}\"", bytes.escape_ascii()),
            Value::Optional(None) => f.write_str("none"),
            Value::Optional(Some(value)) => write!(f, "some {value:?}"),
            Value::List(items) => f.debug_list().entries(items).finish(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn assert_means(written: &str, meant: Request) {
        assert_eq!(Request::parse(written.as_bytes()), meant);
    }

    fn text(text: &str) -> Value {
        Value::Text(text.into())
    }

    #[test]
    fn words_are_requests() {
        assert_means("get 2", Request::Get(2));
        assert_means("upper hello, мир", Request::Upper("hello, мир".into()));
    }

    #[test]
    fn a_list_holds_words_numbers_nothing_and_lists() {
        let again = Value::List(vec![text("again")]);
        let items = vec![
            text("hello"),
            Value::Integer(2),
            Value::Float(3.5),
            Value::Optional(None),
            again,
            text("nan"),
        ];
        let list = Value::List(items);
        assert_eq!(list.to_string(), r#"["hello", 2, 3.5, none, ["again"], "nan"]"#);
        assert_means("[hello, 2, 3.5, none, [again], nan]", Request::Echo(list.clone()));
        assert_means(" [ hello 2 3.5 none[again]nan ] ", Request::Echo(list));
        assert_means("[]", Request::Echo(Value::List(vec![])));
    }

    #[test]
    fn what_is_nothing_else_is_text() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        for written in [
            "",
            "2",
            "get well soon",
            "get",
            "get -1",
            "upper",
            "[",
            "]",
            "[1",
            "1]",
            "[1] 2",
            &deep,
        ] {
            assert_means(written, Request::Echo(text(written)));
        }
        assert_eq!(Request::parse(b"\xff\n"), Request::Echo(Value::Bytes(b"\xff\n".to_vec())));
    }

    #[test]
    fn kinds_can_be_told_apart() {
        let some = Value::Optional(Some(Box::new(Value::Integer(2))));
        let kinds = [
            Value::Integer(2),
            Value::Float(2.0),
            text("2"),
            Value::Bytes(b"2\xff".to_vec()),
            some,
        ];
        assert_eq!(
            format!("{:?}", Value::List(kinds.into())),
            r#"[2, 2.0, "2", b"2\xff", some 2]"#
        );
    }
}
