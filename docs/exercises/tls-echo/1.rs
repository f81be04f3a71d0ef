//! A fingerprint
//!
//! A certificate is known by the digest of its bytes, written as pairs of hexadecimal digits
//! with colons between: `AB:01:...`.
//! Write whether `typed` is the fingerprint `digest`; its letters may have any case, and
//! spaces around it do not count.
//! A part of it is not enough.
//!
//! Hint: Write the digest the same way, `format!("{byte:02X}")` for each, and compare texts.
//!
//! Hint: `join(":")` puts the colons between, and `eq_ignore_ascii_case` passes over case.

/// Whether somebody has typed this digest.
pub fn is_fingerprint(typed: &str, digest: &[u8]) -> bool {
    // Solution:
    let written: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    typed.trim().eq_ignore_ascii_case(&written.join(":"))
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_known_in_any_case() {
        for typed in ["0A:FF:10", "0a:ff:10", " 0a:FF:10\n"] {
            assert!(is_fingerprint(typed, &[0x0a, 0xff, 0x10]), "{typed:?}");
        }
    }

    #[test]
    fn a_part_of_it_or_another_is_not_believed() {
        for typed in ["", "0A:FF", "0A:FF:11", "A:FF:10", "0AFF10", "0A:FF:10:00"] {
            assert!(!is_fingerprint(typed, &[0x0a, 0xff, 0x10]), "{typed:?}");
        }
    }
}
