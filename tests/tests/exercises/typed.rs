//! `cargo xtask exercise`, as a person uses it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use ladder::exercises::{self, Exercise, Language};
use ladder_tests::workspace::workspace;
use ladder_tests::{Process, binaries};

/// The first look at an exercise builds its rung.
const BUILDS: Duration = Duration::from_secs(20 * 60);

fn xtask(args: &[&str], into: &Path, stdin: Stdio) -> Process {
    let (xtask, target) = binaries::xtask();
    let mut command = Command::new(xtask);
    command.arg("exercise").args(args).arg("--into").arg(into);
    command.env("CARGO_TARGET_DIR", target).stdin(stdin);
    Process::start(&format!("xtask exercise {}", args.join(" ")), &mut command)
}

fn first(language: Language) -> Exercise {
    let found = exercises::of_rung(&workspace().root, "oneshot-echo").expect("it has exercises");
    found.into_iter().find(|exercise| exercise.language == language).expect("one is in it")
}

#[test]
fn a_stub_is_told_to_be_one_and_its_solution_to_be_right_and_that_is_remembered() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    for language in [Language::Rust, Language::Python] {
        if language == Language::Python && ladder_tests::python::run("").is_none() {
            continue;
        }
        let exercise = first(language);
        let number = exercise.number.to_string();
        let once = ["oneshot", &number, "--once"];
        let told = xtask(&once, folder.path(), Stdio::null()).wait_within(BUILDS).expect_code(1);
        let told = told.printed();
        assert!(told.contains(&exercise.title), "{told}");
        let left = ["todo!() is still there", "NotImplementedError is still there"];
        assert!(left.iter().any(|left| told.contains(left)), "{told}");
        let file = folder.path().join(format!("oneshot-{number}")).join(language.file());
        fs::write(&file, exercise.solved()).expect("it can be saved");
        let told = xtask(&once, folder.path(), Stdio::null()).wait_within(BUILDS).expect_code(0);
        let told = told.printed();
        assert!(told.contains("Solved"), "{told}");
        let list =
            xtask(&["--list"], folder.path(), Stdio::null()).wait_within(BUILDS).expect_code(0);
        let list = list.printed();
        let line = list.lines().find(|line| line.contains(&exercise.title)).map(str::trim);
        assert!(line.is_some_and(|line| line.starts_with("done")), "{line:?}");
    }
}

#[test]
fn what_does_not_compile_or_has_no_such_number_is_told() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    xtask(&["oneshot", "99"], folder.path(), Stdio::null()).wait_within(BUILDS).expect_code(2);
    let file = folder.path().join("oneshot-1/src/lib.rs");
    xtask(&["oneshot", "1", "--once"], folder.path(), Stdio::null())
        .wait_within(BUILDS)
        .expect_code(1);
    fs::write(&file, "pub fn ask( {}\n").expect("it can be saved");
    let ended =
        xtask(&["oneshot", "1", "--once"], folder.path(), Stdio::null()).wait_within(BUILDS);
    let ended = ended.expect_code(1);
    assert!(ended.printed().contains("does not compile yet"), "{}", ended.printed());
    assert!(ended.stderr.contains("src/lib.rs"), "{}", ended.stderr);
}

#[cfg(unix)]
#[test]
fn at_a_terminal_hints_come_one_by_one_and_a_solution_that_is_saved_leads_to_the_next() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let exercise = first(Language::Rust);
    xtask(&["oneshot", "1", "--once"], folder.path(), Stdio::null())
        .wait_within(BUILDS)
        .expect_code(1);
    let (mut keyboard, line) = ladder_tests::terminal::terminal();
    let process = xtask(&["oneshot", "1"], folder.path(), line);
    process.expect_stdout(&["todo!() is still there"]);
    keyboard.type_line("h");
    let word = exercise.hints[0].split(' ').nth(1).expect("it has words").to_string();
    process.expect_stdout(&["hint: ", &word]);
    let file = folder.path().join("oneshot-1/src/lib.rs");
    fs::write(&file, exercise.solved()).expect("it can be saved");
    process.expect_stdout(&["It is looked at, for 20s at most."]);
    process.expect_stdout(&["Solved"]);
    keyboard.type_line("");
    process.expect_stdout(&["oneshot 2: "]);
    keyboard.type_line("q");
    process.wait().expect_code(0);
    assert_eq!(fs::read_to_string(folder.path().join("done.txt")).unwrap(), "oneshot-echo 1\n");
}
