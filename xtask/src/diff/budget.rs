//! The size of each step, and what its manifest says that it may be.

use unicode_width::UnicodeWidthStr;

use ladder::Failure;
use ladder::Screen;
use ladder::manifests::Step;
use ladder::screen::{Tone, fit};
use ladder::step::{self, Change};
use ladder::{Ladder, Rung};

/// The size of each of `steps`, a line each.
pub fn table(steps: &[(&Rung, &Rung)], screen: &Screen) -> Result<Vec<String>, Failure> {
    let mut rows = vec![[
        "step to".into(),
        "from".into(),
        "new".into(),
        "gone".into(),
        "at most".into(),
        "files of src".into(),
    ]];
    for (below, rung) in steps {
        let changes = step::changes(below, rung)?;
        let (added, removed) = step::size(&changes);
        let budget = match &rung.step {
            Some(Step { lines: Some(lines), .. })
                if rung.builds_on.as_ref() == Some(&below.name) =>
            {
                lines.to_string()
            }
            _ => "-".into(),
        };
        let files: Vec<&str> = changes.iter().map(short).collect();
        rows.push([
            rung.name.clone(),
            below.name.clone(),
            added.to_string(),
            removed.to_string(),
            budget,
            files.join(" "),
        ]);
    }
    let widths: Vec<usize> = (0..5)
        .map(|column| rows.iter().map(|row: &[String; 6]| row[column].width()).max().unwrap_or(0))
        .collect();
    Ok(rows
        .iter()
        .enumerate()
        .map(|(number, row)| {
            let names = format!("{}  {}", fit(&row[0], widths[0]), fit(&row[1], widths[1]));
            let numbers: Vec<String> =
                (2..5).map(|column| format!("{:>1$}", row[column], widths[column])).collect();
            let room = screen.width.saturating_sub(widths.iter().sum::<usize>() + 12);
            let line = format!(
                "  {names}  {}  {}",
                numbers.join("  "),
                ladder::screen::cut(&row[5], room)
            );
            if number == 0 { screen.paint(Tone::Dim, &line) } else { line }
        })
        .collect())
}

/// What each step does beyond what its manifest declares, in a sentence that says how
/// to mend it.
pub fn check(ladder: &Ladder) -> Result<Vec<String>, Failure> {
    let mut complaints = Vec::new();
    for (below, rung) in ladder.steps() {
        let Some(declared) = &rung.step else {
            complaints.push(format!(
                "{}: its manifest declares no step: which files it changes",
                rung.name
            ));
            continue;
        };
        let broken = broken(declared, &step::changes(below, rung)?);
        complaints.extend(broken.into_iter().map(|what| format!("{}: {what}", rung.name)));
    }
    Ok(complaints)
}

fn broken(declared: &Step, changes: &[Change]) -> Vec<String> {
    let mut complaints = Vec::new();
    if declared.changes.is_empty() {
        return complaints;
    }
    for change in changes.iter().filter(|change| !declared.changes.contains(&change.file)) {
        complaints.push(format!(
            "the step changes {}, which it does not declare: make it as below, or declare it",
            change.file
        ));
    }
    for file in
        declared.changes.iter().filter(|file| changes.iter().all(|change| change.file != **file))
    {
        complaints.push(format!("the step declares to change {file}, and does not"));
    }
    let (added, _) = step::size(changes);
    match declared.lines {
        Some(lines) if added > lines => {
            complaints.push(format!(
                "the step has {added} new lines and {lines} at most: make it smaller, or two rungs"
            ));
        }
        Some(_) => {}
        None => {
            complaints.push("the step declares no `lines`: how many new ones it has at most".into())
        }
    }
    complaints
}

fn short(change: &Change) -> &str {
    change.file.trim_start_matches("src/").trim_end_matches(".rs")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(file: &str) -> Change {
        let name = String::from(file);
        Change {
            file: name.clone(),
            old_name: name.clone(),
            old: "a\n".into(),
            new_name: name,
            new: "b\nc\n".into(),
        }
    }

    fn step(changes: &[&str], lines: usize) -> Step {
        Step { changes: changes.iter().map(|file| file.to_string()).collect(), lines: Some(lines) }
    }

    #[test]
    fn a_step_within_its_budget_and_its_files_is_not_complained_of() {
        assert_eq!(broken(&step(&["src/server.rs"], 2), &[change("src/server.rs")]), [""; 0]);
    }

    #[test]
    fn each_way_beyond_what_is_declared_is_told() {
        let complaints = broken(&step(&["src/lib.rs"], 1), &[change("src/server.rs")]);
        assert_eq!(complaints.len(), 3, "{complaints:?}");
        assert!(complaints[0].contains("changes src/server.rs, which it does not declare"));
        assert!(complaints[1].contains("declares to change src/lib.rs, and does not"));
        assert!(complaints[2].contains("2 new lines and 1 at most"));
        let unbound = Step { changes: vec!["src/server.rs".into()], lines: None };
        assert!(broken(&unbound, &[change("src/server.rs")])[0].contains("declares no `lines`"));
    }

    #[test]
    fn the_table_has_a_line_for_each_step() {
        let ladder = Ladder::load().unwrap();
        let steps: Vec<_> = ladder.steps().collect();
        let table = table(&steps, &Screen::of_width(100)).unwrap();
        assert_eq!(table.len(), ladder.rungs.len());
        assert!(table.iter().all(|line| line.width() <= 100));
        assert!(
            table[1].starts_with("  reusable-echo") && table[1].contains("oneshot-echo"),
            "{}",
            table[1]
        );
    }
}
