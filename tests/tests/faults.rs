//! The matrix of rungs and faults, cell by cell: a fault that no limit names is
//! survived, one that a limit names is not, and after each of them an ordinary client
//! is served.
//!
//! `cargo xtask faults` plays it over the rungs' real processes; here what it has seen
//! is held against the manifests.

use std::collections::HashSet;
use std::process::{Command, Stdio};
use std::time::Duration;

use ladder_tests::ladder::every_rung;
use ladder_tests::process::allow_files;
use ladder_tests::{Process, Rung, binaries};
use serde_json::Value;

/// What peers, networks and operators do to every server over TCP, and over UDP.
const EVERYWHERE: [&str; 6] =
    ["random-bytes", "stop-while-idle", "restart", "port-taken", "low-port", "bad-host"];

/// Half a minute, on a machine that has nothing else to do.
const WHOLE_MATRIX: Duration = Duration::from_secs(10 * 60);

/// Enough for the largest crowd and what is played beside it.
const ENOUGH_FILES: u64 = 12_000;

/// What `cargo xtask faults ARGS` has seen.
fn cells(args: &[&str]) -> Vec<Value> {
    let (xtask, target) = binaries::xtask();
    let mut command = Command::new(xtask);
    // It builds the rungs where we do, so that there is nothing left to build.
    command.args(["faults", "--json"]).args(args).env("CARGO_TARGET_DIR", target);
    let finished = Process::start("xtask faults", command.stdin(Stdio::null()));
    let finished = finished.wait_within(WHOLE_MATRIX);
    let cells: Vec<Value> = finished
        .printed()
        .lines()
        .map(|line| serde_json::from_str(line).expect("a cell is JSON"))
        .collect();
    // It judges by itself as well.
    let complains = cells.iter().any(|cell| cell["as_expected"] == false);
    assert_eq!(finished.code(), Some(i32::from(complains)));
    cells
}

fn name_of(cell: &Value) -> &str {
    cell["fault"].as_str().expect("a fault has a name")
}

/// What is not as the manifest has it.
fn complaint(rung: &Rung, cell: &Value, few_files: bool) -> Option<String> {
    let (name, fault) = (&rung.name, name_of(cell));
    let promised = if rung.has_limit(fault) { "limit" } else { "survives" };
    let seen = cell["seen"].as_str().expect("something was seen");
    // Windows cannot send signals, a container may give its low ports away, only root can be
    // another user, and threads are counted for one process on Linux alone, and not
    // everywhere there.
    let may_be_absent =
        cfg!(windows) || ["low-port", "another-user", "no-threads"].contains(&fault) || few_files;
    if seen != promised && !(seen == "not here" && may_be_absent) {
        return Some(format!("{name} {fault}: {promised} is promised, {cell}"));
    }
    let left_alone = cell["recovered"] == false;
    left_alone.then(|| format!("{name} {fault}: no ordinary client was served after it, {cell}"))
}

#[test]
fn every_cell_of_the_matrix_is_as_the_manifests_have_it() {
    // A crowd is more than one process may have open files.
    let few_files = allow_files(ENOUGH_FILES) < ENOUGH_FILES;
    let cells = cells(&[]);
    let mut wrong = Vec::new();
    for rung in every_rung() {
        let mine: Vec<&Value> =
            cells.iter().filter(|cell| cell["rung"] == rung.name.as_str()).collect();
        let played: HashSet<&str> = mine.iter().map(|cell| name_of(cell)).collect();
        assert_eq!(played.len(), mine.len(), "{}: a cell is there twice", rung.name);
        let limits = rung.limits.iter().map(|limit| limit.fault.as_str());
        for fault in EVERYWHERE.into_iter().chain(limits) {
            assert!(played.contains(fault), "{} {fault}: not played", rung.name);
        }
        for cell in mine {
            let Some(complaint) = complaint(rung, cell, few_files) else { continue };
            println!("{complaint}; once more, with nothing beside it");
            // A whole matrix at once is a load that no limit of time is made for.
            let again = self::cells(&[&rung.name, name_of(cell)]);
            wrong.extend(again.iter().filter_map(|cell| self::complaint(rung, cell, few_files)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
