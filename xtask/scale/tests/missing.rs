//! What a play says where the programs that it needs are not installed.
#![cfg(unix)]

use std::process::Command;

#[test]
fn what_is_not_installed_is_told_in_one_line_with_how_to_get_it() {
    for (play, wanted) in
        [(None, "apt install haproxy"), (Some("--drafts"), "apt install nats-server")]
    {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scale"));
        // Nothing is found where nothing is looked for.
        let output = command.args(play).env("PATH", "").output().expect("it can be run");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), told.lines().count()), (Some(77), 1), "{told}");
        assert!(told.contains(wanted), "{told}");
        assert!(output.stdout.is_empty(), "{play:?} began");
    }
}
