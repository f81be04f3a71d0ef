//! Which route is meant
//!
//! A pattern such as `/hello/{name}` matches `/hello/ann`, and then `name` is `ann`.
//! Return what the path has in the places of the braces, or `None` where it does not match.
//! An empty part is no name.
//!
//! Hint: Divide both at `/` and compare them part by part; they need equally many.
//!
//! Hint: `part.strip_prefix('{')` and `strip_suffix('}')` give the name of a place.

use std::collections::BTreeMap;

/// What the path has in the places of the pattern.
pub fn matches(pattern: &str, path: &str) -> Option<BTreeMap<String, String>> {
    // Solution:
    let mut found = BTreeMap::new();
    let (mut parts, mut wanted) = (path.split('/'), pattern.split('/'));
    loop {
        match (wanted.next(), parts.next()) {
            (None, None) => return Some(found),
            (Some(wanted), Some(part)) => {
                let name = wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}'));
                match name {
                    Some(name) if !part.is_empty() => {
                        found.insert(name.into(), part.into());
                    }
                    None if wanted == part => {}
                    _ => return None,
                }
            }
            _ => return None,
        }
    }
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    fn found(pattern: &str, path: &str) -> Option<Vec<(String, String)>> {
        matches(pattern, path).map(|found| found.into_iter().collect())
    }

    #[test]
    fn what_stands_in_the_place_of_a_name_is_found() {
        let two = vec![("a".to_string(), "1".to_string()), ("b".into(), "2".into())];
        assert_eq!(found("/x/{a}/y/{b}", "/x/1/y/2"), Some(two));
        assert_eq!(found("/echo", "/echo"), Some(vec![]));
    }

    #[test]
    fn another_path_does_not_match() {
        for path in ["/hello", "/hello/", "/hello/a/b", "/bye/ann"] {
            assert_eq!(found("/hello/{name}", path), None, "{path}");
        }
    }
}
