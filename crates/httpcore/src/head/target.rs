//! The request target: its four forms, and the path in it, decoded once and kept inside
//! the root.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, percent_encode};

use super::host;
use super::method::Method;
use crate::refusal::Refusal;
use crate::status::Status;

/// What stays as it is in a name inside a path; the unreserved characters of RFC 3986
/// section 2.3.
const NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What would end a target, or is not part of one. What is encoded already stays as it
/// is.
const TARGET: &AsciiSet = &CONTROLS.add(b' ').add(b'#');

/// Where a request goes (RFC 9112 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'b> {
    /// The host of a target in absolute form; it stands in for the Host header.
    pub authority: Option<&'b [u8]>,
    /// The path as it was sent, from its first slash on; `*` for the server itself.
    pub path: &'b [u8],
    /// What follows the question mark, as it was sent.
    pub query: Option<&'b [u8]>,
}

impl<'b> Target<'b> {
    /// Reads a target. CONNECT has an authority for one, and a path of `*` here: it
    /// names no resource.
    ///
    /// # Errors
    /// 400 for what is none of the four forms.
    pub fn parse(method: Method, raw: &'b [u8]) -> Result<Target<'b>, Refusal> {
        if method == Method::Connect {
            return Ok(Target { authority: None, path: b"*", query: None });
        }
        if raw == b"*" && method == Method::Options {
            return Ok(Target { authority: None, path: raw, query: None });
        }
        if raw.contains(&b'#') {
            return Err(bad("a fragment is for the client alone and never sent"));
        }
        if raw.starts_with(b"/") {
            return Ok(Target::with_path(None, raw));
        }
        let Some(rest) = strip_scheme(raw) else {
            return Err(bad("the request target does not begin with a slash"));
        };
        let slash = rest.iter().position(|&byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(slash);
        if authority.is_empty() || !host::is_valid(authority) {
            return Err(bad("the authority of the request target is not a host and port"));
        }
        let target = Target::with_path(Some(authority), path);
        Ok(match (target.path, method) {
            // OPTIONS http://host asks about the server, every other method about its first page.
            (b"", Method::Options) => Target { path: b"*", ..target },
            (b"", _) => Target { path: b"/", ..target },
            _ => target,
        })
    }

    fn with_path(authority: Option<&'b [u8]>, raw: &'b [u8]) -> Target<'b> {
        match raw.iter().position(|&byte| byte == b'?') {
            Some(mark) => Target { authority, path: &raw[..mark], query: Some(&raw[mark + 1..]) },
            None => Target { authority, path: raw, query: None },
        }
    }

    /// The value of a query parameter, decoded; `+` is a space, as forms send it.
    pub fn query_value(&self, name: &str) -> Option<String> {
        self.query?.split(|&byte| byte == b'&').find_map(|pair| {
            let (key, value) = match pair.iter().position(|&byte| byte == b'=') {
                Some(sign) => (&pair[..sign], &pair[sign + 1..]),
                None => (pair, b"".as_slice()),
            };
            (form_decode(key) == name).then(|| form_decode(value))
        })
    }
}

/// The names between the slashes of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path<'b> {
    /// Each name, decoded. None is empty, `.` or `..`, and none holds a slash, a
    /// backslash or a NUL.
    pub names: Vec<Cow<'b, [u8]>>,
    /// Whether the path ended with a slash, and so asks for a folder.
    pub folder: bool,
}

