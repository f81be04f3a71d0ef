//! A path as one word of a line that programs read, whatever its bytes are: as an address of
//! the Web has them, `%` and two digits for what would end the word, the line, or be a
//! command to a terminal.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::PREFIX;
use crate::log::is_plain;

/// The path in a ready line: `unix:echo.sock`.
pub fn word(path: &Path) -> String {
    let mut word = String::from(PREFIX);
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        for c in chunk.valid().chars() {
            match is_plain(c) && !c.is_whitespace() && c != '%' {
                true => word.push(c),
                false => escape(c.encode_utf8(&mut [0; 4]).as_bytes(), &mut word),
            }
        }
        escape(chunk.invalid(), &mut word);
    }
    word
}

/// The path of which [`word`] has made this; `None` for what is no file.
pub fn path_in(word: &str) -> Option<PathBuf> {
    let mut rest = word.strip_prefix(PREFIX)?.as_bytes();
    let mut bytes = Vec::new();
    while let Some((&first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| first == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let code =
            digits.and_then(|digits| u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(code.unwrap_or(first));
        rest = if code.is_some() { &behind[2..] } else { behind };
    }
    Some(path_of(bytes))
}

fn escape(bytes: &[u8], word: &mut String) {
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(word, "%{byte:02X}");
    }
}

#[cfg(unix)]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    OsString::from_vec(bytes).into()
}

#[cfg(not(unix))]
fn path_of(bytes: Vec<u8>) -> PathBuf {
    String::from_utf8_lossy(&bytes).into_owned().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_plain_word_and_comes_back_as_it_was() {
        for (path, expected) in [
            ("echo.sock", "unix:echo.sock"),
            ("/run/сокет.sock", "unix:/run/сокет.sock"),
            ("a b", "unix:a%20b"),
            ("a\nb\u{1b}[2J", "unix:a%0Ab%1B[2J"),
            ("100%25", "unix:100%2525"),
            ("\u{202e}x\u{a0}", "unix:%E2%80%AEx%C2%A0"),
            ("", "unix:"),
        ] {
            assert_eq!(word(Path::new(path)), expected);
            assert_eq!(path_in(expected), Some(path.into()));
        }
        // What no word of ours has is taken as it is.
        assert_eq!(path_in("unix:50%"), Some("50%".into()));
        assert_eq!(path_in("unix:%+1"), Some("%+1".into()));
        assert_eq!(path_in("127.0.0.1:9090"), None);
    }

    #[cfg(unix)]
    #[test]
    fn so_does_one_that_is_no_text() {
        use std::ffi::OsStr;
        use std::os::unix::ffi::OsStrExt;

        let path = Path::new(OsStr::from_bytes(b"a\xff\xe2\x82z"));
        assert_eq!(word(path), "unix:a%FF%E2%82z");
        assert_eq!(path_in(&word(path)).as_deref(), Some(path));
    }
}
