//! The page of the book that holds the figures, and its pictures.

use std::fs;
use std::path::Path;

use super::chart::{self, Line};
use super::machine::Machine;
use super::table::Table;
use crate::Failure;

/// Between these two, the page holds what was measured; the rest of it is written by people.
const BLOCK: (&str, &str) =
    ("<!-- measured by cargo xtask bench --svg -->", "<!-- end of what was measured -->");

/// Writes all of it below `root`.
pub fn write(root: &Path, machine: &Machine, tables: &[Table], lines: &[Line]) -> Result<(), Failure> {
    let docs = root.join("docs");
    let path = docs.join("benchmarks.md");
    let page = fs::read_to_string(&path).map_err(|error| cannot("read", &path, &error))?;
    let mut text = format!("Measured {machine}.\n");
    for table in tables {
        text.push('\n');
        text.push_str(&table.markdown());
    }
    let Some(filled) = fill(&page, &text) else {
        let (begin, end) = BLOCK;
        return Err(Failure::new(format!("{} needs the lines {begin} and {end}", path.display())));
    };
    let pictures =
        [("throughput", chart::throughput(lines, machine)), ("latency", chart::latency(lines, machine))];
    for (name, picture) in pictures {
        let path = docs.join(format!("benchmarks-{name}.svg"));
        fs::write(&path, picture).map_err(|error| cannot("write", &path, &error))?;
    }
    fs::write(&path, filled).map_err(|error| cannot("write", &path, &error))
}

fn fill(page: &str, text: &str) -> Option<String> {
    let (before, rest) = page.split_once(BLOCK.0)?;
    let (_, after) = rest.split_once(BLOCK.1)?;
    Some(format!("{before}{}\n\n{text}\n{}{after}", BLOCK.0, BLOCK.1))
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("cannot {what} {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_measured_is_replaced() {
        let page = format!("prose\n{}\nold\n{}\nmore prose\n", BLOCK.0, BLOCK.1);
        let filled = fill(&page, "new\n").unwrap();
        assert_eq!(filled, format!("prose\n{}\n\nnew\n\n{}\nmore prose\n", BLOCK.0, BLOCK.1));
        assert_eq!(fill(&filled, "new\n").unwrap(), filled);
        assert_eq!(fill("prose", "new"), None);
    }
}
