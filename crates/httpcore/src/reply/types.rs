//! Media types: by the name of the file, from a table that is built in; the machine's
//! own tables are not asked.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

/// Bytes that are looked at where the name says nothing.
pub const SNIFFED: usize = 1024;

/// Where the table is wrong or old: the registry of media types has these
/// ([RFC 8081](https://www.rfc-editor.org/rfc/rfc8081) for fonts, [RFC 9239](https://www.rfc-editor.org/rfc/rfc9239) for
/// scripts, [RFC 9512](https://www.rfc-editor.org/rfc/rfc9512) for YAML), but for .rpm and .tgz, which it lacks.
const MENDED: [(&str, &str); 25] = [
    ("cjs", "text/javascript"),
    ("deb", "application/vnd.debian.binary-package"),
    ("m2t", "video/mp2t"),
    ("m2ts", "video/mp2t"),
    ("m3u8", "application/vnd.apple.mpegurl"),
    ("m4a", "audio/mp4"),
    ("m4b", "audio/mp4"),
    ("m4s", "video/iso.segment"),
    ("m4v", "video/mp4"),
    ("map", "application/json"),
    ("mid", "audio/midi"),
    ("mjs", "text/javascript"),
    ("mts", "video/mp2t"),
    ("otf", "font/otf"),
    ("rpm", "application/x-rpm"),
    ("sql", "application/sql"),
    ("tgz", "application/gzip"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("vcf", "text/vcard"),
    ("wgsl", "text/wgsl"),
    ("woff", "font/woff"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
    ("zst", "application/zstd"),
];

/// The type that the extension of the name stands for, with `charset=utf-8` for text.
pub fn by_name(name: &Path) -> Option<String> {
    let essence = essence(name)?;
    Some(if is_text(essence) { format!("{essence}; charset=utf-8") } else { essence.to_string() })
}

/// The type of a file that nothing has been read of. Its beginning is looked at where that
/// may matter.
///
/// # Errors
/// What reading it says.
pub fn of_file(name: &Path, file: &mut File) -> io::Result<String> {
    let is_told = by_name(name).is_some_and(|known| !known.ends_with("charset=utf-8"));
    if is_told {
        return Ok(of(name, &[]));
    }
    let start = start(file)?;
    file.rewind()?;
    Ok(of(name, &start))
}

/// The first [`SNIFFED`] bytes of a file that nothing has been read of, or as many as it has.
///
/// # Errors
/// What reading it says.
pub fn start(file: &mut File) -> io::Result<Vec<u8>> {
    let mut start = Vec::with_capacity(SNIFFED);
    file.take(SNIFFED as u64).read_to_end(&mut start)?;
    Ok(start)
}

/// The type of a file that begins so, with [`SNIFFED`] bytes where it has as many. Text has
/// `charset=utf-8` only where it is that: without it, a browser looks at what a page says of
/// itself.
pub fn of(name: &Path, start: &[u8]) -> String {
    match essence(name) {
        None => by_content(start).to_string(),
        Some(essence) if is_text(essence) && is_in_utf_8(essence, start) => {
            format!("{essence}; charset=utf-8")
        }
        Some(essence) => essence.to_string(),
    }
}

fn essence(name: &Path) -> Option<&'static str> {
    let extension = name.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let mended = MENDED.iter().find(|(known, _)| known.eq_ignore_ascii_case(extension));
    match mended {
        Some((_, essence)) => Some(essence),
        None => mime_guess::from_path(name).first_raw(),
    }
}

/// The charset of JSON and of images is fixed by their own definitions.
fn is_text(essence: &str) -> bool {
    essence.starts_with("text/") || matches!(essence, "application/javascript" | "application/xml")
}

/// Whether a text that begins so is UTF-8, as far as can be seen. One in ASCII may be, unless
/// it names another charset for what comes behind.
fn is_in_utf_8(essence: &str, start: &[u8]) -> bool {
    match utf_8(start) {
        None => false,
        Some(text) => !text.is_ascii() || !names_another_charset(essence, text),
    }
}

/// Whether HTML, CSS or XML says of itself that it is not in UTF-8.
fn names_another_charset(essence: &str, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let named = match essence {
        "text/html" => text.split("charset").nth(1).map(str::trim_start),
        "text/css" => text.strip_prefix("@charset "),
        _ if text.starts_with("<?xml") => text.split("encoding").nth(1).map(str::trim_start),
        _ => None,
    };
    let label = named.unwrap_or_default().trim_start_matches(['=', ' ', '"', '\'']);
    !label.is_empty() && !label.starts_with("utf-8") && !label.starts_with("utf8")
}

/// The text, where it is UTF-8; a character may be cut at the end of what was looked at.
fn utf_8(start: &[u8]) -> Option<&str> {
    match str::from_utf8(start) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() && start.len() >= SNIFFED => {
            str::from_utf8(&start[..error.valid_up_to()]).ok()
        }
        Err(_) => None,
    }
}

