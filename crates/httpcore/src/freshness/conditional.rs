//! Preconditions: whether a request still makes sense for the version that is here, in
//! the order that [RFC 9110 section 13.2.2](https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2) prescribes.

use std::time::{SystemTime, UNIX_EPOCH};

use super::validators::{Strength, Validators};
use crate::head::{Fields, Method};

/// What the preconditions of a request come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Go on.
    Serve,
    /// 304: the client has this version.
    NotModified,
    /// 412: the client means another version.
    Failed,
}

/// Weighs If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since.
pub fn weigh(fields: &Fields, method: Method, current: &Validators) -> Verdict {
    let reads = matches!(method, Method::Get | Method::Head);
    if fields.get("if-match").is_some() {
        if !any_tag(fields, "if-match", |tag| tag.is_strongly(current)) {
            return Verdict::Failed;
        }
    } else if date(fields, "if-unmodified-since").is_some_and(|date| current.changed > date) {
        return Verdict::Failed;
    }
    if fields.get("if-none-match").is_some() {
        if any_tag(fields, "if-none-match", |tag| tag.text == current.tag.as_bytes()) {
            return if reads { Verdict::NotModified } else { Verdict::Failed };
        }
    } else if reads && date(fields, "if-modified-since").is_some_and(|date| current.changed <= date)
    {
        return Verdict::NotModified;
    }
    Verdict::Serve
}

/// Whether a Range header still holds: If-Range is missing or names exactly this
/// version (section 13.1.5).
pub fn range_holds(fields: &Fields, current: &Validators) -> bool {
    match fields.only("if-range") {
        None => fields.get("if-range").is_none(),
        Some(value) if value.starts_with(b"\"") || value.starts_with(b"W/") => {
            parse_tag(value).is_some_and(|(tag, rest)| rest.is_empty() && tag.is_strongly(current))
        }
        // A date that was told is that of a second which was over: no two versions share it.
        Some(_) => date(fields, "if-range")
            .is_some_and(|date| date == current.changed && date == current.last_modified),
    }
}

struct Tag<'b> {
    strength: Strength,
    text: &'b [u8],
}

impl Tag<'_> {
    /// Strong comparison: both are strong and equal.
    fn is_strongly(&self, current: &Validators) -> bool {
        self.strength == Strength::Strong
            && current.strength == Strength::Strong
            && self.text == current.tag.as_bytes()
    }
}

/// Whether the field is `*`, which any existing file matches, or holds a tag that
/// `matches`.
fn any_tag(fields: &Fields, name: &str, matches: impl Fn(&Tag) -> bool) -> bool {
    for value in fields.all(name) {
        if value == b"*" {
            return true;
        }
        let mut rest = value;
        while let Some((tag, after)) = parse_tag(rest) {
            if matches(&tag) {
                return true;
            }
            rest = after;
        }
    }
    false
}

/// The first tag of a list, and what follows it. A tag may hold commas, so the list
/// cannot be split at them.
fn parse_tag(list: &[u8]) -> Option<(Tag<'_>, &[u8])> {
    let start = list.iter().position(|byte| !b" \t,".contains(byte))?;
    let list = &list[start..];
    let (strength, quoted) = match list.strip_prefix(b"W/") {
        Some(rest) => (Strength::Weak, rest),
        None => (Strength::Strong, list),
    };
    let inner = quoted.strip_prefix(b"\"")?;
    let end = inner.iter().position(|&byte| byte == b'"')?;
    Some((Tag { strength, text: &inner[..end] }, &inner[end + 1..]))
}

