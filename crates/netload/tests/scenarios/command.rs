//! The command as a person runs it: output, exit codes, the end of standard input.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use crate::server::{Server, echo, echo_flipped};

fn netload() -> Command {
    Command::new(env!("CARGO_BIN_EXE_netload"))
}

fn run(args: &[&str]) -> Output {
    netload().args(args).stdin(Stdio::null()).output().unwrap()
}

#[test]
fn the_report_is_on_standard_output_and_success_is_0() {
    let server = Server::tcp(echo);
    let output =
        run(&["tcp-echo", &server.address.to_string(), "--count", "10", "--connections", "2"]);
    assert_eq!(output.status.code(), Some(0));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with(&format!("tcp-echo {}, 2 connections", server.address)), "{text}");
    assert!(text.contains("10 replies") && text.ends_with("faults: none\n"), "{text}");
    assert!(output.stderr.is_empty());
}

#[test]
fn the_report_is_one_line_of_json_where_that_is_wanted() {
    let server = Server::tcp(echo);
    let output = run(&["--json", "tcp-echo", &server.address.to_string(), "--count", "10"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&report["scenario"], &report["replies"]), (&"tcp-echo".into(), &10.into()));
    assert!(report["latency"]["p99"].is_f64());
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
}

#[test]
fn a_wrong_byte_is_told_and_fails() {
    let server = Server::tcp(|stream, _| echo_flipped(stream, 64));
    let output =
        run(&["tcp-echo", &server.address.to_string(), "--connections", "1", "--count", "9"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stdout).unwrap().ends_with("faults: 1 wrong\n"));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("error: cannot get every reply right: 1 wrong; the first was"),
        "{error}"
    );
}

#[test]
fn wrong_usage_is_2() {
    for args in [
        vec![],
        vec!["tcp-echo"],
        vec!["tcp-echo", "127.0.0.1"],
        vec!["tcp-echo", "127.0.0.1:9", "--connections", "0"],
        vec!["tcp-echo", "127.0.0.1:9", "--count", "0"],
        vec!["udp-echo", "127.0.0.1:9", "--size", "7"],
        vec!["http", "https://127.0.0.1/"],
    ] {
        assert_eq!(run(&args).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn a_crowd_is_held_until_standard_input_ends() {
    let server = Server::tcp(echo);
    let mut child = netload()
        .args(["tcp-idle", &server.address.to_string(), "--connections", "20", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let crowd: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(crowd["connections"], 20);
    drop(child.stdin.take());
    let report: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!(report["faults"]["first"], serde_json::Value::Null);
    assert!(child.wait().unwrap().success());
}

/// As `nohup` and a shell that puts a command into the background want it.
#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_a_run_early_unless_it_was_ignored_at_the_start() {
    for (before, ends) in [("", true), ("trap '' TERM; ", false)] {
        let server = Server::tcp(echo);
        let mut child = Command::new("sh")
            .args(["-c", &format!("{before}exec \"$@\""), "sh", env!("CARGO_BIN_EXE_netload")])
            .args(["tcp-idle", &server.address.to_string(), "--connections", "1"])
            .args(["--seconds", "2", "--json"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // It stands.
        lines.next().unwrap().unwrap();
        let kill = format!("kill -TERM {}", child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let report: serde_json::Value =
            serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(report["interrupted"], ends, "{before}");
        assert!(child.wait().unwrap().success());
    }
}
