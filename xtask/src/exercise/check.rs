//! What is still wrong with an exercise, in words.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ladder::exercises::{Exercise, Language};
use ladder::process::output;
use ladder::shell::words;
use ladder::{Failure, Ladder, Process, failure, programs};
use trial::{Cast, Stage};

/// No solution takes a tenth of it. Whoever waits for what never comes is told at its end.
pub const PATIENCE: Duration = Duration::from_secs(20);

const HANGS: &str =
    "it does not end: somebody waits for what never comes. Which call, and who was to wake it?";

/// What `todo!()` says.
const TODO: &str = "not yet implemented";

/// Characters of a value that are shown.
const SHOWN: usize = 160;

pub enum Verdict {
    Solved,
    /// Why it cannot be looked at here.
    Skipped(String),
    /// The compiler has said why.
    DoesNotCompile,
    /// What does not hold yet, one sentence each.
    Failed(Vec<String>),
}

/// Builds and runs what stands in the folder now.
pub fn look(ladder: &Ladder, exercise: &Exercise, place: &Path) -> Result<Verdict, Failure> {
    match exercise.language {
        Language::Rust => look_at_tests(place),
        Language::Python => look_at_program(ladder, exercise, place),
    }
}

fn look_at_tests(place: &Path) -> Result<Verdict, Failure> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let Ok(built) = programs::build(place, &["--tests", "--offline"], &[&name]) else {
        return Ok(Verdict::DoesNotCompile);
    };
    let tests = built.into_values().next().ok_or_else(|| failure!("{name} has no tests"))?;
    let mut command = Command::new(tests);
    command.current_dir(place).env("RUST_BACKTRACE", "0");
    let Some((code, printed, _)) = run(&mut command)? else {
        return Ok(Verdict::Failed(vec![HANGS.into()]));
    };
    Ok(match code {
        Some(0) => Verdict::Solved,
        _ => Verdict::Failed(complaints(&printed)),
    })
}

fn look_at_program(ladder: &Ladder, exercise: &Exercise, place: &Path) -> Result<Verdict, Failure> {
    let version = |name: &&str| output(Command::new(name).arg("--version"));
    let found = ["python3", "python"]
        .into_iter()
        .find(|name| version(name).is_ok_and(|said| said.starts_with("Python 3")));
    let Some(python) = found else {
        return Ok(Verdict::Skipped("it needs Python 3, which is not installed here".into()));
    };
    let rung = ladder.rung(&exercise.rung)?;
    let args = words(&exercise.server);
    let (_stage, _, address) = Stage::with_server(Cast { ladder, rung, args: &args })?;
    let [_, address] = address.option();
    let mut command = Command::new(python);
    command.args([Language::Python.file(), &address]).current_dir(place).env("PYTHONUTF8", "1");
    let Some((code, printed, wrote)) = run(&mut command)? else {
        return Ok(Verdict::Failed(vec![HANGS.into()]));
    };
    let printed = printed.replace("\r\n", "\n");
    if code == Some(0) && printed == exercise.prints {
        return Ok(Verdict::Solved);
    }
    let mut wrong = Vec::new();
    if code != Some(0) {
        let line = wrote.lines().rev().find_map(|line| {
            line.trim_start().strip_prefix("File ")?.split_once("exercise.py\", ").map(|it| it.1)
        });
        let error = wrote.lines().last().unwrap_or("it fails without a word");
        if error.contains(TODO) {
            let line = line.unwrap_or("exercise.py");
            return Ok(Verdict::Failed(vec![format!(
                "the NotImplementedError is still there ({line})"
            )]));
        }
        wrong.push(format!("{} ({})", error.trim(), line.unwrap_or("the program")));
    }
    let lines = |text: &str| text.lines().map(String::from).collect::<Vec<_>>();
    let (is, should) = (lines(&printed), lines(&exercise.prints));
    let at = (0..).find(|at| is.get(*at) != should.get(*at)).unwrap_or_default();
    let told = |line: Option<&String>| line.map_or("nothing".into(), |line| format!("{line:?}"));
    wrong.push(format!(
        "line {} of what it prints is {}, and should be {}",
        at + 1,
        told(is.get(at)),
        told(should.get(at))
    ));
    Ok(Verdict::Failed(wrong))
}

