//! Takes one item out of a Rust source text.
//!
//! No parser: sources here are formatted by rustfmt, so an item ends at the first line
//! with its own indentation that closes what it opened. A page asks for `fn serve` or
//! `impl Read for TimedStream` as it stands in the source, without visibility.

use ladder::{Failure, failure};
use regex_lite::escape;

use crate::pattern::pattern;

/// The source text of the item that starts with `wanted`, with the comments and
/// attributes above it. An item inside another loses the indentation that it has there.
pub fn find(source: &str, wanted: &str) -> Result<String, Failure> {
    let lines: Vec<&str> = source.lines().collect();
    let modifiers = r"(pub(\(\w+\))? |const |async )*";
    let item = pattern(&format!(r"^\s*{modifiers}{}(\W|$)", escape(wanted)))?;
    let starts: Vec<usize> =
        (0..lines.len()).filter(|&index| item.is_match(lines[index])).collect();
    // An item of the file goes before one of the same name in its tests.
    let outer: Vec<usize> =
        starts.iter().copied().filter(|&index| indent(lines[index]) == 0).collect();
    let start = match (outer.as_slice(), starts.as_slice()) {
        ([one], _) | ([], [one]) => *one,
        ([], []) => return Err(failure!("there is no `{wanted}`")),
        _ => return Err(failure!("there are {} of `{wanted}`", starts.len())),
    };
    let Some(end) = (start..lines.len()).find(|&index| ends_item(&lines, start, index)) else {
        return Err(failure!("`{wanted}` has no end; is the file formatted?"));
    };
    let depth = indent(lines[start]);
    let above = lines[..start].iter().rev();
    let above = above.take_while(|line| belongs_to_item_below(line, depth)).count();
    let text: Vec<&str> =
        lines[start - above..=end].iter().map(|line| line.get(depth..).unwrap_or("")).collect();
    Ok(text.join("\n"))
}

/// The item without the documentation comments above it.
pub fn without_docs(item: &str) -> String {
    let body = item.lines().skip_while(|line| line.starts_with("//"));
    body.collect::<Vec<_>>().join("\n")
}

/// The names of the tests in a source text, in order, and of the promises that
/// `promises!` makes tests of.
pub fn tests(source: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut lines = source.lines().map(str::trim);
    while let Some(line) = lines.next() {
        if line == "#[test]" {
            // Other attributes may stand in between.
            names.extend(lines.find_map(|line| line.strip_prefix("fn ")?.split('(').next()));
        } else if line.contains("promises! {") {
            let promises = lines.by_ref().take_while(|line| *line != "}");
            names.extend(promises.filter_map(|line| line.strip_suffix(',')));
        }
    }
    names
}

/// The names of the public constants in a source text, in order. A text is a word of the
/// protocol, and no limit.
pub fn limits(source: &str) -> Vec<&str> {
    let constants = source.lines().filter_map(|line| line.strip_prefix("pub const "));
    let typed = constants.filter_map(|constant| constant.split_once(": "));
    typed.filter(|(_, kind)| !kind.starts_with('&')).map(|(name, _)| name).collect()
}

/// The port that a person gets who names none, by the library of a rung.
pub fn default_port(library: &str) -> Option<&str> {
    library.split_once("pub const PORT: u16 = ")?.1.split(';').next()
}

fn ends_item(lines: &[&str], start: usize, index: usize) -> bool {
    let (first, line) = (lines[start], lines[index]);
    if first.ends_with('=') {
        // A value on lines of its own.
        return line.ends_with(';');
    }
    let closes = index == start || line.trim_start().starts_with(['}', ')', ']']);
    closes && indent(line) == indent(first) && (line.ends_with('}') || line.ends_with(';'))
}

fn belongs_to_item_below(line: &str, depth: usize) -> bool {
    let text = line.trim_start();
    let comment = text.starts_with("//") && !text.starts_with("//!");
    indent(line) == depth && (comment || text.starts_with("#["))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"//! The module.

use std::io;

/// How long.
pub const LIMIT: Duration = Duration::from_secs(5);
const LONG: &str =
    "a value on a line of its own";
const TABLE: [u8; 2] = [
    1,
    2,
];

/// What went wrong.
#[derive(Debug)]
pub enum Wrong {
    Much { depth: usize },
}

impl Read for Stream<'_> {
    fn read(&mut self) -> usize {
        if true {
        }
    }
}

pub fn serve_all() {}

// Plain comment.
pub fn serve(
    listener: TcpListener,
) {
    let buf = [
        0; 4
    ];
}

mod tests {
    #[test]
    fn serve() {
    }

    #[test]
    #[cfg(unix)]
    fn a_promise_is_kept() {
    }
}

netcore::promises! { suite() =>
    one_is_kept,

    another_is_kept,
}
"#;

    #[test]
    fn an_item_is_taken_whole_with_what_is_above_it_or_it_is_told_why_not() {
        let doc = "/// What went wrong.\n";
        let item = "#[derive(Debug)]\npub enum Wrong {\n    Much { depth: usize },\n}";
        assert_eq!(without_docs(&format!("{doc}{item}")), item);
        let read = "fn read(&mut self) -> usize {\n    if true {\n    }\n}";
        let indented = read.replace('\n', "\n    ");
        for (wanted, item) in [
            ("const LIMIT", "/// How long.\npub const LIMIT: Duration = Duration::from_secs(5);"),
            ("fn serve_all", "pub fn serve_all() {}"),
            ("const LONG", "const LONG: &str =\n    \"a value on a line of its own\";"),
            ("const TABLE", "const TABLE: [u8; 2] = [\n    1,\n    2,\n];"),
            ("enum Wrong", &format!("{doc}{item}")),
            ("fn read", read),
            ("impl Read", &format!("impl Read for Stream<'_> {{\n    {indented}\n}}")),
            (
                "fn serve",
                "// Plain comment.\npub fn serve(\n    listener: TcpListener,\n) {\n    let buf = [\n        0; 4\n    ];\n}",
            ),
        ] {
            assert_eq!(find(SOURCE, wanted).unwrap(), item);
        }
        let twice = "mod a {\n    fn b() {}\n}\nmod c {\n    fn b() {}\n}\n";
        for (source, wanted, said) in [
            (SOURCE, "fn reply", "there is no `fn reply`"),
            (twice, "fn b", "there are 2 of `fn b`"),
            ("fn a() {\n", "fn a", "`fn a` has no end; is the file formatted?"),
        ] {
            assert_eq!(find(source, wanted).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn tests_and_public_constants_are_listed_by_name_in_order() {
        assert_eq!(tests(SOURCE), ["serve", "a_promise_is_kept", "one_is_kept", "another_is_kept"]);
        assert_eq!(limits(SOURCE), ["LIMIT"]);
        assert_eq!(limits("pub const WORD: &str = \"/alive\";\npub const N: u8 = 1;\n"), ["N"]);
    }
}
