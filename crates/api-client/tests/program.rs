//! The program as a person runs it, against the third party and its moods.

mod canned;
mod person;

use std::time::Duration;

use canned::{json, says};
use netcore::testing::Setup;
use person::{client, command, effects, run, third_party};

#[test]
fn in_every_mood_that_passes_each_message_has_one_effect() {
    for mood in [
        &["--mood", "ok"][..],
        &["--mood", "slow"],
        &["--mood", "flaky"],
        &["--mood", "limited"],
        &["--mood", "down", "--outage", "1s"],
    ] {
        let server = third_party(mood).start(Setup::default());
        let told = client(server.address, &["one", "two", "three"]);
        let printed = String::from_utf8(told.stdout).unwrap();
        assert_eq!(printed, "note 1: one\nnote 2: two\nnote 3: three\n", "{mood:?}");
        assert_eq!(told.status.code(), Some(0));
        assert_eq!(effects(server.address), 3, "{mood:?}");
    }
}

/// The limit is for what its client does.
#[test]
fn an_answer_that_takes_longer_than_the_total_limit_arrives() {
    let server = third_party(&["--mood", "slow"]).start(Setup::total(Duration::from_millis(800)));
    let told = client(server.address, &["--get", "notes"]);
    assert_eq!(String::from_utf8_lossy(&told.stdout), "[]\n", "{told:?}");
    assert_eq!(told.status.code(), Some(0));
}

#[test]
fn without_a_key_a_lost_answer_is_told_and_not_sent_again() {
    let server = third_party(&["--mood", "flaky"]).start(Setup::default());
    // The first of three is turned away, the second done and its answer lost.
    for (expected, effect) in [(75, 0), (75, 1), (0, 2)] {
        let told = client(server.address, &["--no-key", "a"]);
        assert_eq!(told.status.code(), Some(expected));
        assert_eq!(effects(server.address), effect);
        // Asking for the effects has no mood and no turn.
    }
}

#[test]
fn the_exit_code_tells_refused_from_given_up() {
    let (address, _) = says(&[&json(400, "", "{}")]);
    let told = client(address, &["a"]);
    assert_eq!(told.status.code(), Some(1));
    let (address, _) = says(&[&json(503, "Retry-After: 3600\r\n", "{}")]);
    let told = client(address, &["a"]);
    assert_eq!(told.status.code(), Some(75));
    let error = String::from_utf8(told.stderr).unwrap();
    assert!(error.contains("come back in 3600 s"), "{error}");
    let lying = third_party(&["--mood", "lying"]).start(Setup::default());
    assert_eq!(client(lying.address, &["a"]).status.code(), Some(1));
}

#[test]
fn a_secret_comes_from_a_file_and_is_in_no_log() {
    let (address, requests) = says(&[&json(401, "", "{}")]);
    let file = std::env::temp_dir().join(format!("api-client-token-{}", std::process::id()));
    std::fs::write(&file, "s3cret\n").unwrap();
    let args = ["-vv", "--token-file", file.to_str().unwrap(), "a"];
    for filter in ["", "trace"] {
        let told = command(address, &args).env("RUST_LOG", filter).output().unwrap();
        assert_eq!(told.status.code(), Some(1));
        let log = String::from_utf8(told.stderr).unwrap();
        assert!(log.contains("Post http://") && !log.contains("s3cret"), "{log}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(requests.lock().unwrap()[0].contains("Bearer s3cret"));
}

#[test]
fn a_file_without_a_secret_is_told_and_nobody_is_asked() {
    let (address, requests) = says(&[&json(200, "", "{}")]);
    let file = std::env::temp_dir().join(format!("api-client-empty-{}", std::process::id()));
    std::fs::write(&file, " \n").unwrap();
    let told = client(address, &["--token-file", file.to_str().unwrap(), "a"]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(told.status.code(), Some(1), "{told:?}");
    assert!(requests.lock().unwrap().is_empty());
}

#[test]
fn what_is_got_is_no_command_to_the_terminal() {
    let (address, _) = says(&[&json(200, "", "[\"\u{9b}2J\u{202e}я\"]")]);
    let told = client(address, &["--get", "notes"]);
    assert_eq!(String::from_utf8(told.stdout).unwrap(), "[\"\\u009b2J\\u202eя\"]\n");
}

#[test]
fn an_address_with_a_secret_in_it_is_wrong_usage() {
    let (address, requests) = says(&[&json(200, "", "{}")]);
    for secret in ["ada:engine", "ada", ":engine"] {
        let url = format!("http://{secret}@{address}/");
        let told = run(&["client", "--url", &url, "--get", "notes"]);
        assert_eq!(told.status.code(), Some(2), "{secret}");
        assert!(String::from_utf8_lossy(&told.stderr).contains("--token-file"), "{told:?}");
    }
    assert!(requests.lock().unwrap().is_empty());
}

#[test]
fn an_option_that_can_do_nothing_is_wrong_usage() {
    let url = "http://127.0.0.1:1/";
    for args in [
        &["server", "--port", "0", "--accept-timeout", "100ms", "--outage", "1s"][..],
        &["client", "--url", url, "--port", "1", "a"],
        &["client", "--url", url, "--host", "localhost", "a"],
        &["client", "--url", url, "--wait", "1s", "a"],
        &["client", "--port", "1", "--no-key", "--get", "notes"],
        &["client", "--port", "1", "--rate", "0", "a"],
        &["client", "--url", "ftp://127.0.0.1/", "a"],
    ] {
        let told = run(args);
        assert_eq!(told.status.code(), Some(2), "{args:?}: {told:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_a_wait_at_once() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    use std::time::{Duration, Instant};

    let (address, _) = says(&[&json(503, "Retry-After: 15\r\n", "{}")]);
    let mut child = command(address, &["a"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("asking again in 15") {
        line.clear();
        assert!(log.read_line(&mut line).unwrap() > 0, "it ended by itself");
    }
    let began = Instant::now();
    let id = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    assert!(began.elapsed() < Duration::from_secs(10));
}
