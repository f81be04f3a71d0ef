//! `cargo xtask new`, as a person uses it.

use std::process::{Command, Stdio};

use ladder_tests::{Process, binaries};

fn xtask(args: &[&str], stdin: Stdio) -> Process {
    let (xtask, target) = binaries::xtask();
    let mut command = Command::new(xtask);
    command.arg("new").args(args).env("CARGO_TARGET_DIR", target).stdin(stdin);
    Process::start(&format!("xtask new {}", args.join(" ")), &mut command)
}

#[test]
fn what_is_no_rung_is_wrong_usage_and_told_where_to_begin() {
    let told = xtask(&["websocket"], Stdio::null()).wait().expect_code(2);
    assert!(told.stderr.contains("cargo xtask new http ../my-websocket"), "{}", told.stderr);
    let told = xtask(&["threaded"], Stdio::null()).wait().expect_code(2);
    assert!(told.stderr.contains("../my-service"), "{}", told.stderr);
}

#[cfg(unix)]
#[test]
fn at_a_terminal_it_asks_what_is_built_and_what_to_keep() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let dest = folder.path().join("counter");
    let (mut keyboard, line) = ladder_tests::terminal::terminal();
    let process = xtask(&["threaded", &dest.to_string_lossy()], line);
    process.expect_prompt("What is it to be");
    keyboard.type_line("Counts words");
    process.expect_prompt("tests/echo.rs");
    keyboard.type_line("n");
    process.wait().expect_code(0);
    let text = |file| std::fs::read_to_string(dest.join(file)).expect("it is there");
    assert!(text("Cargo.toml").contains("description = \"Counts words\""));
    assert!(text("README.md").starts_with("# counter\n\nCounts words.\n"));
    assert!(text("README.md").contains("`tests/echo.rs` says what the old protocol answers"));
    assert!(text("README.md").contains(", and was left out; `tests/limits.rs` is about"));
    assert!(text("deploy/counter.service").contains("/counter server --port 9090"));
    assert!(!dest.join("tests/echo.rs").exists() && dest.join("tests/limits.rs").is_file());
}

#[test]
fn without_a_terminal_nothing_is_asked_and_everything_is_kept() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let dest = folder.path().join("mine");
    let told = xtask(&["udp", &dest.to_string_lossy(), "--no-git"], Stdio::null()).wait();
    told.expect_code(0);
    assert!(dest.join("tests/echo.rs").is_file() && !dest.join(".git").exists());
}

#[test]
fn one_more_program_of_a_project_is_told_of_nothing_that_it_has_not() {
    let folder = tempfile::tempdir().expect("a folder can be made");
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    xtask(&["framed", &path("store"), "--no-git"], Stdio::null()).wait().expect_code(0);
    let again = ["udp", &path("store"), "--beside"];
    let told = xtask(&again, Stdio::null()).wait().expect_code(2);
    assert!(told.stderr.contains("a new folder inside of one"), "{}", told.stderr);
    xtask(&["udp", &path("store/sender"), "--beside"], Stdio::null()).wait().expect_code(0);
    let page = std::fs::read_to_string(path("store/sender/README.md")).expect("it is there");
    for absent in ["deploy/", ".github/", "inside it"] {
        assert!(!page.contains(absent), "{absent} in\n{page}");
    }
    assert!(page.contains("`netcore` beside it"), "{page}");
}
