//! Names and values as browsers send them: the fields of a form, and a query
//! ([the URL standard, application/x-www-form-urlencoded](https://url.spec.whatwg.org/#application/x-www-form-urlencoded)).

use crate::head::target::form_decode;

/// Names and values in the order in which they came; a name may come more than once.
///
/// ```
/// use httpcore::handler::Form;
///
/// let form = Form::parse(b"name=Ada+L.&tag=a&tag=b%21");
/// assert_eq!(form.get("name"), Some("Ada L."));
/// assert_eq!(form.all("tag").collect::<Vec<_>>(), ["a", "b!"]);
/// assert_eq!(form.get("missing"), None);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Form {
    pairs: Vec<(String, String)>,
}

impl Form {
    /// Reads `a=1&b=2`. There is nothing that is no form: a name without a value has an
    /// empty one, a `%` without two digits stays, and what is not UTF-8 becomes U+FFFD.
    pub fn parse(raw: &[u8]) -> Form {
        let pairs = raw.split(|&byte| byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = match pair.iter().position(|&byte| byte == b'=') {
                Some(sign) => (&pair[..sign], &pair[sign + 1..]),
                None => (pair, b"".as_slice()),
            };
            (form_decode(name), form_decode(value))
        });
        Form { pairs: pairs.collect() }
    }

    /// The first value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// Every value of this name.
    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.iter().filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }

    /// Every name with its value.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_comes_is_a_form() {
        for (raw, pairs) in [
            ("", vec![]),
            ("&&", vec![]),
            ("a", vec![("a", "")]),
            ("=b", vec![("", "b")]),
            ("a=b=c", vec![("a", "b=c")]),
            ("a=%4&a=%D1%8F&a=%FF", vec![("a", "%4"), ("a", "я"), ("a", "\u{fffd}")]),
        ] {
            assert_eq!(Form::parse(raw.as_bytes()).iter().collect::<Vec<_>>(), pairs, "{raw:?}");
        }
    }
}
