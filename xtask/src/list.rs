//! The rungs at a glance.

use ladder::screen::fit;
use ladder::{Failure, Ladder, Rung, Screen};

pub fn run(screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    for line in table(&ladder, screen).lines() {
        screen.line(line)?;
    }
    Ok(())
}

/// The rung of this name or alias; otherwise the one that may be meant, or those there are.
pub fn find<'a>(ladder: &'a Ladder, name: &str) -> Result<&'a Rung, Failure> {
    ladder.find(name).ok_or_else(|| Failure::Usage(unknown(ladder, name)))
}

/// No table: its length would push the error off the screen.
fn unknown(ladder: &Ladder, name: &str) -> String {
    let near = ladder
        .rungs
        .iter()
        .map(|rung| (strsim::jaro(name, &rung.alias).max(strsim::jaro(name, &rung.name)), rung))
        .max_by(|(one, _), (other, _)| one.total_cmp(other));
    let help = match near {
        Some((nearness, rung)) if nearness > 0.8 => format!("did you mean {}?", rung.alias),
        _ => {
            let names: Vec<&str> = ladder.rungs.iter().map(|rung| rung.alias.as_str()).collect();
            format!("there are {}", names.join(", "))
        }
    };
    format!("no rung is called {name:?}; {help}\nhint: cargo xtask says what each of them is")
}

/// The ladder as a table, and what to try first.
pub fn table(ladder: &Ladder, screen: &Screen) -> String {
    let mut rows = vec![vec!["name", "rung", "builds on", "this server"]];
    for rung in &ladder.rungs {
        let below = rung.builds_on.as_deref().and_then(|name| ladder.find(name));
        let builds_on = below.map_or("-", |below| &below.alias);
        rows.push(vec![&rung.alias, &rung.name, builds_on, &rung.title]);
    }
    let mut table = screen.table(&rows, 0..0).join("\n") + "\n";
    if let [first, second, ..] = ladder.rungs.as_slice() {
        let (first, second) = (&first.alias, &second.alias);
        for (what, command) in [
            ("Try first", format!("demo {first}")),
            ("By hand", format!("try {first}")),
            ("To type", format!("exercise {first}")),
            ("A step", format!("diff {second}")),
            ("Take one", format!("new {second} ../my-service")),
            ("All else", "--help".into()),
        ] {
            table.push_str(&format!("\n  {}cargo xtask {command}", fit(&format!("{what}:"), 12)));
        }
        table.push('\n');
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_rung_is_wrong_usage_and_told_with_the_one_that_is_meant_or_those_there_are() {
        let ladder = Ladder::load().unwrap();
        let said = |name| match find(&ladder, name) {
            Err(Failure::Usage(text)) => text,
            _ => panic!("{name} was found"),
        };
        assert!(ladder.rungs.iter().all(|rung| said("smtp").contains(&rung.alias)));
        for (typed, meant) in
            [("oneshoot", "oneshot"), ("one-shot", "oneshot"), ("tmeout", "timeout")]
        {
            assert!(said(typed).contains(&format!("did you mean {meant}?")), "{typed}");
        }
    }
}
