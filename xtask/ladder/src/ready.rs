//! The ready line, which a server prints when it listens. `netcore::cli` and
//! `http-server` write it; everybody else reads it here.

use crate::Address;

/// The address in a ready line, its last word: `listening on 127.0.0.1:9090`, `listening
/// on unix:echo.sock`, `Serving /a at http://127.0.0.1:8000/`. `None` for another line.
pub fn address(line: &str) -> Option<Address> {
    let word = line.rsplit(' ').next()?;
    // Not read as Address reads it, which asks the resolver for names.
    match word.strip_prefix("unix:") {
        Some(path) => Some(Address::Unix(path.into())),
        None => {
            let address = word.strip_prefix("http://").unwrap_or(word).trim_end_matches('/');
            address.parse().ok().map(Address::Inet)
        }
    }
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
    fn the_address_is_the_last_word_of_the_ready_line() {
        for (line, address) in [
            ("listening on 127.0.0.1:9090", Some("127.0.0.1:9090")),
            ("listening on [::1]:9090", Some("[::1]:9090")),
            ("Serving /a b at http://127.0.0.1:8000/", Some("127.0.0.1:8000")),
            ("listening on unix:echo.sock", Some("unix:echo.sock")),
            ("listening soon", None),
        ] {
            assert_eq!(super::address(line), address.map(|address| address.parse().unwrap()));
        }
    }

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
