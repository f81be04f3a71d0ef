//! Who may come in
//!
//! A line of the file of secrets is a name, a secret of at least 16 characters, and one or more
//! rights: `ann 0123456789abcdef echo upper`.
//! Return the three, or `None` for a line that is none: a secret that is too short must not
//! pass for one.
//!
//! Hint: `split_whitespace()` gives the words one by one.
//!
//! Hint: No right at all is no member: check that the list is not empty.

/// The name, the secret and the rights of a line.
pub fn member(line: &str) -> Option<(&str, &str, Vec<&str>)> {
    // Solution:
    let mut words = line.split_whitespace();
    let name = words.next()?;
    let secret = words.next().filter(|secret| secret.chars().count() >= 16)?;
    let rights: Vec<&str> = words.collect();
    (!rights.is_empty()).then_some((name, secret, rights))
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_has_a_name_a_secret_and_rights() {
        let line = "ann  0123456789abcdef echo upper\n";
        assert_eq!(member(line), Some(("ann", "0123456789abcdef", vec!["echo", "upper"])));
    }

    #[test]
    fn what_lacks_something_is_no_member() {
        for line in ["", "ann", "ann 0123456789abcdef", "ann short echo", "ann 0123456789abcde echo"]
        {
            assert_eq!(member(line), None, "{line:?}");
        }
    }
}
