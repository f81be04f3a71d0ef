//! Whoever is killed after a step leaves a whole program, and the next start goes on.
//! Not on Windows, where a program can replace itself only, and this test is not that program.
#![cfg(unix)]

mod common;

use std::env;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::program::Home;
use common::site::Site;
use common::{BROKEN, BROKEN_PATIENCE, V1, V2, broken, new_key, public, v1, v2};
use self_update::fetch::Releases;
use self_update::keeper::target;
use self_update::place::Place;
use self_update::rules::Wanted;
use self_update::unproven::Unproven;
use self_update::update::{Step, Updater};
use self_update::worker::version_of;

/// What the child is told: after which step, of which program, from where, by which key.
const DIE: [&str; 4] = ["DIE_AFTER", "DIE_PROGRAM", "DIE_FROM", "DIE_KEY"];

/// Looks, and is killed after the step: signal 9, as `kill -9` and a lack of memory send it.
fn look_and_die(after: &str) {
    let told = |name| env::var(name).unwrap();
    let updater = Updater {
        place: Place::of(Path::new(&told(DIE[1]))).unwrap(),
        releases: Releases::at(&told(DIE[2]).parse().unwrap()),
        wanted: Wanted {
            program: env!("CARGO_PKG_NAME").into(),
            target: target(),
            largest: u64::MAX,
            pre_releases: false,
        },
        key: told(DIE[3]),
        within: common::GENEROUS,
        patience: common::GENEROUS,
        unproven: Unproven::default(),
    };
    let mut done = |step: Step| {
        if format!("{step:?}") == after {
            let id = std::process::id().to_string();
            let _ = Command::new("kill").args(["-9", &id]).status();
            std::process::abort();
        }
    };
    // Whether it runs is told by what it is: a worker would need a keeper.
    let mut start =
        |program: &Path| match version_of(program, common::GENEROUS, &Unproven::default())? {
            told if told.contains(BROKEN) => Err(std::io::Error::other("broken")),
            told => Ok(told),
        };
    let looked = updater.look(&V1.parse().unwrap(), &mut start, &mut done);
    panic!("it was not killed after {after}, but: {looked:?}");
}

/// Both sides of this test: it runs itself once more for each step, to be killed.
#[test]
fn whoever_is_killed_after_a_step_leaves_a_whole_program_that_runs() {
    if let Ok(after) = env::var(DIE[0]) {
        return look_and_die(&after);
    }
    let good = [
        Step::Downloaded,
        Step::Finished,
        Step::Probed,
        Step::KeptAside,
        Step::Begun,
        Step::Swapped,
        Step::Succeeded,
    ];
    std::thread::scope(|scope| {
        for step in good {
            // The old one up to the moment in which the name changes hands, then the new one.
            let swapped = matches!(step, Step::Swapped | Step::Succeeded);
            let is = if swapped { (v2(), V2) } else { (v1(), V1) };
            scope.spawn(move || killed_after(step, (&v2(), V2), is));
        }
        for step in [Step::Swapped, Step::Failed, Step::PutBack] {
            let is = if step == Step::PutBack { (v1(), V1) } else { (broken(), BROKEN) };
            scope.spawn(move || killed_after(step, (&broken(), BROKEN), is));
        }
    });
}

fn killed_after(step: Step, (release, version): (&Path, &str), (is, says): (PathBuf, &str)) {
    println!("{version}, killed after {step:?}");
    let (key, site) = (new_key(), Site::default());
    site.publish(&key, version, release);
    let address = site.start();
    let home = Home::new(&key);
    let name = "whoever_is_killed_after_a_step_leaves_a_whole_program_that_runs";
    let mut child = Command::new(env::current_exe().unwrap());
    child.args(["--exact", name, "--nocapture"]).env(DIE[0], format!("{step:?}"));
    child.env(DIE[1], &home.program).env(DIE[2], format!("http://{address}"));
    child.env(DIE[3], public(&key));
    let ended = child.output().unwrap();
    let said = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.signal(), Some(9), "{said}");
    // Whole, and it starts.
    home.assert_is(&is);
    assert_eq!(home.version(), says);
    // The next start ends what was begun: on the new one where that runs, else on the old one.
    let patience = if version == BROKEN { BROKEN_PATIENCE } else { "30s" };
    let args = ["--every", "100ms", "--ready-within", patience];
    let running = home.start(address, &args);
    if version == V2 {
        running.wait_for("0.2.0 serves", 1);
        running.wait_until_it_answers("hello", "HELLO");
        home.assert_is(&v2());
    } else {
        // Known as one that does not run by now, whoever has found it out.
        running.wait_for("it was tried before and did not run", 1);
        assert_eq!(running.echo("hello"), "hello");
        home.assert_is(&v1());
        // And so it was not fetched a second time.
        let fetched = site.asked().iter().filter(|path| path.starts_with("release-")).count();
        assert_eq!(fetched, 1, "{:?}", site.asked());
    }
    assert!(!home.beside("new").exists());
    // And the start after that has nothing left to do.
    drop(running);
    let began = std::time::Instant::now();
    let running = home.start(address, &args);
    running.wait_for("no update: it ", 1);
    assert!(!running.told().contains("was cut off"), "{}", running.told());
    assert!(began.elapsed() < Duration::from_secs(20));
}
