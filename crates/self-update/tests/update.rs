//! An update under clients, and what is kept over it.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;

use common::program::Home;
use common::site::Site;
use common::{BROKEN, BROKEN_PATIENCE, GENEROUS, V2, broken, new_key, v1, v2};

#[test]
fn a_release_that_does_not_get_ready_is_put_back_once_and_told() {
    let (key, site) = (new_key(), Site::default());
    site.publish(&key, BROKEN, &broken());
    let home = Home::new(&key);
    let running =
        home.start(site.start(), &["--every", "100ms", "--ready-within", BROKEN_PATIENCE]);
    running.wait_for("is not tried again", 1);
    home.assert_is(&v1());
    assert_eq!(running.echo("hello"), "hello");
    running.wait_for("it was tried before and did not run", 3);
    assert_eq!(running.told().matches("is not tried again").count(), 1);
    assert_eq!(running.told().matches("the new one has the name").count(), 1);
    let downloads = site.asked().iter().filter(|path| path.starts_with("release-")).count();
    assert_eq!(downloads, 1);
    // Nor by the next start.
    drop(running);
    let running =
        home.start(site.start(), &["--every", "100ms", "--ready-within", BROKEN_PATIENCE]);
    running.wait_for("it was tried before and did not run", 1);
    home.assert_is(&v1());
    // What comes after it is taken.
    let mut next = site.publish(&key, V2, &v2());
    next.version = "0.3.1".parse().unwrap();
    site.offer(&key, &next);
    running.wait_for("it says of itself", 1);
}

/// A release that is a script: what it does when it is asked for its version, and when it is
/// to serve.
#[cfg(unix)]
fn script(home: &Home, version: &str, asked: &str, serves: &str) -> std::path::PathBuf {
    let release = home.path("script");
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in --version) echo server {version}; {asked};; \
         *) {serves};; esac\n"
    );
    std::fs::write(&release, text).unwrap();
    release
}

#[cfg(unix)]
#[test]
fn a_release_that_ends_as_soon_as_it_is_ready_ends_its_keeper_and_is_told() {
    let (key, site) = (new_key(), Site::default());
    let home = Home::new(&key);
    site.publish(&key, BROKEN, &script(&home, BROKEN, "exit 0", "echo ready; exit 3"));
    let running = home.start(site.start(), &[]);
    running.wait_for("0.3.0 serves from here on", 1);
    // Nobody would serve.
    assert_eq!(running.ends().code(), Some(1));
}

#[cfg(unix)]
#[test]
fn a_release_that_tells_its_version_and_does_not_end_is_not_waited_for() {
    let (key, site) = (new_key(), Site::default());
    let home = Home::new(&key);
    let hangs = "exec >&-; exec sleep 1000";
    site.publish(&key, BROKEN, &script(&home, BROKEN, hangs, "exit 1"));
    let often = ["--every", "100ms", "--ready-within", BROKEN_PATIENCE];
    let running = home.start(site.start(), &often);
    running.wait_for("it does not tell its version", 1);
    assert_eq!(running.echo("hello"), "hello");
    site.publish(&key, V2, &v2());
    running.wait_for("0.2.0 serves from here on", 1);
}

/// It says where it is before it hangs, so that the test knows.
#[cfg(unix)]
#[test]
fn a_release_that_hangs_does_not_outlive_a_stop() {
    let hangs =
        |home: &Home| format!("echo $$ > {}; exec sleep 1000", home.path("hangs").display());
    let cases: [fn(&Home, &str) -> std::path::PathBuf; 2] = [
        |home, hangs| script(home, BROKEN, hangs, "exit 1"),
        |home, hangs| script(home, BROKEN, "exit 0", hangs),
    ];
    for release in cases {
        let (key, site) = (new_key(), Site::default());
        let home = Home::new(&key);
        site.publish(&key, BROKEN, &release(&home, &hangs(&home)));
        let running = home.start(site.start(), &["--ready-within", "1m"]);
        let deadline = std::time::Instant::now() + GENEROUS;
        let hanging = loop {
            let id = std::fs::read_to_string(home.path("hangs")).unwrap_or_default();
            if let Some(id) = id.strip_suffix('\n') {
                break id.to_string();
            }
            assert!(std::time::Instant::now() < deadline, "it is not asked");
            thread::sleep(std::time::Duration::from_millis(5));
        };
        assert_eq!(running.stop().code(), Some(0));
        // It was a child of the one that has ended, and has been waited for.
        let there = std::process::Command::new("kill").args(["-0", &hanging]).output();
        assert!(!there.unwrap().status.success(), "{hanging} is left");
    }
}

#[test]
fn two_that_run_one_program_update_it_once_and_both_change_over() {
    let (key, site) = (new_key(), Site::default());
    site.publish(&key, V2, &v2());
    let address = site.start();
    let home = Home::new(&key);
    let [one, two] = [(); 2].map(|()| home.command(address, &["--every", "50ms"]));
    let both = thread::scope(|scope| {
        [one, two]
            .map(|mut command| scope.spawn(move || common::program::Running::start(&mut command)))
            .map(|start| start.join().unwrap())
    });
    for running in &both {
        running.wait_for("0.2.0 serves", 1);
        running.wait_until_it_answers("hello", "HELLO");
    }
    home.assert_is(&v2());
    let downloads = site.asked().iter().filter(|path| path.starts_with("release-")).count();
    assert_eq!(downloads, 1, "{:?}", site.asked());
}

#[test]
fn a_worker_does_not_outlive_its_keeper() {
    let (key, site) = (new_key(), Site::default());
    let home = Home::new(&key);
    let mut running = home.start(site.start(), &[]);
    let mut there = TcpStream::connect(running.address).unwrap();
    there.set_read_timeout(Some(GENEROUS)).unwrap();
    there.write_all(b"hello").unwrap();
    let mut reply = [0; 5];
    there.read_exact(&mut reply).unwrap();
    running.kill();
    // The end of a stop, not a reset.
    assert_eq!(there.read(&mut reply).unwrap(), 0);
    let deadline = std::time::Instant::now() + GENEROUS;
    while TcpStream::connect(running.address).is_ok() {
        assert!(std::time::Instant::now() < deadline, "somebody listens still");
        thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[cfg(unix)]
#[test]
fn a_stop_ends_the_keeper_and_its_worker_also_in_the_middle_of_a_download() {
    let (key, site) = (new_key(), Site::default());
    let manifest = site.publish(&key, V2, &v2());
    site.set(
        &manifest.file,
        common::site::raw(|to| {
            to.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                to.write_all(b"x")?;
                to.flush()?;
                thread::sleep(std::time::Duration::from_millis(20));
            }
        }),
    );
    let home = Home::new(&key);
    let running = home.start(site.start(), &[]);
    running.wait_for("0.2.0 is there, and wanted", 1);
    let address = running.address;
    assert_eq!(running.stop().code(), Some(0));
    assert!(TcpStream::connect(address).is_err());
    home.assert_is(&v1());
}
