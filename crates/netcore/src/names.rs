//! What names of people and of programs are made of, where others see them.

/// Whether it is a letter or a digit, of any alphabet, that can be seen: for names. Some
/// letters are made to be no more than room, and two names with and without one look alike.
pub fn is_letter(c: char) -> bool {
    const NOT_SEEN: [char; 4] = ['\u{115f}', '\u{1160}', '\u{3164}', '\u{ffa0}'];
    c.is_alphanumeric() && !NOT_SEEN.contains(&c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_can_be_seen() {
        assert!("anя9ж字ई٣".chars().all(is_letter));
        assert!(!"\u{3164}\u{ffa0}\u{115f}\u{1160}\u{ad}\u{34f}\u{301} _".chars().any(is_letter));
    }
}
