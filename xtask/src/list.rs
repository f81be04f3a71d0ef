//! The rungs at a glance.

use ladder::near::{nearest, there_are};
use ladder::screen::fit;
use ladder::{Failure, Ladder, Rung, Screen, Tone};

/// Columns of the longest command among those to try first.
const WIDE: usize = 24;

/// The rung of this name or alias; otherwise the one that may be meant, or those there are.
pub fn find<'a>(ladder: &'a Ladder, name: &str) -> Result<&'a Rung, Failure> {
    ladder.find(name).ok_or_else(|| Failure::Usage(unknown(ladder, name)))
}

/// Before a tool is built that would refuse the name.
pub fn check(name: Option<&str>) -> Result<(), Failure> {
    name.map_or(Ok(()), |name| find(&Ladder::load()?, name).map(|_| ()))
}

/// No table: its length would push the error off the screen.
fn unknown(ladder: &Ladder, name: &str) -> String {
    let rungs = ladder.rungs.iter();
    let near = nearest(name, rungs.clone().flat_map(|rung| [&*rung.alias, &*rung.name]));
    let help = match near.and_then(|name| ladder.find(name)) {
        Some(rung) => format!("did you mean {}?", rung.alias),
        None => {
            let names: Vec<&str> = rungs.map(|rung| rung.alias.as_str()).collect();
            there_are(&names)
        }
    };
    format!("no rung is called {name:?}; {help}\nhint: cargo xtask says what each of them is")
}

/// The ladder as a table, and what to try first.
pub fn run(screen: &Screen) -> Result<(), Failure> {
    let ladder = Ladder::load()?;
    let mut rows = vec![vec!["name", "rung", "builds on", "this server"]];
    for rung in &ladder.rungs {
        let below = rung.builds_on.as_deref().and_then(|name| ladder.find(name));
        let builds_on = below.map_or("-", |below| &below.alias);
        rows.push(vec![&rung.alias, &rung.name, builds_on, &rung.title]);
    }
    let [Rung { alias: first, .. }, Rung { alias: second, .. }, ..] = &ladder.rungs[..] else {
        return Ok(());
    };
    for (command, what) in [
        (format!("demo {first}"), "a server and a client talk"),
        ("demo pitfalls".into(), "what goes wrong in samples, broken and mended"),
        (format!("try {first}"), "the same by hand, at the client's prompt"),
        (format!("exercise {first}"), "type what it is about, with hints"),
        (format!("diff {second}"), "the next step, as a difference"),
        (format!("new {second} ../mine"), "take one, and build on it"),
        ("--help".into(), "all else"),
    ] {
        screen.hang(&format!("  cargo xtask {}", fit(&command, WIDE)), Tone::Plain, what)?;
    }
    screen.line("")?;
    screen.table(&rows, 0..0).iter().try_for_each(|line| screen.line(line))?;
    // A terminal shows the end of it.
    screen.line(&format!("\n  Start here: cargo xtask demo {first}"))
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
        assert!(said("smtp").lines().all(|line| line.len() <= 60), "{}", said("smtp"));
    }
}
