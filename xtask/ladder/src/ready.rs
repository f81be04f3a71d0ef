//! The ready line, which a server prints when it listens, or what it says instead.

use crate::Address;

/// The address in a ready line; `None` for another line.
pub fn address(line: &str) -> Option<Address> {
    Address::in_ready_line(line)
}

/// What to say of a server called `name` that has not said where it listens and has
/// written this to standard error: its own error with its hint, if it has one.
pub fn missing(name: &str, wrote: &[String], why: &str) -> String {
    let own =
        wrote.iter().enumerate().find_map(|(at, line)| Some((at, line.strip_prefix("error: ")?)));
    match (own, wrote.first()) {
        (Some((at, error)), _) => [&[error.to_string()], &wrote[at + 1..]].concat().join("\n"),
        (None, first) => {
            let said = first.map_or(why, String::as_str);
            format!("{name} did not say where it listens: {said}")
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_error_of_a_server_is_told_with_its_hint_and_as_it_is() {
        for (wrote, said) in [
            ("error: cannot listen\nhint: try another", "cannot listen\nhint: try another"),
            ("panicked", "echo did not say where it listens: panicked"),
            ("", "echo did not say where it listens: it ended without a word"),
        ] {
            let wrote: Vec<String> = wrote.lines().map(String::from).collect();
            assert_eq!(super::missing("echo", &wrote, "it ended without a word"), said);
        }
    }
}
