//! What a reader has to take in at a time is small: steps and files, in lines of code,
//! which comments, blank lines and the tests below are not.

use ladder::files::read;
use ladder::{Failure, Ladder, Rung, code, step};

use super::Broken;

/// New lines of a step, moved ones apart.
const LESSON: usize = 60;

/// A file of a rung, by its name.
const RUNG: [(&str, usize); 2] = [("src/server.rs", 120), ("src/main.rs", 15)];

const NETCORE: usize = 150;

/// Any other file under `crates/`.
const FILE: usize = 300;

/// Every step and every file that is too large.
pub fn check(ladder: &Ladder, files: &[String]) -> Result<Vec<Broken>, Failure> {
    let mut broken = Vec::new();
    for (below, rung) in ladder.steps().filter(|(_, rung)| is_read_as_a_step(rung)) {
        let new = step::size(&step::changes(below, rung)?)?.new;
        if new > LESSON {
            let how = format!(
                "{new} new lines of code and {LESSON} at most; make it smaller, make it two rungs, or move \
                 into netcore what it is not about (cargo xtask diff {} shows it)",
                rung.alias
            );
            broken.push(Broken::new(format!("step to {}", rung.name), how));
        }
    }
    for file in files.iter().filter(|file| file.starts_with("crates/") && file.ends_with(".rs")) {
        let source = read(&ladder.root.join(file))?;
        let (lines, most) = (code::lines(&source), most(ladder, file));
        if lines > most {
            let how = format!("{lines} lines of code and {most} at most; make it two files");
            broken.push(Broken::new(file, how));
        }
    }
    Ok(broken)
}

/// A rung whose manifest declares a step that changes nothing is read by itself.
pub fn is_read_as_a_step(rung: &Rung) -> bool {
    rung.step.as_ref().is_none_or(|step| !step.changes.is_empty())
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
