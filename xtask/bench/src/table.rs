//! The figures of one scenario, for people and for programs.

use ladder::Screen;
use ladder::screen::{Tone, thousands};
use serde_json::{Value, json};

use crate::contenders::Contender;
use crate::measure::{Figures, Sample};
use crate::scenarios::{Scenario, Unit};
use crate::statistics::{Spread, spread};

/// Every measurement of a scenario.
pub struct Table {
    scenario: &'static Scenario,
    rows: Vec<Row>,
}

/// A server's measurements, in rounds.
struct Row {
    contender: Contender,
    samples: Vec<Sample>,
    /// Beside the base in the same round.
    ratio: Option<Spread>,
}

/// A column: what is above it, and what is in it where there is something.
struct Column {
    head: &'static str,
    cell: fn(&Row) -> Option<String>,
}

impl Table {
    /// `samples` of each contender, in rounds. The first contender that is a base is
    /// what ratios are to.
    pub fn new(
        scenario: &'static Scenario,
        contenders: Vec<Contender>,
        samples: Vec<Vec<Sample>>,
    ) -> Table {
        let base: Vec<Option<f64>> = contenders
            .iter()
            .zip(&samples)
            .find(|(contender, _)| contender.base)
            .map(|(_, samples)| samples.iter().map(rate).collect())
            .unwrap_or_default();
        let rows = contenders.into_iter().zip(samples).map(|(contender, samples)| {
            let rounds = samples.iter().map(rate).zip(&base);
            let ratio = spread(rounds.filter_map(|(rate, base)| Some(rate? / (*base)?)));
            Row { contender, samples, ratio }
        });
        Table { scenario, rows: rows.collect() }
    }

    /// The name of the scenario.
    pub fn name(&self) -> &'static str {
        self.scenario.name
    }

    /// For the terminal.
    pub fn lines(&self, screen: &Screen) -> Vec<String> {
        let Scenario { name, what, .. } = self.scenario;
        let mut lines = vec![screen.paint(Tone::Bold, &format!("{name}: {what}"))];
        let columns = self.columns();
        let mut grid = vec![headings(&columns)];
        grid.extend(self.rows.iter().map(|row| row.cells(&columns, row.contender.name.clone())));
        lines.extend(screen.table(&grid, 1..columns.len() + 1));
        for row in &self.rows {
            let Some(failure) = row.failure() else { continue };
            let tone = if row.contender.ours { Tone::Bad } else { Tone::Warning };
            lines.push(screen.paint(tone, &format!("  {failure}")));
        }
        lines
    }

    /// For a page.
    pub fn markdown(&self) -> String {
        let columns = self.columns();
        let mut text =
            format!("### {}\n\n{}.\n\n", self.scenario.name, capital(self.scenario.what));
        text.push_str(&format!("| {} |\n|---|", headings(&columns).join(" | ")));
        text.push_str(&"---:|".repeat(columns.len()));
        text.push('\n');
        for row in &self.rows {
            let Contender { name, title, ours, .. } = &row.contender;
            let name = if *ours { format!("`{name}`") } else { format!("{name} ({title})") };
            text.push_str(&format!("| {} |\n", row.cells(&columns, name).join(" | ")));
        }
        for failure in self.rows.iter().filter_map(Row::failure) {
            text.push_str(&format!("\n{failure}.\n"));
        }
        text
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Row::json).collect();
        json!({ "name": self.scenario.name, "what": self.scenario.what, "servers": rows })
    }

    /// What went wrong with our own servers.
    pub fn failures_of_ours(&self) -> Vec<String> {
        let ours = self.rows.iter().filter(|row| row.contender.ours);
        ours.filter_map(|row| Some(format!("{}: {}", self.scenario.name, row.failure()?))).collect()
    }

    /// Those that have something in them.
    fn columns(&self) -> Vec<Column> {
        let (rate, processor): (Column, Column) = match self.scenario.unit {
            Unit::Replies | Unit::Nothing => (
                Column { head: "a second", cell: |row| Some(thousands(row.median(|f| f.rate)?)) },
                Column {
                    head: "CPU s/million",
                    cell: |row| Some(format!("{:.2}", row.median(|f| f.processor)?)),
                },
            ),
            Unit::Bytes => (
                Column {
                    head: "MB a second",
                    cell: |row| Some(thousands(row.median(|f| f.rate)? / 1e6)),
                },
                Column {
                    head: "CPU s/GB",
                    cell: |row| Some(format!("{:.3}", row.median(|f| f.processor)?)),
                },
            ),
        };
        let columns = [
            rate,
            Column { head: "ratio", cell: |row| Some(format!("{:.2}", row.ratio?.median)) },
            Column {
                head: "spread",
                cell: |row| row.ratio.map(|ratio| format!("{:.2} to {:.2}", ratio.low, ratio.high)),
            },
            Column { head: "p50 µs", cell: |row| Some(thousands(row.median(|f| f.p50)?)) },
            Column { head: "p99 µs", cell: |row| Some(thousands(row.median(|f| f.p99)?)) },
            Column { head: "p99.9 µs", cell: |row| Some(thousands(row.median(|f| f.p999)?)) },
            processor,
            Column {
                head: "opened in s",
                cell: |row| Some(format!("{:.2}", row.median(|f| f.opening)?)),
            },
            Column {
                head: "KiB each",
                cell: |row| Some(format!("{:.1}", row.median(|f| f.kib_each)?)),
            },
            Column {
                head: "CPU ms/s",
                cell: |row| Some(format!("{:.1}", row.median(|f| f.at_rest)?)),
            },
            Column {
                head: "stopped in ms",
                cell: |row| Some(format!("{:.1}", row.median(|f| f.stop)?)),
            },
            Column { head: "lost", cell: |row| Some(thousands(row.median(|f| f.lost)?)) },
        ];
        let filled = |column: &Column| self.rows.iter().any(|row| (column.cell)(row).is_some());
        columns.into_iter().filter(filled).collect()
    }
}

