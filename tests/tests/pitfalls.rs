//! The pitfalls of the tutorials are seen broken and mended. How Windows breaks is
//! different in each of them.
#![cfg(unix)]

use std::process::{Command, Stdio};

use ladder_tests::{Process, binaries};

#[test]
fn every_pitfall_is_seen_in_both_states() {
    let (xtask, _) = binaries::xtask();
    let mut command = Command::new(xtask);
    command.args(["demo", "pitfalls", "--plain"]).stdin(Stdio::null());
    let finished = Process::start("xtask demo pitfalls", &mut command).wait();
    let told = finished.printed();
    assert_eq!(finished.code(), Some(0), "{told}{}", finished.stderr);
    assert!(
        told.matches("  broken  ").count() >= 9 && told.contains("were seen in both states"),
        "{told}"
    );
}