/// A date in one of the three forms of section 5.6.7; one that is none is as good as
/// absent, and so are two. So is one before 1970, which httpdate does not know: no response
/// has told one.
fn date(fields: &Fields, name: &str) -> Option<u64> {
    let text = str::from_utf8(fields.only(name)?).ok()?;
    let date: SystemTime = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use httparse::Header;

    use super::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT
    const CHANGED: u64 = 784_111_777;
    const DATES: [&str; 3] = [
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    ];
    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn current(strength: Strength) -> Validators {
        Validators { tag: "v1".into(), strength, changed: CHANGED, last_modified: CHANGED }
    }

    fn with<T>(fields: &[(&str, &str)], look: impl FnOnce(&Fields) -> T) -> T {
        let list: Vec<Header> =
            fields.iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect();
        look(&Fields::new(&list))
    }

    fn verdict(fields: &[(&str, &str)]) -> Verdict {
        with(fields, |fields| weigh(fields, Method::Get, &current(Strength::Strong)))
    }

    #[test]
    fn if_none_match_compares_weakly() {
        for value in ["\"v1\"", "W/\"v1\"", "\"a,b\", \"v1\"", "*", ", ,\"v1\""] {
            assert_eq!(verdict(&[("If-None-Match", value)]), Verdict::NotModified, "{value:?}");
        }
        for value in ["\"v2\"", "v1", "", "\"v1", "W/v1", "w/\"v1\""] {
            assert_eq!(verdict(&[("If-None-Match", value)]), Verdict::Serve, "{value:?}");
        }
        let posted = with(&[("If-None-Match", "*")], |fields| {
            weigh(fields, Method::Post, &current(Strength::Strong))
        });
        assert_eq!(posted, Verdict::Failed);
    }

    #[test]
    fn if_match_compares_strongly() {
        assert_eq!(verdict(&[("If-Match", "\"v0\", \"v1\"")]), Verdict::Serve);
        assert_eq!(verdict(&[("If-Match", "*")]), Verdict::Serve);
        assert_eq!(verdict(&[("If-Match", "W/\"v1\"")]), Verdict::Failed);
        assert_eq!(verdict(&[("If-Match", "\"v2\"")]), Verdict::Failed);
        let weak = with(&[("If-Match", "\"v1\"")], |fields| {
            weigh(fields, Method::Get, &current(Strength::Weak))
        });
        assert_eq!(weak, Verdict::Failed);
    }

    #[test]
    fn dates_in_all_three_forms_are_compared_to_the_second() {
        for date in DATES {
            assert_eq!(verdict(&[("If-Modified-Since", date)]), Verdict::NotModified, "{date}");
            assert_eq!(verdict(&[("If-Unmodified-Since", date)]), Verdict::Serve, "{date}");
        }
        assert_eq!(verdict(&[("If-Modified-Since", EARLIER)]), Verdict::Serve);
        assert_eq!(verdict(&[("If-Modified-Since", LATER)]), Verdict::NotModified);
        assert_eq!(verdict(&[("If-Unmodified-Since", EARLIER)]), Verdict::Failed);
        assert_eq!(verdict(&[("If-Modified-Since", "yesterday")]), Verdict::Serve);
        assert_eq!(verdict(&[("If-Unmodified-Since", "yesterday")]), Verdict::Serve);
        // Sections 13.1.3 and 13.1.4: a list of dates is none.
        for (name, date) in [("If-Modified-Since", LATER), ("If-Unmodified-Since", EARLIER)] {
            assert_eq!(verdict(&[(name, date), (name, date)]), Verdict::Serve, "{name}");
            assert_eq!(verdict(&[(name, &format!("{date}, {date}"))]), Verdict::Serve, "{name}");
        }
    }

    #[test]
    fn tags_go_before_dates_and_failing_before_not_modified() {
        assert_eq!(
            verdict(&[("If-None-Match", "\"v2\""), ("If-Modified-Since", LATER)]),
            Verdict::Serve
        );
        assert_eq!(
            verdict(&[("If-Match", "\"v1\""), ("If-Unmodified-Since", EARLIER)]),
            Verdict::Serve
        );
        assert_eq!(
            verdict(&[("If-Match", "\"v2\""), ("If-None-Match", "\"v1\"")]),
            Verdict::Failed
        );
        assert_eq!(
            verdict(&[("If-Match", "\"v1\""), ("If-None-Match", "\"v1\"")]),
            Verdict::NotModified
        );
    }

    #[test]
    fn if_range_wants_exactly_this_version() {
        let holds = |value: &str, strength| {
            with(&[("If-Range", value)], |fields| range_holds(fields, &current(strength)))
        };
        assert!(holds("\"v1\"", Strength::Strong));
        assert!(!holds("\"v1\"", Strength::Weak));
        assert!(!holds("W/\"v1\"", Strength::Strong));
        assert!(!holds("\"v2\"", Strength::Strong));
        assert!(holds(DATES[0], Strength::Strong));
        assert!(!holds(LATER, Strength::Strong));
        assert!(!holds("nonsense", Strength::Strong));
        assert!(with(&[], |fields| range_holds(fields, &current(Strength::Weak))));
        let two = [("If-Range", "\"v1\""), ("If-Range", "\"v1\"")];
        assert!(!with(&two, |fields| range_holds(fields, &current(Strength::Strong))));
    }
}
