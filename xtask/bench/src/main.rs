//! Measures the rungs and every peer that is installed, in rounds, and prints what came
//! out beside a limit line. A rung whose protocol nobody else speaks has nothing to be
//! measured beside.
//!
//! A machine that does other things as well changes its speed from second to second. So
//! all servers of a scenario take turns, each round has its own ratios, and their
//! median is told with the lowest and the highest.

#![forbid(unsafe_code)]

mod chart;
mod contenders;
mod load;
mod machine;
mod measure;
mod options;
mod page;
mod scenarios;
mod server;
mod site;
mod statistics;
mod table;

use std::process::ExitCode;

use clap::Parser;
use ladder::process::end_all_on_signals;
use ladder::screen::progress;
use ladder::{Failure, Ladder, Screen};
use serde_json::json;

use contenders::Contender;
use machine::Machine;
use measure::{Bench, Sample};
use options::Options;
use scenarios::Scenario;
use table::Table;

/// Seconds that a measurement takes beside its own.
const BETWEEN: f64 = 0.4;

fn main() -> ExitCode {
    let options = Options::parse();
    Failure::exit_code(end_all_on_signals().and_then(|()| run(&options, &Screen::new())))
}

/// Builds, measures, prints. Fails where one of our own servers did.
fn run(options: &Options, screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    let (contenders, all) = (contenders::load(&ladder)?, scenarios::load(&ladder)?);
    let (scenarios, names) = choose(&options.names, &ladder, &contenders, &all)?;
    let bench = Bench::prepare(&ladder, contenders, &names, options.seconds)?;
    let machine = Machine::look(bench.cores.is_some());
    if !options.json {
        screen.prose("", &machine.to_string())?;
    }
    let sweep = if options.svg { chart::sweep(&all) } else { Vec::new() };
    let each = scenarios.iter().copied().chain(&sweep);
    told(each.map(|scenario| bench.contenders(scenario).len()).sum(), options);
    let mut tables = Vec::new();
    for scenario in scenarios {
        let Some(table) = measure(&bench, scenario, options.rounds)? else { continue };
        if !options.json {
            screen.line("")?;
            for line in table.lines(screen) {
                screen.line(&line)?;
            }
        }
        tables.push(table);
    }
    let mut charts = Vec::new();
    for scenario in &sweep {
        charts.extend(measure(&bench, scenario, options.rounds)?);
    }
    if options.json {
        let scenarios: Vec<_> = tables.iter().map(Table::json).collect();
        let document = json!({ "machine": machine, "scenarios": scenarios });
        screen.line(&document.to_string())?;
    }
    if options.svg {
        page::write(&ladder.root, &machine, &bench.left_out, &tables, &charts)?;
    }
    verdict(tables.iter().chain(&charts))
}

/// Every server of the scenario, in turns; `None` where there is none to compare.
fn measure(bench: &Bench, scenario: &Scenario, rounds: u16) -> Result<Option<Table>, Failure> {
    let contenders = bench.contenders(scenario);
    if contenders.iter().all(|contender| contender.base) {
        return Ok(None);
    }
    let mut samples: Vec<Vec<Sample>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        for (contender, samples) in contenders.iter().zip(&mut samples) {
            progress(&format!("{}: round {round} of {rounds}, {}", scenario.name, contender.name));
            samples.push(bench.sample(contender, scenario)?);
        }
    }
    progress("");
    Ok(Some(Table::new(scenario, contenders, samples)))
}

/// How long it will take, for the person who waits.
fn told(measurements: usize, options: &Options) {
    let all = measurements * usize::from(options.rounds);
    let minutes = (all as f64 * (f64::from(options.seconds) + BETWEEN) / 60.0).ceil();
    eprintln!("{all} measurements, about {minutes} min");
}

fn choose<'a>(
    names: &[String],
    ladder: &Ladder,
    contenders: &[Contender],
    all: &'a [Scenario],
) -> Result<(Vec<&'a Scenario>, Vec<String>), Failure> {
    let mut scenarios: Vec<&Scenario> = Vec::new();
    let mut servers = Vec::new();
    for name in names {
        if let Some(scenario) = all.iter().find(|scenario| scenario.name == *name) {
            scenarios.push(scenario);
        } else if let Some(contender) = contenders::find(contenders, name) {
            servers.push(contender.name.clone());
        } else if let Some(rung) = ladder.find(name) {
            return Err(Failure::Usage(format!(
                "{} is not measured: no other server speaks its protocol",
                rung.name
            )));
        } else {
            return Err(Failure::Usage(format!(
                "there is no {name}; servers: {}; scenarios: {}",
                contenders::names(contenders).join(", "),
                all.iter().map(|scenario| scenario.name.as_str()).collect::<Vec<_>>().join(", ")
            )));
        }
    }
    if scenarios.is_empty() {
        scenarios = all.iter().collect();
    }
    if servers.is_empty() {
        servers = contenders::names(contenders);
    }
    Ok((scenarios, servers))
}

/// A peer may fail; that is told in its row. Ours may not.
fn verdict<'a>(tables: impl Iterator<Item = &'a Table>) -> Result<(), Failure> {
    let failed: Vec<String> = tables.flat_map(Table::failures_of_ours).collect();
    Failure::of_all(failed)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_rung_that_is_not_measured_is_told_by_the_page_and_to_whoever_asks_for_it() {
        let ladder = Ladder::load().unwrap();
        let contenders = contenders::load(&ladder).unwrap();
        let page = fs::read_to_string(ladder.root.join("docs/benchmarks.md")).unwrap();
        let first = page.lines().find(|line| line.starts_with("`cargo xtask bench`")).unwrap();
        for rung in &ladder.rungs {
            let asked = choose(std::slice::from_ref(&rung.alias), &ladder, &contenders, &[]);
            assert_eq!(asked.is_err(), first.contains(&rung.name), "{}", rung.name);
            if let Err(failure) = asked {
                assert!(failure.to_string().contains("is not measured"), "{failure}");
            }
        }
    }
}
