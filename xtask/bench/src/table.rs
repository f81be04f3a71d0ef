//! The figures of one scenario, for people and for programs.

use ladder::screen::thousands;
use ladder::{Screen, Tone};
use serde_json::{Value, json};

use crate::contenders::Contender;
use crate::measure::Sample;
use crate::scenarios::{Scenario, Unit};
use crate::statistics::{Spread, spread};

pub struct Table {
    scenario: Scenario,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub contender: Contender,
    samples: Vec<Sample>,
    /// Beside the base in the same round.
    ratio: Option<Spread>,
}

impl Table {
    /// `samples` of each contender, in rounds. The first contender that is a base is
    /// what ratios are to.
    pub fn new(
        scenario: &Scenario,
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
        Table { scenario: scenario.clone(), rows: rows.collect() }
    }

    /// For the terminal.
    pub fn lines(&self, screen: &Screen) -> Vec<String> {
        let Scenario { name, what, .. } = &self.scenario;
        let mut lines = vec![screen.paint(Tone::Bold, &format!("{name}: {what}"))];
        let grid = self.grid(|contender| contender.name.clone());
        lines.extend(screen.table(&grid, 1..grid[0].len()));
        for row in &self.rows {
            let Some(failure) = row.failure() else { continue };
            let tone = if row.contender.ours { Tone::Bad } else { Tone::Warning };
            lines.push(screen.paint(tone, &format!("  {failure}")));
        }
        lines
    }

    /// For a page.
    pub fn markdown(&self) -> String {
        let mut text = format!("### {}\n\n{}.\n\n", self.scenario.name, self.scenario.what);
        let grid = self.grid(|Contender { name, title, ours, .. }| match ours {
            true => format!("`{name}`"),
            false => format!("{name} ({title})"),
        });
        let mut rows = grid.iter().map(|cells| format!("| {} |\n", cells.join(" | ")));
        text.extend(rows.next());
        text.push_str(&format!("|---|{}\n", "---:|".repeat(grid[0].len() - 1)));
        text.extend(rows);
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

    /// The head and a row for each server, without the columns that have nothing in them.
    fn grid(&self, name: impl Fn(&Contender) -> String) -> Vec<Vec<String>> {
        let (rate, unit, processor, digits) = match self.scenario.unit {
            Unit::Replies | Unit::Nothing => ("a second", 1.0, "CPU s/million", 2),
            Unit::Bytes => ("MB a second", 1e6, "CPU s/GB", 3),
        };
        let figures = [
            ("p50 µs", "p50_us", 0),
            ("p99 µs", "p99_us", 0),
            ("p99.9 µs", "p999_us", 0),
            (processor, "processor_seconds", digits),
            ("opened in s", "opening_seconds", 2),
            ("KiB each", "kib_each", 1),
            ("CPU ms/s", "at_rest_ms", 1),
            ("stopped in ms", "stop_ms", 1),
            ("lost", "lost", 0),
            ("p99 with / without", "deaf_ratio", 2),
        ];
        let cells = |row: &Row| {
            let mut cells = vec![
                row.median("rate").map(|rate| thousands(rate / unit)),
                row.ratio.map(|ratio| format!("{:.2}", ratio.median)),
                row.ratio.map(|ratio| format!("{:.2} to {:.2}", ratio.low, ratio.high)),
            ];
            cells.extend(figures.map(|(_, figure, digits)| {
                let value = row.median(figure)?;
                Some(if digits == 0 { thousands(value) } else { format!("{value:.digits$}") })
            }));
            cells
        };
        let cells: Vec<Vec<Option<String>>> = self.rows.iter().map(cells).collect();
        let heads = [rate, "ratio", "spread"].into_iter().chain(figures.map(|(head, ..)| head));
        let mut grid = vec![vec!["server".to_string()]];
        grid.extend(self.rows.iter().map(|row| vec![name(&row.contender)]));
        for (at, head) in heads.enumerate() {
            if cells.iter().all(|row| row[at].is_none()) {
                continue;
            }
            grid[0].push(head.into());
            for (line, row) in grid[1..].iter_mut().zip(&cells) {
                line.push(row[at].clone().unwrap_or_else(|| "-".into()));
            }
        }
        grid
    }
}

impl Row {
    /// Of the rounds in which it did not fail.
    pub fn median(&self, figure: &str) -> Option<f64> {
        let samples = self.samples.iter().filter_map(|sample| sample.as_ref().ok());
        let figures = samples.filter_map(|figures| figures.get(figure).copied());
        spread(figures).map(|spread| spread.median)
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

fn rate(sample: &Sample) -> Option<f64> {
    sample.as_ref().ok()?.get("rate").copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contenders;
    use crate::scenarios;
    use ladder::Ladder;

    fn figures(rate: f64) -> Sample {
        Ok([("rate", rate), ("p50_us", 10.0), ("p99_us", 20.0)].into())
    }

    fn table() -> Table {
        let ladder = Ladder::load().unwrap();
        let all = contenders::load(&ladder).unwrap();
        let chosen =
            ["limit", "poll-echo"].map(|name| contenders::find(&all, name).unwrap().clone());
        let samples = vec![
            vec![figures(1000.0), figures(100.0), figures(2000.0)],
            vec![figures(900.0), figures(95.0), Err("it fell over".into())],
        ];
        let scenarios = scenarios::load(&ladder).unwrap();
        Table::new(&scenarios[1], chosen.into(), samples)
    }

    #[test]
    fn ratios_are_taken_within_a_round_and_a_failed_round_has_none() {
        let ratio = table().rows[1].ratio.unwrap();
        assert_eq!((ratio.low, (ratio.median * 1e3).round(), ratio.high), (0.9, 925.0, 0.95));
    }

    #[test]
    fn a_table_has_the_columns_that_have_something_in_them_and_tells_what_failed() {
        let failed = "poll-echo failed in 1 of 3 rounds: it fell over";
        let lines = table().lines(&Screen::of_width(100));
        assert!(lines[1].trim().starts_with("server") && lines[1].ends_with("p99 µs"), "{lines:?}");
        assert!(lines.iter().all(|line| line.chars().count() <= 100));
        assert_eq!(lines.last().unwrap().trim(), failed);
        // Ours to answer for, as a peer is not.
        assert_eq!(table().failures_of_ours(), [format!("echo-64: {failed}")]);
    }
}
