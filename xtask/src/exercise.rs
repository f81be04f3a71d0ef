//! Exercises to type: a stub in a folder of the reader's own, looked at whenever it is saved.

mod check;
mod folder;

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use clap::Args;
use ladder::exercises::{self, Exercise, Language};
use ladder::files::{create_folder, write};
use ladder::{Failure, Ladder, Rung, Screen, Tone};

use check::{PATIENCE, Verdict};

/// How often the file is looked at. A file that is saved is an event that each system tells
/// in its own way, which takes a crate; a look at its time costs microseconds.
const LOOK: Duration = Duration::from_millis(200);

/// Beside the workspace, so that cargo does not take them for a part of it.
const DEFAULT: &str = "netladder-exercises";

/// Which exercises are done: a line each in a file beside them.
const DONE: &str = "done.txt";

#[derive(Args)]
pub struct Options {
    /// The name or short name of a rung [default: the first with something left to do]
    rung: Option<String>,
    /// Which of its exercises [default: the first that is left to do]
    number: Option<usize>,
    /// The folder of yours in which each exercise gets one [default: ../netladder-exercises]
    #[arg(long, value_name = "DIR")]
    into: Option<PathBuf>,
    /// Look at it once, and end with 0 where it is solved and 1 where it is not
    #[arg(long)]
    once: bool,
    /// Show all exercises, and which are done
    #[arg(long, conflicts_with = "once")]
    list: bool,
}

/// What there is to type, and what is done of it.
struct Course<'a> {
    ladder: &'a Ladder,
    all: &'a [Exercise],
    /// The reader's own folder, and lines of those that are done.
    into: PathBuf,
    done: BTreeSet<String>,
    screen: &'a Screen,
}

/// `cargo xtask exercise`: one after the other, until the person has enough.
pub fn run(options: &Options, screen: &Screen) -> Result<(), Failure> {
    let ladder = &Ladder::load()?;
    let into = match &options.into {
        Some(into) => into.clone(),
        None => ladder.root.parent().unwrap_or(&ladder.root).join(DEFAULT),
    };
    let all = &all(ladder)?;
    let done = fs::read_to_string(into.join(DONE)).unwrap_or_default();
    let done = done.lines().map(String::from).collect();
    let mut course = Course { ladder, all, into, done, screen };
    if options.list {
        return course.list();
    }
    let mut exercise = course.chosen(options)?;
    let typed = (!options.once).then(keyboard);
    loop {
        let place = folder::make(ladder, exercise, &course.into)?;
        course.show(exercise, &place)?;
        let Some(typed) = &typed else {
            return match course.look(exercise, &place)? {
                Verdict::Solved => Ok(()),
                Verdict::Skipped(why) => Err(Failure::Skipped(why)),
                // It has been told.
                _ => Err(Failure::Told(1)),
            };
        };
        if !course.watch(exercise, &place, typed)? {
            return screen.line("\nWhat you wrote stays where it is.");
        }
        // Behind this one, so that one which is passed over does not come again at once.
        let at = all.iter().position(|other| other == exercise).unwrap_or_default();
        let mut others = all[at + 1..].iter().chain(&all[..at]);
        match others.find(|other| !course.is_done(other)) {
            Some(another) => exercise = another,
            None => return screen.say(Tone::Good, "\nThat was the last one. All are done."),
        }
    }
}

/// Those of all rungs, in reading order.
pub fn all(ladder: &Ladder) -> Result<Vec<Exercise>, Failure> {
    let of_rungs = ladder.rungs.iter().map(|rung| exercises::of_rung(&ladder.root, &rung.name));
    Ok(of_rungs.collect::<Result<Vec<_>, _>>().map_err(Failure::new)?.concat())
}

/// Those of a rung, for its chapter.
pub fn told(ladder: &Ladder, rung: &Rung) -> Result<String, Failure> {
    let found = exercises::of_rung(&ladder.root, &rung.name).map_err(Failure::new)?;
    let mut text = format!(
        "To type: `cargo xtask exercise {}` writes each of these into a folder of yours, looks at \
         it whenever you save, and has hints.\n\n",
        rung.alias
    );
    for exercise in found {
        let python = if exercise.language == Language::Python { ", in Python" } else { "" };
        let title = exercise.title;
        text.push_str(&format!("- {} {}: {title}{python}\n", rung.alias, exercise.number));
    }
    Ok(text)
}

