//! The pages of the book that hold figures, and their pictures.

use std::path::Path;

use ladder::{Failure, blocks, failure, files};

use crate::chart;
use crate::machine::Machine;
use crate::table::Table;

/// The blocks there are, and whether they hold the tables beside the pictures.
const BLOCKS: [(&str, bool); 2] = [("all", true), ("architectures", false)];

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
        ("throughput", chart::throughput(sweep, machine)?),
        ("latency", chart::latency(sweep, machine)?),
    ];
    for (name, picture) in pictures {
        files::write(&docs.join(format!("benchmarks-{name}.svg")), picture)?;
    }
    for path in files::with_extension(&docs, "md")? {
        let page = files::read(&path)?;
        let filled = blocks::fill(&page, |order| match order.kind {
            "bench" => text(order.rest, machine, left_out, tables)
                .ok_or_else(|| failure!("there is no block bench {}", order.rest)),
            _ => Ok(order.held.clone()),
        })?;
        if filled != page {
            files::write(&path, filled)?;
        }
    }
    Ok(())
}

fn text(name: &str, machine: &Machine, left_out: &[String], tables: &[Table]) -> Option<String> {
    let (_, all) = BLOCKS.iter().find(|(block, _)| *block == name)?;
    let mut text = format!(
        "Measured {machine}.\n\n\
         ![Replies a second against the number of connections](benchmarks-throughput.svg)\n\n\
         ![Latency against the number of connections](benchmarks-latency.svg)\n"
    );
    for peer in left_out {
        text.push_str(&format!("\n{peer}.\n"));
    }
    for table in tables.iter().filter(|_| *all) {
        text.push('\n');
        text.push_str(&table.markdown());
    }
    Some(text)
}
