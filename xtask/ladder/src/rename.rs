//! The name of a rung in its own files: as a package, `udp-echo`, and as a crate in the
//! code, `udp_echo`.

/// The text with one name replaced by another, in both forms. A longer name that holds
/// it, as `my-udp-echo` does, stays.
pub fn rename(text: &str, from: &str, to: &str) -> String {
    let text = replace_word(text, from, to, |c| c.is_alphanumeric() || c == '-' || c == '_');
    replace_word(&text, &identifier(from), &identifier(to), |c| c.is_alphanumeric() || c == '_')
}

/// What a package is called in Rust code.
pub fn identifier(package: &str) -> String {
    package.replace('-', "_")
}

fn replace_word(text: &str, from: &str, to: &str, belongs: fn(char) -> bool) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, found) = rest.split_at(at);
        let after = &found[from.len()..];
        let whole = !before.ends_with(belongs) && !after.starts_with(belongs);
        replaced.push_str(before);
        replaced.push_str(if whole { to } else { from });
        rest = after;
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_replaced_as_a_package_and_as_a_crate_and_stays_within_another() {
        for (old, new) in [
            (
                "use one_echo::client; // `one-echo`, `two-echo`",
                "use mine::client; // `mine`, `two-echo`",
            ),
            (
                "one-echo-fast, my-one-echo, one_echoes; (one-echo)",
                "one-echo-fast, my-one-echo, one_echoes; (mine)",
            ),
        ] {
            assert_eq!(rename(old, "one-echo", "mine"), new);
        }
    }
}