impl Row {
    fn median(&self, figure: fn(&Figures) -> Option<f64>) -> Option<f64> {
        let figures = self.samples.iter().filter_map(|sample| figure(sample.as_ref().ok()?));
        spread(figures).map(|spread| spread.median)
    }

    /// The name, and what is in each column.
    fn cells(&self, columns: &[Column], name: String) -> Vec<String> {
        let cells = columns.iter().map(|column| (column.cell)(self).unwrap_or_else(|| "-".into()));
        std::iter::once(name).chain(cells).collect()
    }

    /// How often it failed, and the first reason.
    fn failure(&self) -> Option<String> {
        let failures: Vec<&String> =
            self.samples.iter().filter_map(|sample| sample.as_ref().err()).collect();
        let (times, rounds) = (failures.len(), self.samples.len());
        let first = failures.first()?;
        Some(format!("{} failed in {times} of {rounds} rounds: {first}", self.contender.name))
    }

    fn json(&self) -> Value {
        let rounds = self.samples.iter().map(|sample| match sample {
            Ok(figures) => json!(figures),
            Err(failure) => json!({ "failure": failure }),
        });
        json!({
            "name": self.contender.name,
            "ours": self.contender.ours,
            "base": self.contender.base,
            "ratio": self.ratio,
            "rounds": rounds.collect::<Vec<_>>(),
        })
    }
}

fn headings(columns: &[Column]) -> Vec<String> {
    std::iter::once("server")
        .chain(columns.iter().map(|column| column.head))
        .map(String::from)
        .collect()
}

fn rate(sample: &Sample) -> Option<f64> {
    sample.as_ref().ok()?.rate
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contenders;
    use crate::scenarios::SCENARIOS;
    use ladder::Ladder;

    fn figures(rate: f64) -> Sample {
        Ok(Figures { rate: Some(rate), p50: Some(10.0), p99: Some(20.0), ..Figures::default() })
    }

    fn table() -> Table {
        let all = contenders::load(&Ladder::load().unwrap()).unwrap();
        let chosen =
            ["limit", "poll-echo"].map(|name| contenders::find(&all, name).unwrap().clone());
        let samples = vec![
            vec![figures(1000.0), figures(100.0), figures(2000.0)],
            vec![figures(900.0), figures(95.0), Err("it fell over".into())],
        ];
        Table::new(&SCENARIOS[1], chosen.into(), samples)
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_a_failed_round_has_none() {
        let ratio = table().rows[1].ratio.unwrap();
        assert!(
            (ratio.low, ratio.high) == (0.9, 0.95) && (ratio.median - 0.925).abs() < 1e-9,
            "{ratio:?}"
        );
    }

    #[test]
    fn a_table_has_the_columns_that_have_something_in_them() {
        let lines = table().lines(&Screen::of_width(100));
        assert_eq!(lines[1].split_whitespace().next(), Some("server"));
        assert!(lines[1].ends_with("p99 µs"), "{}", lines[1]);
        assert!(lines.iter().all(|line| line.chars().count() <= 100));
        assert_eq!(lines.last().unwrap(), "  poll-echo failed in 1 of 3 rounds: it fell over");
    }

    #[test]
    fn what_fails_is_ours_to_answer_for_and_a_peer_is_not() {
        assert_eq!(
            table().failures_of_ours(),
            ["echo-64: poll-echo failed in 1 of 3 rounds: it fell over"]
        );
    }
}
