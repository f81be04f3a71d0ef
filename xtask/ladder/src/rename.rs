//! The name of a rung in its own files: as a package, `udp-echo`, and as a crate in the
//! code, `udp_echo`.

/// What stands around a name that is a word like any other, where it is the name.
const AS_A_NAME: [(&str, &str); 9] = [
    ("`", ""),
    ("\"", "\""),
    ("-p ", ""),
    ("new ", " "),
    ("", " server"),
    ("", " client"),
    // Its files, and the title of its page.
    ("\"", "."),
    ("target/", "."),
    ("<title>", ""),
];

/// The text with one name replaced by another, in both forms. A longer name that holds
/// it, as `my-udp-echo` does, stays; and so does a name that is a word, as `chat` is, in
/// prose.
pub fn rename(text: &str, from: &str, to: &str) -> String {
    let within = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    if from.contains('-') {
        let text = replace_word(text, from, within, |_, _| Some(to));
        let (from, to) = (identifier(from), identifier(to));
        let within = |c: char| c.is_alphanumeric() || c == '_';
        return replace_word(&text, &from, within, |_, _| Some(&to));
    }
    let name_in_code = identifier(to);
    // What it counts, for whoever collects that: `"chat_lines_total"`.
    let text = text.replace(&format!("\"{from}_"), &format!("\"{name_in_code}_"));
    replace_word(&text, from, within, |before, after| {
        if after.starts_with("::") {
            return Some(&name_in_code);
        }
        let is_name = AS_A_NAME
            .iter()
            .any(|(left, right)| before.ends_with(left) && after.starts_with(right));
        is_name.then_some(to)
    })
}

/// What a package is called in Rust code.
pub fn identifier(package: &str) -> String {
    package.replace('-', "_")
}

/// `with` is asked what takes the place of a whole word, by what stands on both sides of
/// it; `None` leaves it.
fn replace_word<'a>(
    text: &str,
    from: &str,
    belongs: fn(char) -> bool,
    with: impl Fn(&str, &str) -> Option<&'a str>,
) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let (before, found) = rest.split_at(at);
        let after = &found[from.len()..];
        replaced.push_str(before);
        let whole = !replaced.ends_with(belongs) && !after.starts_with(belongs);
        let other = whole.then(|| with(&replaced, after)).flatten();
        replaced.push_str(other.unwrap_or(from));
        rest = after;
    }
    replaced + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_replaced_as_a_package_and_as_a_crate_and_stays_within_another_and_in_prose() {
        for (name, old, new) in [
            (
                "one-echo",
                "use one_echo::client; // `one-echo`, `two-echo`",
                "use my_room::client; // `my-room`, `two-echo`",
            ),
            (
                "one-echo",
                "one-echo-fast, my-one-echo, one_echoes; (one-echo)",
                "one-echo-fast, my-one-echo, one_echoes; (my-room)",
            ),
            (
                "chat",
                "use chat::Chat; // `chat`, a chat; $ chat server; name = \"chat\"; tests/chat.rs",
                "use my_room::Chat; // `my-room`, a chat; $ my-room server; name = \"my-room\"; tests/chat.rs",
            ),
            (
                "chat",
                "\"chat.log\", target/chat.log, \"chat_lines_total\", the_chat_room; <title>chat</title>",
                "\"my-room.log\", target/my-room.log, \"my_room_lines_total\", the_chat_room; <title>my-room</title>",
            ),
        ] {
            assert_eq!(rename(old, name, "my-room"), new);
        }
    }
}
