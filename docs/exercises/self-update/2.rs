//! Never back
//!
//! An old release is genuine: it was signed when it was new. Somebody who sends it again makes
//! the program as vulnerable as it was.
//! Write `is_newer` for versions of three numbers such as `1.10.0`.
//! What is no such version is not newer.
//!
//! Hint: As texts, `1.9.0` comes after `1.10.0`: compare numbers.
//!
//! Hint: Arrays of numbers compare in order: `[1, 10, 0] > [1, 9, 0]`.

/// Whether a release with this version is to be installed.
pub fn is_newer(offered: &str, installed: &str) -> bool {
    // Solution:
    let numbers = |version: &str| -> Option<[u64; 3]> {
        let parts: Option<Vec<u64>> = version.split('.').map(|part| part.parse().ok()).collect();
        parts?.try_into().ok()
    };
    match (numbers(offered), numbers(installed)) {
        (Some(offered), Some(installed)) => offered > installed,
        _ => false,
    }
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_comes_after_nine() {
        assert!(is_newer("1.10.0", "1.9.0"));
        assert!(is_newer("2.0.0", "1.99.99"));
    }

    #[test]
    fn what_is_old_or_the_same_is_not_taken() {
        assert!(!is_newer("1.9.0", "1.10.0"), "it was sent once more");
        assert!(!is_newer("1.9.0", "1.9.0"));
    }

    #[test]
    fn what_is_no_version_is_not_newer() {
        for offered in ["", "2", "2.0", "2.0.0.0", "two.0.0"] {
            assert!(!is_newer(offered, "1.0.0"), "{offered:?}");
        }
    }
}
