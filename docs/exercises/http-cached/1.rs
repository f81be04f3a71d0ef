//! A part of a file
//!
//! `Range: bytes=2-5` asks for the bytes 2 to 5, both included; `bytes=2-` for all from 2 on;
//! `bytes=-3` for the last three.
//! Return the first and the last byte for a file of `length` bytes, or `None` where the range
//! is none or begins behind the end.
//!
//! Hint: `strip_prefix("bytes=")`, then `split_once('-')`; either side may be empty.
//!
//! Hint: A last byte behind the end means the end: `last.min(length - 1)`.

/// The first and the last byte that are wanted.
pub fn range(value: &str, length: u64) -> Option<(u64, u64)> {
    // Solution:
    let (first, last) = value.strip_prefix("bytes=")?.split_once('-')?;
    let end = length.checked_sub(1)?;
    let (first, last) = match (first, last) {
        ("", last) => {
            let last: u64 = last.parse().ok().filter(|last| *last > 0)?;
            (length.saturating_sub(last), end)
        }
        (first, "") => (first.parse().ok()?, end),
        (first, last) => (first.parse().ok()?, last.parse::<u64>().ok()?.min(end)),
    };
    (first <= last).then_some((first, last))
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_are_included() {
        assert_eq!(range("bytes=2-5", 10), Some((2, 5)));
        assert_eq!(range("bytes=0-0", 10), Some((0, 0)));
    }

    #[test]
    fn either_end_may_be_left_out() {
        assert_eq!(range("bytes=2-", 10), Some((2, 9)));
        assert_eq!(range("bytes=-3", 10), Some((7, 9)));
        assert_eq!(range("bytes=-30", 10), Some((0, 9)), "there are no more than ten");
    }

    #[test]
    fn what_is_behind_the_end_is_cut_or_none() {
        assert_eq!(range("bytes=2-50", 10), Some((2, 9)));
        for none in ["bytes=10-", "bytes=5-2", "bytes=-", "bytes=-0", "lines=1-2", "bytes=a-b"] {
            assert_eq!(range(none, 10), None, "{none}");
        }
        assert_eq!(range("bytes=0-", 0), None, "an empty file has no part");
    }
}
