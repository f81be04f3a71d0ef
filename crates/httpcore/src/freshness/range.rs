//! Byte ranges: which parts of a file a Range header asks for
//! ([RFC 9110 section 14](https://www.rfc-editor.org/rfc/rfc9110#section-14)).

use std::ops::Range;

/// Ranges that one request may ask for. More is no honest wish: the whole is sent
/// instead.
pub const RANGE_LIMIT: usize = 16;

/// What to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Everything: the header is missing, malformed, in another unit or asks for too
    /// much.
    Whole,
    /// These parts, each not empty and inside the file, none touching another, in the
    /// order of the request.
    Parts(Vec<Range<u64>>),
    /// Nothing that exists: 416.
    Nothing,
}

/// Reads the value of a Range header for a file of `length` bytes.
pub fn wanted(value: &[u8], length: u64) -> Wanted {
    parse(value, length).unwrap_or(Wanted::Whole)
}

fn parse(value: &[u8], length: u64) -> Option<Wanted> {
    let sign = value.iter().position(|&byte| byte == b'=')?;
    let (unit, set) = (&value[..sign], &value[sign + 1..]);
    if !unit.eq_ignore_ascii_case(b"bytes") {
        return None;
    }
    let mut parts: Vec<Range<u64>> = Vec::new();
    let mut asked = 0;
    for spec in
        set.split(|&byte| byte == b',').map(<[u8]>::trim_ascii).filter(|spec| !spec.is_empty())
    {
        asked += 1;
        if asked > RANGE_LIMIT {
            return None;
        }
        let part = parse_one(spec, length)?;
        if !part.is_empty() {
            merge(&mut parts, part);
        }
    }
    match (asked, parts.is_empty()) {
        (0, _) => None,
        (_, true) => Some(Wanted::Nothing),
        (_, false) => Some(Wanted::Parts(parts)),
    }
}

/// One of `first-last`, `first-` and `-length`; empty where it lies behind the end;
/// `None` where it is malformed, and where it is the whole of an empty file, of which no part
/// can be named.
fn parse_one(spec: &[u8], length: u64) -> Option<Range<u64>> {
    let dash = spec.iter().position(|&byte| byte == b'-')?;
    let (first, last) = (&spec[..dash], &spec[dash + 1..]);
    match (first.is_empty(), last.is_empty()) {
        (true, true) => None,
        (true, false) if length == 0 && number(last)? > 0 => None,
        (true, false) => Some(length.saturating_sub(number(last)?)..length),
        (false, true) => Some(number(first)?.min(length)..length),
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| first.min(length)..last.saturating_add(1).min(length))
        }
    }
}

/// A number however large: past 64 bits it is behind the end of every file.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |number, digit| {
        digit
            .is_ascii_digit()
            .then(|| number.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    })
}

/// Adds a part, joined with those that it overlaps or touches (section 15.3.7.2).
fn merge(parts: &mut Vec<Range<u64>>, mut part: Range<u64>) {
    let mut place = parts.len();
    let mut at = 0;
    while at < parts.len() {
        if parts[at].start <= part.end && part.start <= parts[at].end {
            let other = parts.remove(at);
            part = part.start.min(other.start)..part.end.max(other.end);
            place = place.min(at);
            // The grown part may now touch one that was looked at before.
            at = 0;
        } else {
            at += 1;
        }
    }
    parts.insert(place.min(parts.len()), part);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// First and last byte of each part.
    fn parts(value: &str, length: u64) -> Vec<(u64, u64)> {
        match wanted(value.as_bytes(), length) {
            Wanted::Parts(parts) => parts.iter().map(|part| (part.start, part.end - 1)).collect(),
            other => panic!("{value:?}: {other:?}"),
        }
    }

    #[test]
    fn single_ranges_are_cut_to_the_file() {
        assert_eq!(parts("bytes=0-4", 10), [(0, 4)]);
        assert_eq!(parts("BYTES=5-", 10), [(5, 9)]);
        assert_eq!(parts("bytes=-3", 10), [(7, 9)]);
        assert_eq!(parts("bytes=-30", 10), [(0, 9)]);
        assert_eq!(parts("bytes=5-99999999999999999999999", 10), [(5, 9)]);
    }

    #[test]
    fn several_ranges_keep_their_order_and_those_that_touch_are_joined() {
        assert_eq!(parts("bytes=8-9, 0-1", 10), [(8, 9), (0, 1)]);
        assert_eq!(parts("bytes=0-4,3-6", 10), [(0, 6)]);
        assert_eq!(parts("bytes=0-1,2-3", 10), [(0, 3)]);
        assert_eq!(parts("bytes=0-1,4-5,1-4,9-9", 10), [(0, 5), (9, 9)]);
        assert_eq!(parts("bytes=0-0,99-", 10), [(0, 0)]);
    }

    #[test]
    fn what_is_behind_the_end_is_nothing() {
        for value in ["bytes=10-", "bytes=10-20,99-", "bytes=-0"] {
            assert_eq!(wanted(value.as_bytes(), 10), Wanted::Nothing, "{value:?}");
        }
        for value in ["bytes=0-", "bytes=-0"] {
            assert_eq!(wanted(value.as_bytes(), 0), Wanted::Nothing, "{value:?}");
        }
    }

    /// Section 14.1.2: only a length of 0 makes the end of a file unsatisfiable.
    #[test]
    fn the_end_of_an_empty_file_is_the_whole_of_it() {
        for value in ["bytes=-1", "bytes=0-4,-5"] {
            assert_eq!(wanted(value.as_bytes(), 0), Wanted::Whole, "{value:?}");
        }
    }

    #[test]
    fn what_is_no_range_is_the_whole() {
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=,",
            "bytes=a-b",
            "bytes=4-3",
            "bytes=-",
            "lines=0-1",
            "bytes=0-1;",
            "bytes=+1-2",
        ] {
            assert_eq!(wanted(value.as_bytes(), 10), Wanted::Whole, "{value:?}");
        }
        let many = |n: usize| format!("bytes={}", vec!["0-0"; n].join(","));
        assert_eq!(parts(&many(RANGE_LIMIT), 10), [(0, 0)]);
        assert_eq!(wanted(many(RANGE_LIMIT + 1).as_bytes(), 10), Wanted::Whole);
    }

    proptest! {
        #[test]
        fn parts_are_inside_the_file_and_apart(
            specs in proptest::collection::vec((0u64..50, 0u64..50), 1..20),
            length in 0u64..40,
        ) {
            let value: Vec<String> = specs.iter().map(|(a, b)| format!("{}-{}", a.min(b), a.max(b))).collect();
            if let Wanted::Parts(parts) = wanted(format!("bytes={}", value.join(",")).as_bytes(), length) {
                for (i, part) in parts.iter().enumerate() {
                    prop_assert!(part.start < part.end && part.end <= length);
                    prop_assert!(parts[..i].iter().all(|other| other.end < part.start || part.end < other.start));
                }
                let covered = |at: u64| parts.iter().any(|part| part.contains(&at));
                let asked = |at: u64| specs.iter().any(|(a, b)| (*a.min(b)..=*a.max(b)).contains(&at));
                for at in 0..length {
                    prop_assert_eq!(covered(at), asked(at));
                }
            }
        }

        #[test]
        fn no_value_makes_the_reader_panic(value in "[bytes=0-9, ]{0,40}", length in any::<u64>()) {
            let _ = wanted(value.as_bytes(), length);
            let _ = wanted(format!("bytes={value}").as_bytes(), length);
        }
    }
}