impl<'b> Path<'b> {
    /// Splits first and decodes afterwards, once: `%2F` is no separator and `%252e` no
    /// dot. `..` goes up, and stays at the root there, whether it is encoded or
    /// not.
    ///
    /// # Errors
    /// 400 for a bad escape or a NUL, 404 for a name that no file can have.
    pub fn parse(path: &'b [u8]) -> Result<Path<'b>, Refusal> {
        let mut names: Vec<Cow<[u8]>> = Vec::new();
        let mut folder = true;
        for raw in path.split(|&byte| byte == b'/') {
            let name = decode(raw)?;
            folder = matches!(name.as_ref(), b"" | b"." | b"..");
            match name.as_ref() {
                b"" | b"." => {}
                b".." => {
                    names.pop();
                }
                // On Windows a backslash separates; an encoded slash would everywhere, once it is
                // joined to others.
                name if name.contains(&b'/') || name.contains(&b'\\') => {
                    return Err(Refusal::not_found());
                }
                _ => names.push(name),
            }
        }
        Ok(Path { names, folder })
    }

    /// Writes the path again, each name encoded; it begins with one slash, never two.
    pub fn encode(&self) -> String {
        let mut path = String::new();
        for name in &self.names {
            path.push('/');
            path.push_str(&encode(name));
        }
        if self.folder || path.is_empty() {
            path.push('/');
        }
        path
    }

    /// The same path with a slash at its end, seen from itself: a proxy may have stripped
    /// something from its front. The dot keeps a name with a colon from being read as a scheme.
    /// The query goes on as it came; what is not ASCII in it would be no header value.
    pub fn as_folder(&self, query: Option<&[u8]>) -> String {
        let name = self.names.last().map(Cow::as_ref).unwrap_or_default();
        let query = query.map(|query| format!("?{}", encode_target(query))).unwrap_or_default();
        format!("./{}/{query}", encode(name))
    }
}

/// A name as it stands in a link: whatever its bytes are, it comes back as them.
pub fn encode(name: &[u8]) -> String {
    percent_encode(name, NAME).to_string()
}

/// A path with its query, or a part of them, as it may be sent: as it came, but for
/// bytes that are not ASCII or would end it.
pub fn encode_target(target: &[u8]) -> String {
    percent_encode(target, TARGET).to_string()
}

fn decode(raw: &[u8]) -> Result<Cow<'_, [u8]>, Refusal> {
    if !raw.contains(&b'%') {
        // A NUL cannot get here: the request line holds no control characters.
        return Ok(Cow::Borrowed(raw));
    }
    for (at, _) in raw.iter().enumerate().filter(|(_, byte)| **byte == b'%') {
        if !matches!(raw.get(at + 1..at + 3), Some(digits) if digits.iter().all(u8::is_ascii_hexdigit))
        {
            return Err(Refusal::by(
                "RFC 3986 section 2.1",
                Status::BAD_REQUEST,
                "a % without two hex digits",
            ));
        }
    }
    let name: Vec<u8> = percent_encoding::percent_decode(raw).collect();
    if name.contains(&0) {
        return Err(bad("the path holds a NUL"));
    }
    Ok(Cow::Owned(name))
}

pub(crate) fn form_decode(raw: &[u8]) -> String {
    let spaced: Vec<u8> = raw.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_encoding::percent_decode(&spaced).decode_utf8_lossy().into_owned()
}

fn strip_scheme(raw: &[u8]) -> Option<&[u8]> {
    let end = raw.windows(3).position(|window| window == b"://")?;
    let scheme = &raw[..end];
    (scheme.eq_ignore_ascii_case(b"http") || scheme.eq_ignore_ascii_case(b"https"))
        .then(|| &raw[end + 3..])
}

