//! Files that lie beside others in compressed form: `app.js.br` for `app.js`, made once
//! by whoever builds the site. Nothing is compressed on the fly.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use httpcore::head::Fields;
use httpcore::reply::types;

/// The request field that says which codings a client takes (RFC 9110 section 12.5.3).
const ACCEPT: &str = "accept-encoding";

/// One way to compress.
#[derive(Debug, PartialEq, Eq)]
pub struct Coding {
    /// Its name in HTTP.
    pub name: &'static str,
    /// What old clients call it.
    old_name: Option<&'static str>,
    extension: &'static str,
}

/// The one that makes files smallest goes first, where a client wants several equally.
const CODINGS: [Coding; 3] = [
    Coding { name: "br", old_name: None, extension: "br" },
    Coding { name: "zstd", old_name: None, extension: "zst" },
    // RFC 9110 section 8.4.1.3.
    Coding { name: "gzip", old_name: Some("x-gzip"), extension: "gz" },
];

/// Whether the client takes anything but the file as it is.
pub fn is_accepted(fields: &Fields) -> bool {
    wanted(fields).next().is_some()
}

/// The codings that the client likes at least as well as the file itself, each with its
/// weight. The file itself has a weight only where the client gives it one.
fn wanted(fields: &Fields) -> impl Iterator<Item = (u16, &'static Coding)> {
    let plain = fields.weight(ACCEPT, "identity");
    CODINGS
        .iter()
        .map(|coding| {
            let weight = |name| fields.weight(ACCEPT, name);
            (weight(coding.name).max(coding.old_name.map_or(0, weight)), coding)
        })
        .filter(move |(weight, _)| *weight > 0 && *weight >= plain)
}

/// The compressed sibling of a file that the client likes best, if there is one.
pub fn choose(path: &Path, fields: &Fields) -> Option<(PathBuf, &'static Coding)> {
    // Without an extension, the type is judged by the content, and that would be the
    // compressed one.
    types::by_name(path)?;
    let original = fs::metadata(path).ok()?;
    let mut wanted: Vec<(u16, &Coding)> = wanted(fields).collect();
    // Stable: of equal weights, the first stays first.
    wanted.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    wanted.into_iter().find_map(|(_, coding)| {
        let mut name = path.as_os_str().to_owned();
        name.push(".");
        name.push(coding.extension);
        let sibling = PathBuf::from(name);
        is_current(&sibling, &original).then_some((sibling, coding))
    })
}

/// A sibling that is older than its original was made from another version of it. Links
/// are not followed here.
fn is_current(sibling: &Path, original: &Metadata) -> bool {
    let Ok(sibling) = fs::symlink_metadata(sibling) else { return false };
    let is_younger = match (sibling.modified(), original.modified()) {
        (Ok(sibling), Ok(original)) => sibling >= original,
        _ => false,
    };
    sibling.is_file() && is_younger
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use httparse::Header;

    use super::*;

    fn chosen(folder: &Path, accept: &str) -> Option<&'static str> {
        let list = [Header { name: "Accept-Encoding", value: accept.as_bytes() }];
        choose(&folder.join("a.js"), &Fields::new(&list)).map(|(_, coding)| coding.name)
    }

    #[test]
    fn the_coding_that_the_client_likes_best_is_sent_if_it_is_there() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.js", "a.js.br", "a.js.gz"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        for (accept, coding) in [
            ("gzip, deflate, br, zstd", Some("br")),
            ("gzip;q=1, br;q=0.5", Some("gzip")),
            ("zstd, gzip;q=0.2", Some("gzip")),
            ("br;q=0, gzip", Some("gzip")),
            ("zstd", None),
            ("identity", None),
            ("identity;q=1, gzip;q=0.5", None),
            ("identity;q=0.5, gzip;q=0.5", Some("gzip")),
            ("identity;q=0, gzip;q=0.5", Some("gzip")),
            ("x-gzip", Some("gzip")),
            ("", None),
        ] {
            assert_eq!(chosen(folder.path(), accept), coding, "{accept:?}");
        }
    }

    #[test]
    fn a_sibling_of_an_older_version_is_not_sent() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.js", "a.js.gz"] {
            fs::write(folder.path().join(name), name).unwrap();
        }
        let original = fs::File::options().write(true).open(folder.path().join("a.js")).unwrap();
        original.set_modified(SystemTime::now() + Duration::from_secs(60)).unwrap();
        assert_eq!(chosen(folder.path(), "gzip"), None);
    }
}
