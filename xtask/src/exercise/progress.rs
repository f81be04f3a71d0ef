//! Which exercises are done: a line each in a file beside them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ladder::Failure;
use ladder::exercises::Exercise;
use ladder::files::{create_folder, write};

const FILE: &str = "done.txt";

pub struct Progress {
    file: PathBuf,
    done: BTreeSet<String>,
}

impl Progress {
    /// What the file says. Without one, nothing is done.
    pub fn read(into: &Path) -> Result<Progress, Failure> {
        let file = into.join(FILE);
        let text = fs::read_to_string(&file).unwrap_or_default();
        Ok(Progress { file, done: text.lines().map(String::from).collect() })
    }

    pub fn has(&self, exercise: &Exercise) -> bool {
        self.done.contains(&line(exercise))
    }

    pub fn add(&mut self, exercise: &Exercise) -> Result<(), Failure> {
        self.done.insert(line(exercise));
        if let Some(folder) = self.file.parent() {
            create_folder(folder)?;
        }
        let lines: String = self.done.iter().map(|line| format!("{line}\n")).collect();
        write(&self.file, lines)
    }
}

fn line(exercise: &Exercise) -> String {
    format!("{} {}", exercise.rung, exercise.number)
}
