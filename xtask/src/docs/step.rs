//! The step from one rung to the next, as a difference between two of their files.

use similar::TextDiff;

/// A unified difference between two texts, or nothing where they are the same.
pub fn unified(old: (&str, &str), new: (&str, &str)) -> String {
    let (old_name, old_text) = old;
    let (new_name, new_text) = new;
    TextDiff::from_lines(old_text, new_text).unified_diff().header(old_name, new_name).to_string()
}

/// The text with the rung's own name, as a package and as a crate, replaced by another's, so that a difference shows
/// the idea and not the name.
pub fn renamed(text: &str, from: &str, to: &str) -> String {
    text.replace(from, to).replace(&from.replace('-', "_"), &to.replace('-', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_the_rung_itself_is_no_difference() {
        let old = renamed("use one_echo::client; // `one-echo`, then `two-echo`\n", "one-echo", "two-echo");
        assert_eq!(old, "use two_echo::client; // `two-echo`, then `two-echo`\n");
    }

    #[test]
    fn a_difference_is_unified_and_nothing_where_there_is_none() {
        let diff = unified(("a", "one\ntwo\n"), ("b", "one\nthree\n"));
        assert_eq!(diff, "--- a\n+++ b\n@@ -1,2 +1,2 @@\n one\n-two\n+three\n");
        assert_eq!(unified(("a", "same\n"), ("b", "same\n")), "");
    }
}