/// The exit code, and what was printed and written; `None` where it does not end.
fn run(command: &mut Command) -> Result<Option<(Option<i32>, String, String)>, Failure> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let process = Process::start(command)?;
    let Some(status) = process.wait(PATIENCE)? else {
        process.kill();
        return Ok(None);
    };
    let [printed, wrote] = [process.stdout(), process.stderr()].map(|it| it.text_at_end(PATIENCE));
    Ok(Some((status.code(), printed?, wrote?)))
}

/// The failures that a program of tests tells of.
fn complaints(printed: &str) -> Vec<String> {
    let mut found = Vec::new();
    for block in printed.split("\n---- ").skip(1) {
        let name = block.split(" stdout").next().unwrap_or_default();
        let name = name.rsplit("::").next().unwrap_or(name).replace('_', " ");
        let told = block.split_once("panicked at ").and_then(|(_, told)| told.split_once('\n'));
        let Some((place, told)) = told else {
            found.push(name);
            continue;
        };
        if told.starts_with(TODO) {
            // Whatever else fails, fails for this.
            return vec![format!("todo!() is still there ({})", without_column(place))];
        }
        let end = told.find("\nnote: ").or(told.find("\n\n")).unwrap_or(told.len());
        let told = in_words(told[..end].trim_end());
        found.push(format!("{name}: {told} ({})", without_column(place)));
    }
    if found.is_empty() {
        found.push("the check has ended without a word".into());
    }
    found
}

/// `src/lib.rs:13` of `src/lib.rs:13:5:`.
fn without_column(place: &str) -> &str {
    place.trim_end_matches(':').rsplit_once(':').map_or(place, |(line, _)| line)
}

/// What a panic says, for somebody who has not written the check.
fn in_words(told: &str) -> String {
    let compared = told.strip_prefix("assertion `left == right` failed").and_then(|rest| {
        let (about, values) = rest.split_once("\n  left: ")?;
        let (is, should) = values.split_once("\n right: ")?;
        Some((about.trim_start_matches(": "), readable(is), readable(should)))
    });
    match compared {
        Some(("", is, should)) => format!("it is {is}, and should be {should}"),
        Some((about, is, should)) => format!("{about}: it is {is}, and should be {should}"),
        None => told.replace('\n', " "),
    }
}

/// Bytes that are text, as text; a long value, its beginning.
fn readable(value: &str) -> String {
    let numbers = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bytes = numbers.map(|numbers| numbers.split(", ").map(str::parse::<u8>));
    let bytes = bytes.and_then(|bytes| bytes.collect::<Result<Vec<u8>, _>>().ok());
    let is_text = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    let shown = match bytes {
        Some(bytes) if bytes.iter().all(is_text) => format!("\"{}\"", bytes.escape_ascii()),
        _ => value.to_string(),
    };
    match shown.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", &shown[..end]),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_in_words() {
        let block = "\n---- tests::what_is_sent_comes_back stdout ----\n\n\
            thread 'tests::a' (7) panicked at src/lib.rs:4:5:\n";
        let printed = format!(
            "{block}a reply comes: TimedOut\nnote: run with\n\n\
            ---- tests::it_is_long stdout ----\n\nthread 'tests::b' (8) panicked at src/lib.rs:9:1:\n\
            assertion `left == right` failed: the reply\n  left: [104, 105]\n right: [104]\n\n\nfailures:\n"
        );
        assert_eq!(
            complaints(&printed),
            [
                "what is sent comes back: a reply comes: TimedOut (src/lib.rs:4)",
                "it is long: the reply: it is \"hi\", and should be \"h\" (src/lib.rs:9)",
            ]
        );
        let todo = format!("{printed}{block}not yet implemented\nnote: run with\n");
        assert_eq!(complaints(&todo), complaints(&format!("{block}not yet implemented\n")));
        assert_eq!(complaints(&todo), ["todo!() is still there (src/lib.rs:4)"]);
    }

    #[test]
    fn what_is_no_text_and_what_is_long_stays_or_is_cut() {
        assert_eq!(readable("[0, 1]"), "[0, 1]");
        assert_eq!(readable("Some(3)"), "Some(3)");
        assert!(readable(&"x".repeat(1000)).ends_with("x …"));
    }
}
