//! Pages without script: escaping, and the frame that listings and error pages share.

use std::fmt::Write as _;
use std::hash::{BuildHasher, RandomState};

use crate::head::target::encode;

/// The style of every page: the reader's own light or dark colours, and a phone's
/// width.
const STYLE: &str = "\
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;margin:0 auto;max-width:60rem;padding:1rem}
h1{font-size:1.25rem;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #8884}
td:first-child{overflow-wrap:anywhere}
td:nth-child(2),th:nth-child(2){text-align:right;white-space:nowrap}
td:nth-child(3),th:nth-child(3){white-space:nowrap;font-variant-numeric:tabular-nums}
a{text-decoration:none}a:hover,a:focus{text-decoration:underline}
@media(max-width:40rem){td:nth-child(3),th:nth-child(3){display:none}}
";

/// Allows nothing but our own style, by its nonce: a page that a file name could slip a
/// script into would not run it.
pub fn content_security_policy(page: &str) -> String {
    let nonce = page
        .split("<style nonce=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .unwrap_or_default();
    format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

/// A whole page around `body`, which must be escaped already; `title` is not.
pub fn page(title: &str, body: &str) -> String {
    let nonce = nonce();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style nonce=\"{nonce}\">\n{STYLE}</style>\n</head>\n<body>\n{body}</body>\n</html>\n",
        title = escape(title),
    )
}

/// A page of links to these names, which lie in the folder that it is the page of.
pub fn index(title: &str, names: &[String]) -> String {
    let mut body = format!("<h1>{}</h1>\n<ul>\n", escape(title));
    for name in names {
        let end = if name.ends_with('/') { "/" } else { "" };
        let link = encode(name.trim_end_matches('/').as_bytes());
        // The dot keeps a name with a colon from being read as the scheme of an address.
        let _ = writeln!(body, "<li><a href=\"./{link}{end}\">{}</a></li>", escape(name));
    }
    page(title, &(body + "</ul>\n"))
}

/// Text that is safe between tags and inside quoted attributes.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Control characters are not allowed in HTML, not even as references.
            c if c.is_control() => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// Text as a JSON string, with its quotes.
pub fn json(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _ = write!(quoted, "\\u{:04x}", c as u32);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// A number that nobody can know beforehand. The keys of a thread's first `RandomState`
/// are the system's randomness, and those of the next ones count on from there; SipHash
/// lets nobody see that, or the keys.
pub fn nonce() -> String {
    let random = RandomState::new();
    format!("{:016x}{:016x}", random.hash_one(0), random.hash_one(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_is_shown_can_become_a_tag_or_leave_an_attribute() {
        assert_eq!(escape("a<b>&\"'\n"), "a&lt;b&gt;&amp;&quot;&#39;\u{fffd}");
    }

    #[test]
    fn names_are_shown_as_they_are_and_lead_where_they_should() {
        let page = index("/", &["a<b".into(), "c:d/".into()]);
        assert!(page.contains("<li><a href=\"./a%3Cb\">a&lt;b</a></li>\n"), "{page}");
        assert!(page.contains("<li><a href=\"./c%3Ad/\">c:d/</a></li>\n"), "{page}");
    }

    #[test]
    fn json_strings_are_escaped() {
        assert_eq!(json("a\"\\\n\u{1}я"), "\"a\\\"\\\\\\u000a\\u0001я\"");
    }

    #[test]
    fn the_policy_names_the_nonce_of_its_page() {
        let page = page("<", "");
        let policy = content_security_policy(&page);
        let nonce = policy.split("'nonce-").nth(1).unwrap().split('\'').next().unwrap();
        assert_eq!(nonce.len(), 32);
        assert!(page.contains(&format!("<style nonce=\"{nonce}\">")));
        assert!(page.contains("<title>&lt;</title>"));
    }
}
