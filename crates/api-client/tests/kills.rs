//! `kill -9` of the client at any moment, again and again: what it has printed has been done,
//! and nothing was done twice.
//!
//! A few rounds by default; `ROUNDS=1000 SEED=7 cargo test -p api-client --test kills --
//! --nocapture` for more.

use std::env;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use api_client::{ThirdParty, server};
use netcore::testing::{Setup, Suite};

/// Rounds in every run of the tests.
const ROUNDS: u64 = 12;

/// Milliseconds within which the kill comes: some clients have ended by then.
const WITHIN: u64 = 1200;

const MESSAGES: [&str; 3] = ["one", "two", "three"];

fn command(address: SocketAddr, args: &[&str]) -> Command {
    let port = address.port().to_string();
    let mut command = Command::new(env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))));
    command.args(["client", "--port", &port, "--rate", "1000"]).args(args);
    command.env_remove("RUST_LOG").stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(Stdio::null());
    command
}

fn effects(address: SocketAddr) -> u64 {
    let told = command(address, &["--get", "/effects"]).output().unwrap();
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).unwrap();
    told["effects"].as_u64().unwrap()
}

fn number(name: &str, usual: u64) -> u64 {
    env::var(name).map_or(usual, |it| it.parse().expect("a number"))
}

#[test]
fn whenever_it_is_killed_what_it_has_printed_has_been_done_once() {
    let suite: Suite = Suite::new("", "", |listener, setup, shutdown| {
        let service: ThirdParty = setup.service(&["--mood", "flaky"]);
        server::serve(listener, &service, shutdown)
    });
    let third_party = suite.start(Setup::default());
    let address = third_party.address;
    let (rounds, mut seed) = (number("ROUNDS", ROUNDS), number("SEED", 1));
    let (mut printed, mut done, mut cut) = (0, 0, 0);
    for round in 0..rounds {
        let mut client = command(address, &MESSAGES).spawn().unwrap();
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
        done = effects(address);
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