impl<'a> Course<'a> {
    fn chosen(&self, options: &Options) -> Result<&'a Exercise, Failure> {
        let mut offered: Vec<&Exercise> = self.all.iter().collect();
        if let Some(name) = &options.rung {
            let rung = crate::list::find(self.ladder, name)?;
            offered.retain(|exercise| exercise.rung == rung.name);
        }
        if let Some(number) = options.number {
            let last = offered.len();
            offered.retain(|exercise| exercise.number == number);
            if offered.is_empty() {
                return Err(Failure::Usage(format!(
                    "there is no such exercise; there are 1 to {last}"
                )));
            }
        }
        let left = offered.iter().find(|exercise| !self.is_done(exercise));
        left.or(offered.first()).copied().ok_or_else(|| Failure::new("there are no exercises"))
    }

    fn list(&self) -> Result<(), Failure> {
        let head = ["", "exercise", "language", "what it is about"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(self.all.iter().map(|exercise| {
            let done = if self.is_done(exercise) { "done" } else { "" };
            let language = format!("{:?}", exercise.language);
            vec![done.into(), self.called(exercise), language, exercise.title.clone()]
        }));
        self.screen.table(&rows, 0..0).iter().try_for_each(|line| self.screen.line(line))?;
        let done = self.all.iter().filter(|exercise| self.is_done(exercise)).count();
        self.screen.line(&format!("\n  {done} of {} done", self.all.len()))
    }

    /// As it is typed: `oneshot 1`.
    fn called(&self, exercise: &Exercise) -> String {
        let rung = self.ladder.find(&exercise.rung);
        format!("{} {}", rung.map_or(&exercise.rung, |rung| &rung.alias), exercise.number)
    }

    fn show(&self, exercise: &Exercise, place: &Path) -> Result<(), Failure> {
        let screen = self.screen;
        screen.line("")?;
        screen.title(&format!("{}: {}", self.called(exercise), exercise.title))?;
        for paragraph in exercise.task.split("\n\n") {
            screen.prose("  ", &paragraph.replace('\n', " ").replace('`', ""))?;
        }
        let file = place.join(exercise.language.file());
        screen.line(&format!("\n  {}", screen.paint(Tone::Bold, &file.display().to_string())))
    }

    /// Looks at what is written there, and tells what is still wrong.
    fn look(&mut self, exercise: &Exercise, place: &Path) -> Result<Verdict, Failure> {
        let verdict = check::look(self.ladder, exercise, place)?;
        tell(&verdict, self.screen)?;
        if matches!(verdict, Verdict::Solved) {
            self.done.insert(line(exercise));
            create_folder(&self.into)?;
            let lines: String = self.done.iter().map(|line| format!("{line}\n")).collect();
            write(&self.into.join(DONE), lines)?;
        }
        Ok(verdict)
    }

    fn is_done(&self, exercise: &Exercise) -> bool {
        self.done.contains(&line(exercise))
    }

    /// Looks at the file whenever it has changed, until the exercise is left: whether another
    /// one is wanted.
    fn watch(
        &mut self,
        exercise: &Exercise,
        place: &Path,
        typed: &Receiver<String>,
    ) -> Result<bool, Failure> {
        let screen = self.screen;
        let file = place.join(exercise.language.file());
        let mut hints = exercise.hints.iter();
        let (mut seen, mut is_solved) = (None, false);
        let keys = "Put your lines in the place of the todo, in your own editor, and save. h and \
                    Enter: a hint; s: the solution; n: the next one; q: enough.";
        screen.hang("  ", Tone::Dim, keys)?;
        screen.line("")?;
        loop {
            let now = fs::metadata(&file).and_then(|it| it.modified()).ok();
            if now != seen {
                // What hangs is waited for, and the keys with it.
                if seen.is_some() {
                    screen
                        .say(Tone::Dim, &format!("  It is looked at, for {PATIENCE:?} at most."))?;
                }
                seen = now;
                is_solved = matches!(self.look(exercise, place)?, Verdict::Solved);
                if is_solved {
                    screen.say(Tone::Dim, "  Enter: the next one; s: our solution; q: enough.")?;
                }
            }
            let word = match typed.recv_timeout(LOOK) {
                Ok(word) => word,
                Err(RecvTimeoutError::Timeout) => continue,
                // Nobody can say that it is enough: what was there has been looked at.
                Err(RecvTimeoutError::Disconnected) => return Ok(false),
            };
            match word.trim() {
                "h" => match hints.next() {
                    Some(hint) => screen.hang("  hint: ", Tone::Warning, &hint.replace('`', ""))?,
                    None => screen.line("  There are no more hints; s shows the solution.")?,
                },
                "s" => {
                    let mut lines = exercise.solution.lines();
                    lines.try_for_each(|line| screen.line(&format!("    {line}")))?;
                }
                "n" => return Ok(true),
                "" if is_solved => return Ok(true),
                "q" => return Ok(false),
                _ => screen.line("  h: a hint, s: the solution, n: the next one, q: enough")?,
            }
        }
    }
}

fn line(exercise: &Exercise) -> String {
    format!("{} {}", exercise.rung, exercise.number)
}

fn tell(verdict: &Verdict, screen: &Screen) -> Result<(), Failure> {
    match verdict {
        Verdict::Solved => screen.say(Tone::Good, "  Solved: every check passes."),
        Verdict::Skipped(why) => screen.say(Tone::Warning, &format!("  Not looked at: {why}")),
        Verdict::DoesNotCompile => {
            screen.say(Tone::Bad, "  It does not compile yet: see above what the compiler says.")
        }
        Verdict::Failed(complaints) => complaints
            .iter()
            .try_for_each(|complaint| screen.hang("  not yet: ", Tone::Plain, complaint)),
    }
}

/// Reads words, each with Enter behind it. The end of them, Ctrl-D, is enough as well.
fn keyboard() -> Receiver<String> {
    let (sender, typed) = mpsc::channel();
    thread::spawn(move || {
        let mut words = io::stdin().lock().lines().map_while(Result::ok);
        words.try_for_each(|word| sender.send(word))
    });
    typed
}
