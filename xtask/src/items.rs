//! Takes one item out of a Rust source text.
//!
//! No parser: sources here are formatted by rustfmt, so an item ends at the first line
//! with its own indentation that closes what it opened. A page asks for `fn serve` or
//! `impl Read for TimedStream` as it stands in the source, without visibility.

use ladder::{Failure, failure};

/// Words that may stand between the start of a line and the item.
const MODIFIERS: [&str; 5] = ["pub ", "pub(crate) ", "pub(super) ", "const ", "async "];

/// The source text of the item that starts with `wanted`, with the comments and
/// attributes above it. An item inside another loses the indentation that it has there.
///
/// # Errors
/// No such item, or several.
pub fn find(source: &str, wanted: &str) -> Result<String, Failure> {
    let lines: Vec<&str> = source.lines().collect();
    let starts: Vec<usize> =
        (0..lines.len()).filter(|&index| starts_item(lines[index], wanted)).collect();
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
    let mut first = start;
    while first > 0 && belongs_to_item_below(lines[first - 1], indent(lines[start])) {
        first -= 1;
    }
    let depth = indent(lines[start]);
    let text: Vec<&str> =
        lines[first..=end].iter().map(|line| line.get(depth..).unwrap_or("")).collect();
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

/// The names of the public constants in a source text, in order.
pub fn constants(source: &str) -> Vec<&str> {
    source.lines().filter_map(|line| line.strip_prefix("pub const ")?.split(':').next()).collect()
}

fn starts_item(line: &str, wanted: &str) -> bool {
    let mut rest = line.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix(wanted) {
            return !after.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        }
        match MODIFIERS.iter().find_map(|modifier| rest.strip_prefix(modifier)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
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
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if true {
        }
        Ok(0)
    }
}

pub fn serve_all() {}

// Plain comment.
pub fn serve(
    listener: TcpListener,
) -> io::Result<()> {
    let buf = [
        0; 4
    ];
    Ok(())
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

    #[track_caller]
    fn assert_found(wanted: &str, item: &str) {
        assert_eq!(find(SOURCE, wanted).unwrap(), item);
    }

    #[test]
    fn an_item_of_one_line_is_that_line_with_its_doc() {
        assert_found(
            "const LIMIT",
            "/// How long.\npub const LIMIT: Duration = Duration::from_secs(5);",
        );
        assert_found("fn serve_all", "pub fn serve_all() {}");
    }

    #[test]
    fn a_value_on_lines_of_its_own_is_taken_whole() {
        assert_found("const LONG", "const LONG: &str =\n    \"a value on a line of its own\";");
        assert_found("const TABLE", "const TABLE: [u8; 2] = [\n    1,\n    2,\n];");
    }

    #[test]
    fn comments_and_attributes_above_belong_to_the_item() {
        let item = "/// What went wrong.\n#[derive(Debug)]\npub enum Wrong {\n    Much { depth: usize },\n}";
        assert_found("enum Wrong", item);
        assert!(without_docs(item).starts_with("#[derive(Debug)]\n"));
    }

    #[test]
    fn a_function_with_its_arguments_on_lines_of_their_own_ends_at_its_brace() {
        let item = find(SOURCE, "fn serve").unwrap();
        assert!(item.starts_with("// Plain comment.\npub fn serve(\n"), "{item}");
        assert!(item.ends_with("    Ok(())\n}"), "{item}");
    }

    #[test]
    fn an_item_inside_another_loses_its_indentation() {
        let item = find(SOURCE, "fn read").unwrap();
        assert!(item.starts_with("fn read(&mut self"), "{item}");
        assert!(item.ends_with("    Ok(0)\n}"), "{item}");
        assert_found("impl Read for Stream", &find(SOURCE, "impl Read").unwrap());
    }

    #[test]
    fn an_item_that_is_missing_or_there_twice_is_told() {
        assert_eq!(find(SOURCE, "fn reply").unwrap_err().to_string(), "there is no `fn reply`");
        let twice =
            find("mod a {\n    fn b() {}\n}\nmod c {\n    fn b() {}\n}\n", "fn b").unwrap_err();
        assert_eq!(twice.to_string(), "there are 2 of `fn b`");
        let open = find("fn a() {\n", "fn a").unwrap_err();
        assert_eq!(open.to_string(), "`fn a` has no end; is the file formatted?");
    }

    #[test]
    fn tests_are_listed_by_name_in_order() {
        assert_eq!(tests(SOURCE), ["serve", "a_promise_is_kept", "one_is_kept", "another_is_kept"]);
    }

    #[test]
    fn public_constants_are_listed_by_name() {
        assert_eq!(constants(SOURCE), ["LIMIT"]);
    }
}