/// Text or not, by the first bytes of the file: UTF-8 without control characters is
/// text.
pub fn by_content(start: &[u8]) -> &'static str {
    let Some(text) = utf_8(start) else { return "application/octet-stream" };
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

    /// RFC 8081, RFC 9239, RFC 9512 and the registry.
    #[test]
    fn types_are_those_of_the_registry() {
        for (name, expected) in [
            ("a.woff", "font/woff"),
            ("a.woff2", "font/woff2"),
            ("a.otf", "font/otf"),
            ("a.ttf", "font/ttf"),
            ("a.ttc", "font/collection"),
            ("a.js", "text/javascript; charset=utf-8"),
            ("a.MJS", "text/javascript; charset=utf-8"),
            ("a.cjs", "text/javascript; charset=utf-8"),
            ("a.ts", "video/mp2t"),
            ("a.m2ts", "video/mp2t"),
            ("a.rpm", "application/x-rpm"),
            ("a.tar.zst", "application/zstd"),
            ("a.yml", "application/yaml"),
            ("a.js.map", "application/json"),
        ] {
            assert_eq!(by_name(Path::new(name)).as_deref(), Some(expected), "{name}");
        }
        assert!(MENDED.is_sorted());
        for (extension, essence) in MENDED {
            let table = mime_guess::from_ext(extension).first_raw();
            assert_ne!(table, Some(essence), "{extension} needs no mending");
        }
    }

    #[test]
    fn text_is_in_utf_8_where_it_looks_so_and_does_not_say_otherwise() {
        let of = |name: &str, start: &[u8]| of(Path::new(name), start);
        let (html, css, xml) = ("text/html", "text/css", "text/xml");
        let with = |essence: &str| format!("{essence}; charset=utf-8");
        for start in [
            b"".as_slice(),
            b"<p>",
            "<p>мир".as_bytes(),
            b"<meta charset=utf-8>",
            b"<meta charset=\"UTF-8\">",
            b"<META http-equiv=Content-Type content='text/html; charset = utf8'>",
            "<meta charset=windows-1251>мир".as_bytes(),
            &[b"<p>".as_slice(), &"я".repeat(SNIFFED).as_bytes()[..SNIFFED - 3]].concat(),
        ] {
            assert_eq!(of("a.html", start), with(html), "{}", start.escape_ascii());
        }
        for start in [
            b"<meta charset=windows-1251>\xec\xe8\xf0".as_slice(),
            b"\xec\xe8\xf0",
            b"<meta charset=windows-1251>",
            b"<meta CHARSET='koi8-r'>",
            b"<meta http-equiv=content-type content=\"text/html; charset=iso-8859-1\">",
            b"\xff\xfe<\0",
            "мир".as_bytes().split_last().unwrap().1,
        ] {
            assert_eq!(of("a.html", start), html, "{}", start.escape_ascii());
        }
        assert_eq!(of("a.css", b"@charset \"koi8-r\";"), css);
        assert_eq!(of("a.css", b"@charset \"utf-8\";"), with(css));
        assert_eq!(of("a.xml", b"<?xml version='1.0' encoding='koi8-r'?>"), xml);
        assert_eq!(of("a.xml", b"<?xml version='1.0' encoding='UTF-8'?>"), with(xml));
        assert_eq!(of("a.js", b"encoding = 'koi8-r'"), with("text/javascript"));
        assert_eq!(of("a.txt", b"charset=koi8-r"), with("text/plain"));
        assert_eq!(of("a.txt", b"\xec\xe8\xf0"), "text/plain");
        assert_eq!(of("a.png", b"\xec\xe8\xf0"), "image/png");
        assert_eq!(of("README", b"\xec\xe8\xf0"), "application/octet-stream");
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
