//! Media types: by the name of the file, from a table that is built in; the machine's
//! own tables are not asked.

use std::path::Path;

/// Bytes that are looked at where the name says nothing.
pub const SNIFFED: usize = 1024;

/// The type that the extension of the name stands for, with `charset=utf-8` for text.
pub fn by_name(name: &Path) -> Option<String> {
    let guess = mime_guess::from_path(name).first()?;
    let essence = guess.essence_str();
    // The charset of JSON and of images is fixed by their own definitions.
    let is_text = essence.starts_with("text/")
        || matches!(essence, "application/javascript" | "application/xml");
    Some(if is_text { format!("{essence}; charset=utf-8") } else { essence.to_string() })
}

/// Text or not, by the first bytes of the file: UTF-8 without control characters is
/// text.
pub fn by_content(start: &[u8]) -> &'static str {
    let text = match str::from_utf8(start) {
        Ok(text) => text,
        // A character may be cut at the end of what was looked at.
        Err(error) if error.error_len().is_none() && start.len() >= SNIFFED => {
            str::from_utf8(&start[..error.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return "application/octet-stream",
    };
    let is_binary =
        |c: char| c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r' | '\x0c' | '\x1b');
    if text.contains(is_binary) { "application/octet-stream" } else { "text/plain; charset=utf-8" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_follow_the_name() {
        let by_name = |name: &str| by_name(Path::new(name));
        assert_eq!(by_name("a.html").as_deref(), Some("text/html; charset=utf-8"));
        assert_eq!(by_name("a.CSS").as_deref(), Some("text/css; charset=utf-8"));
        assert_eq!(by_name("a.js").as_deref(), Some("text/javascript; charset=utf-8"));
        assert_eq!(by_name("a.json").as_deref(), Some("application/json"));
        assert_eq!(by_name("a.svg").as_deref(), Some("image/svg+xml"));
        assert_eq!(by_name("a.wasm").as_deref(), Some("application/wasm"));
        assert_eq!(by_name("README"), None);
        assert_eq!(by_name("a.unheardof"), None);
    }

    #[test]
    fn a_name_without_an_extension_is_judged_by_its_start() {
        assert_eq!(by_content("Привет\n".as_bytes()), "text/plain; charset=utf-8");
        assert_eq!(by_content(b""), "text/plain; charset=utf-8");
        assert_eq!(by_content(b"\x7fELF\0\0"), "application/octet-stream");
        assert_eq!(by_content(b"\xff\xfe"), "application/octet-stream");
        // Cut in the middle of a character, at the end of what is looked at and before it.
        let long = "я".repeat(SNIFFED);
        assert_eq!(by_content(&long.as_bytes()[1..=SNIFFED]), "application/octet-stream");
        let cut = [b"a", &long.as_bytes()[..SNIFFED - 1]].concat();
        assert_eq!(by_content(&cut), "text/plain; charset=utf-8");
        assert_eq!(by_content("я".as_bytes().split_last().unwrap().1), "application/octet-stream");
    }
}
