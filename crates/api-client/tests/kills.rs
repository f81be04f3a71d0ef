//! `kill -9` of the client at any moment, again and again: what it has printed has been done,
//! and nothing was done twice.
//!
//! A few rounds by default; `ROUNDS=1000 SEED=7 cargo test -p api-client --test kills --
//! --nocapture` for more.

mod person;

use std::env;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use netcore::testing::Setup;
use person::{command, effects, third_party};

/// Rounds in every run of the tests.
const ROUNDS: u64 = 12;

/// Milliseconds within which the kill comes: some clients have ended by then.
const WITHIN: u64 = 1200;

const MESSAGES: [&str; 3] = ["one", "two", "three"];

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |it| it.parse().expect("a number"))
}

#[test]
fn whenever_it_is_killed_what_it_has_printed_has_been_done_once() {
    let server = third_party(&["--mood", "flaky"]).start(Setup::default());
    let (rounds, mut seed) = (number("ROUNDS", ROUNDS), number("SEED", 1));
    let (mut printed, mut done, mut cut) = (0, 0, 0);
    for round in 0..rounds {
        let mut command = command(server.address, &MESSAGES);
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut client = piped.spawn().unwrap();
        // A linear congruential generator: the same moments for the same seed.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // The pause is the moment of the kill.
        thread::sleep(Duration::from_millis((seed >> 33) % WITHIN));
        // Fails where it has ended.
        let _ = client.kill();
        let told = client.wait_with_output().unwrap();
        let lines = String::from_utf8(told.stdout).unwrap().lines().count() as u64;
        cut += u64::from(lines < MESSAGES.len() as u64);
        printed += lines;
        done = effects(server.address);
        // Of each that was cut short, one message may have been on its way: it has been done, or
        // will be, or not.
        assert!(
            (printed..=printed + cut).contains(&done),
            "round {round}: {printed} printed, {cut} cut short, {done} done"
        );
    }
    println!(
        "{rounds} rounds, {cut} cut short: {printed} printed, {done} done, none of them twice"
    );
}
