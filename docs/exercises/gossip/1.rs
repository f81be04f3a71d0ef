//! The newer word wins
//!
//! Two nodes tell each other what they have heard of all the others: for each name, how far its
//! counter has come.
//! Only a node itself makes its counter higher, so the higher one is the newer word.
//! Write `merge`: learn what is newer in `heard`, and return the names of whom it was about.
//!
//! Hint: A name that is not known yet is news as well.
//!
//! Hint: Merging the same once more brings no news: compare with `>`, not with `>=`.

use std::collections::BTreeMap;

/// Learns what is newer; returns whom it was about.
pub fn merge(known: &mut BTreeMap<String, u64>, heard: &BTreeMap<String, u64>) -> Vec<String> {
    // Solution:
    let mut news = Vec::new();
    for (name, counter) in heard {
        if known.get(name).is_none_or(|old| counter > old) {
            known.insert(name.clone(), *counter);
            news.push(name.clone());
        }
    }
    news
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    fn heard(words: &[(&str, u64)]) -> BTreeMap<String, u64> {
        words.iter().map(|(name, counter)| (name.to_string(), *counter)).collect()
    }

    #[test]
    fn what_is_newer_is_learnt_and_what_is_older_is_not() {
        let mut known = heard(&[("ann", 5), ("bob", 5)]);
        let news = merge(&mut known, &heard(&[("ann", 4), ("bob", 6), ("eve", 0)]));
        assert_eq!(news, ["bob", "eve"]);
        assert_eq!(known, heard(&[("ann", 5), ("bob", 6), ("eve", 0)]));
    }

    #[test]
    fn in_whichever_order_it_is_heard_the_end_is_the_same() {
        let (one, two) = (heard(&[("ann", 1), ("bob", 9)]), heard(&[("ann", 2), ("eve", 3)]));
        let (mut first, mut second) = (one.clone(), two.clone());
        merge(&mut first, &two);
        merge(&mut second, &one);
        assert_eq!(first, second);
        assert_eq!(merge(&mut first, &second), [""; 0], "there is no news any more");
    }
}
