//! `kill -9` at any moment of an update, again and again. A few rounds by default;
//! `ROUNDS=1000 SEED=7 cargo test --release -p self-update --test kills -- --nocapture` for more.
//! Not on Windows, where there is a moment without a program, which the chapter tells.
#![cfg(unix)]

mod common;

use std::env;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use common::program::{Home, Running};
use common::site::Site;
use common::{BROKEN, BROKEN_PATIENCE, V1, V2, broken, new_key, v1, v2};

/// Rounds in every run of the tests.
const ROUNDS: u64 = 6;

/// In one round of so many, the release is broken.
const BROKEN_EVERY: u64 = 4;

/// In one round, a program is killed so many times at most.
const MOST_KILLS: u64 = 3;

/// SplitMix64: the same numbers for the same seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

fn number(name: &str, otherwise: u64) -> u64 {
    env::var(name).map_or(otherwise, |text| text.parse().unwrap())
}

#[test]
fn whenever_it_is_killed_the_program_is_whole_and_the_next_start_ends_the_update() {
    let (rounds, seed) = (number("ROUNDS", ROUNDS), number("SEED", 1));
    println!("{rounds} rounds, SEED={seed}");
    let mut found = [0; 3];
    // How long an update takes here that nobody cuts off.
    let mut took = Duration::from_millis(500);
    for round in 0..rounds {
        let mut chance = Chance(seed.wrapping_mul(1_000_003).wrapping_add(round));
        let bad = chance.below(BROKEN_EVERY) == 0;
        let (release, version) = if bad { (broken(), BROKEN) } else { (v2(), V2) };
        let (key, site) = (new_key(), Site::default());
        site.publish(&key, version, &release);
        let (address, home) = (site.start(), Home::new(&key));
        let patience = if bad { BROKEN_PATIENCE } else { "30s" };
        let args = ["--ready-within", patience, "--every", "100ms", "--drain", "500ms"];
        // From then on, in this life of the program and in all that follow.
        let (mut is_ready, mut is_put_back) = (false, false);
        for _ in 0..=chance.below(MOST_KILLS) {
            let after = took.mul_f64(chance.below(1200) as f64 / 1000.0);
            let log = home.path("log");
            let mut command = home.command(address, &args);
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(fs::File::create(&log).unwrap());
            let mut child: Child = command.spawn().unwrap();
            thread::sleep(after);
            child.kill().unwrap();
            child.wait().unwrap();
            // Whole: one of the two, every byte of it. And it starts.
            let program = fs::read(&home.program).unwrap();
            let is_old = program == fs::read(v1()).unwrap();
            assert!(is_old || program == fs::read(&release).unwrap(), "round {round}: neither");
            let says = if is_old { V1 } else { version };
            assert_eq!(home.version(), says, "round {round}");
            found[usize::from(!is_old) * (1 + usize::from(bad))] += 1;
            // What was told to be done is done.
            let told = fs::read_to_string(&log).unwrap();
            is_ready |= told.contains("the new one is ready");
            assert!(!is_ready || !is_old, "round {round}: it was ready, and is gone\n{told}");
            is_put_back |= told.contains("is not tried again");
            assert!(!is_put_back || is_old, "round {round}: what was put back is there\n{told}");
        }
        let began = Instant::now();
        let running = home.start(address, &args);
        if bad {
            running.wait_for("it was tried before and did not run", 1);
            assert_eq!(running.echo("hello"), "hello");
            home.assert_is(&v1());
        } else {
            running.wait_for("0.2.0 serves", 1);
            took = took.max(began.elapsed()).min(Duration::from_secs(2));
            running.wait_until_it_answers("hello", "HELLO");
            home.assert_is(&v2());
        }
        assert!(!home.beside("new").exists());
        no_worker_is_left(running, &home);
    }
    println!(
        "after a kill: {} times the old one, {} the new, {} the broken one",
        found[0], found[1], found[2]
    );
}

/// Also those whose keeper was killed are gone, since it let go of them.
fn no_worker_is_left(running: Running, home: &Home) {
    drop(running);
    if !cfg!(target_os = "linux") {
        return;
    }
    let deadline = Instant::now() + common::GENEROUS;
    let ours = home.program.to_str().unwrap();
    loop {
        let listed = Command::new("ps").args(["-eo", "args"]).output().unwrap();
        let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
        if !listed.contains(ours) {
            return;
        }
        assert!(Instant::now() < deadline, "they live on:\n{listed}");
        thread::sleep(Duration::from_millis(20));
    }
}