fn bad(why: &'static str) -> Refusal {
    Refusal::by("RFC 9112 section 3.2", Status::BAD_REQUEST, why)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn target(method: Method, raw: &str) -> Result<Target<'_>, u16> {
        Target::parse(method, raw.as_bytes()).map_err(|refusal| refusal.status.0)
    }

    fn path(raw: &str) -> Result<String, u16> {
        Path::parse(raw.as_bytes()).map(|path| path.encode()).map_err(|refusal| refusal.status.0)
    }

    #[test]
    fn the_four_forms_are_read() {
        let origin = target(Method::Get, "/a?b?c").unwrap();
        assert_eq!(
            (origin.path, origin.query, origin.authority),
            (b"/a".as_slice(), Some(b"b?c".as_slice()), None)
        );
        let absolute = target(Method::Get, "HTTP://h:1/a?b").unwrap();
        assert_eq!(
            (absolute.path, absolute.authority),
            (b"/a".as_slice(), Some(b"h:1".as_slice()))
        );
        assert_eq!(target(Method::Get, "http://h").unwrap().path, b"/");
        assert_eq!(target(Method::Get, "http://h?q").unwrap().query, Some(b"q".as_slice()));
        assert_eq!(target(Method::Options, "http://h").unwrap().path, b"*");
        assert_eq!(target(Method::Options, "*").unwrap().path, b"*");
        assert_eq!(target(Method::Connect, "h:443").unwrap().path, b"*");
    }

    #[test]
    fn everything_else_is_refused() {
        for raw in ["*", "a", "ftp://h/", "http://", "http://:80/", "http://u@h/", "/a#b", "h:443"]
        {
            assert_eq!(target(Method::Get, raw), Err(400), "{raw:?}");
        }
    }

    #[test]
    fn paths_are_resolved_within_the_root() {
        for (raw, resolved) in [
            ("/", "/"),
            ("/a/b", "/a/b"),
            ("/a/b/", "/a/b/"),
            ("//a///b", "/a/b"),
            ("/a/./b/.", "/a/b/"),
            ("/a/../b", "/b"),
            ("/../../etc/passwd", "/etc/passwd"),
            ("/%2e%2e/%2E%2e/etc", "/etc"),
            ("/a/..", "/"),
            ("/%252e%252e/x", "/%252e%252e/x"),
            ("/%d0%9f", "/%D0%9F"),
            ("/a b", "/a%20b"),
            ("/\u{44f}", "/%D1%8F"),
            ("/...", "/..."),
        ] {
            assert_eq!(path(raw).as_deref(), Ok(resolved), "{raw:?}");
        }
    }

    #[test]
    fn escapes_that_are_none_are_bad_and_names_that_no_file_has_are_missing() {
        for raw in ["/%", "/%4", "/%zz", "/a%00b", "/%+1"] {
            assert_eq!(path(raw), Err(400), "{raw:?}");
        }
        for raw in ["/a%2fb", "/..%2f..%2fetc", "/a%5Cb", "/a\\b", "/..\\..\\x"] {
            assert_eq!(path(raw), Err(404), "{raw:?}");
        }
    }

    #[test]
    fn query_values_are_decoded() {
        let target = target(Method::Get, "/?a=1&b=x+y%21&c").unwrap();
        assert_eq!(target.query_value("b").as_deref(), Some("x y!"));
        assert_eq!(target.query_value("c").as_deref(), Some(""));
        assert_eq!(target.query_value("d"), None);
    }

    proptest! {
        #[test]
        fn no_path_leaves_the_root(raw in "/[a-c./%2eEfF5cC\\\\-]{0,30}") {
            if let Ok(path) = Path::parse(raw.as_bytes()) {
                for name in &path.names {
                    prop_assert!(!matches!(name.as_ref(), b"" | b"." | b".."));
                    prop_assert!(!name.iter().any(|byte| b"/\\\0".contains(byte)));
                }
            }
        }

        #[test]
        fn every_name_comes_back_from_its_link(
            name in proptest::collection::vec(any::<u8>().prop_filter("not in a name", |b| !b"/\\\0".contains(b)), 1..20)
        ) {
            prop_assume!(name != b"." && name != b"..");
            let link = format!("/{}", encode(&name));
            let path = Path::parse(link.as_bytes()).unwrap();
            prop_assert_eq!(path.names, vec![Cow::Borrowed(name.as_slice())]);
        }

        #[test]
        fn no_target_makes_the_reader_panic(raw in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = Target::parse(Method::Get, &raw);
            let _ = Path::parse(&raw);
        }
    }
}
