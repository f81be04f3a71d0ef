//! The pages of the book that hold figures, and their pictures.

use std::path::Path;

use ladder::{Failure, failure, files};

use crate::chart;
use crate::machine::Machine;
use crate::table::Table;

/// What begins and ends a block that is filled here; between the two halves of the
/// first is its name.
const BLOCK: (&str, &str, &str) = ("<!-- bench:", " -->\n", "<!-- bench:end -->");

/// The blocks there are, with the scenarios whose tables they hold; all of them where
/// there is `None`.
const BLOCKS: [(&str, Option<&[&str]>); 2] =
    [("all", None), ("architectures", Some(&["echo-1", "echo-64", "connect", "idle", "rest"]))];

/// Fills the blocks of all pages below `root`, and writes the pictures beside them.
pub fn write(
    root: &Path,
    machine: &Machine,
    left_out: &[String],
    tables: &[Table],
    sweep: &[Table],
) -> Result<(), Failure> {
    let docs = root.join("docs");
    let pictures = [
        ("throughput", chart::throughput(sweep, machine)),
        ("latency", chart::latency(sweep, machine)),
    ];
    for (name, picture) in pictures {
        files::write(&docs.join(format!("benchmarks-{name}.svg")), picture)?;
    }
    for path in files::with_extension(&docs, "md")? {
        let page = files::read(&path)?;
        let filled = fill(&page, |name| text(name, machine, left_out, tables))?;
        if filled != page {
            files::write(&path, filled)?;
        }
    }
    Ok(())
}

fn text(name: &str, machine: &Machine, left_out: &[String], tables: &[Table]) -> Option<String> {
    let (_, scenarios) = BLOCKS.iter().find(|(block, _)| *block == name)?;
    let mut text = format!(
        "Measured {machine}.\n\n\
         ![Replies a second against the number of connections](benchmarks-throughput.svg)\n\n\
         ![Latency against the number of connections](benchmarks-latency.svg)\n"
    );
    for peer in left_out {
        text.push_str(&format!("\n{peer}.\n"));
    }
    let wanted = |table: &&Table| scenarios.is_none_or(|names| names.contains(&table.name()));
    for table in tables.iter().filter(wanted) {
        text.push('\n');
        text.push_str(&table.markdown());
    }
    Some(text)
}

fn fill(page: &str, text: impl Fn(&str) -> Option<String>) -> Result<String, Failure> {
    let (before_name, after_name, end) = BLOCK;
    let Some((before, rest)) = page.split_once(before_name) else { return Ok(page.into()) };
    let parts =
        rest.split_once(after_name).and_then(|(name, rest)| Some((name, rest.split_once(end)?.1)));
    let Some((name, after)) = parts else {
        return Err(failure!("a block {before_name} has no {end}"));
    };
    let text = text(name).ok_or_else(|| failure!("there is no block {before_name}{name}"))?;
    Ok(format!("{before}{before_name}{name}{after_name}\n{text}\n{end}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_measured_is_replaced() {
        let page = "prose\n<!-- bench:all -->\nold\n<!-- bench:end -->\nmore prose\n";
        let text = |name: &str| (name == "all").then(|| String::from("new\n"));
        let filled = fill(page, text).unwrap();
        assert_eq!(filled, "prose\n<!-- bench:all -->\n\nnew\n\n<!-- bench:end -->\nmore prose\n");
        assert_eq!(fill(&filled, text).unwrap(), filled);
        assert_eq!(fill("prose", text).unwrap(), "prose");
    }

    #[test]
    fn a_block_that_is_misspelt_or_has_no_end_is_told() {
        assert!(fill("<!-- bench:al -->\n<!-- bench:end -->", |_| None).is_err());
        assert!(fill("<!-- bench:all -->\n", |_| Some(String::new())).is_err());
    }

    #[test]
    fn the_blocks_name_scenarios_that_there_are() {
        let scenarios = crate::scenarios::load(&ladder::Ladder::load().unwrap()).unwrap();
        let known = |name: &&str| scenarios.iter().any(|scenario| scenario.name == *name);
        assert!(BLOCKS.iter().flat_map(|(_, names)| names.unwrap_or_default()).all(known));
    }
}
