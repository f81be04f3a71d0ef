//! What a reader has to take in at a time is small: steps and files, in lines of code,
//! which comments, blank lines and the tests below are not.

use ladder::files::read;
use ladder::{Failure, Ladder, Rung, code, step};

/// New lines of a step, moved ones apart.
const LESSON: usize = 60;

/// A file of a rung, by its name.
const RUNG: [(&str, usize); 2] = [("src/server.rs", 120), ("src/main.rs", 15)];

const NETCORE: usize = 150;

/// Any other file under `crates/`.
const FILE: usize = 300;

/// Every step and every file that is too large.
pub fn check(ladder: &Ladder, files: &[String]) -> Result<Vec<String>, Failure> {
    let mut broken = Vec::new();
    for (below, rung) in ladder.steps().filter(|(_, rung)| !rung.alone) {
        let new = step::size((below, rung), &step::changes(below, rung)?)?.new;
        if new > LESSON {
            let Rung { name, alias, .. } = rung;
            broken.push(format!(
                "step to {name}: {new} new lines of code and {LESSON} at most; make it smaller, make it two \
                 rungs, or move into netcore what it is not about (cargo xtask diff {alias} shows it)"
            ));
        }
    }
    for file in files.iter().filter(|file| file.starts_with("crates/") && file.ends_with(".rs")) {
        let source = read(&ladder.root.join(file))?;
        let (lines, most) = (code::lines(&source), most(ladder, file));
        if lines > most {
            broken.push(format!(
                "{file}: {lines} lines of code and {most} at most; make it two files"
            ));
        }
    }
    Ok(broken)
}

fn most(ladder: &Ladder, file: &str) -> usize {
    let (name, within) =
        file.strip_prefix("crates/").and_then(|file| file.split_once('/')).unwrap_or_default();
    let rung = ladder.rungs.iter().any(|rung| rung.name == name);
    match RUNG.iter().find(|(file, _)| rung && *file == within) {
        Some((_, most)) => *most,
        None if name == "netcore" && within.starts_with("src/") => NETCORE,
        None => FILE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_has_the_limit_of_its_kind() {
        let ladder = Ladder::load().unwrap();
        let most = |file| most(&ladder, file);
        assert_eq!(most("crates/oneshot-echo/src/server.rs"), 120);
        assert_eq!(most("crates/oneshot-echo/src/main.rs"), 15);
        assert_eq!(most("crates/netload/src/main.rs"), FILE);
        assert_eq!(most("crates/netcore/src/wait.rs"), NETCORE);
        assert_eq!(most("crates/netcore/tests/wait.rs"), FILE);
    }
}
