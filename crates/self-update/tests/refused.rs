//! Places of releases that lie, and machines that have no room: the program stays as it is,
//! and serves on.

mod common;

use std::fs;
use std::process::Command;
use std::thread;
use std::time::Duration;

use common::program::Home;
use common::site::{Site, file, raw};
use common::{V1, V2, new_key, now, public, sign, v1, v2};
use minisign::KeyPair;
use self_update::keeper::target;
use self_update::manifest::Manifest;

/// A publisher of the second release, and somebody who would have it.
struct Scene {
    key: KeyPair,
    site: Site,
    home: Home,
    offer: Manifest,
}

impl Scene {
    fn new() -> Scene {
        let (key, site) = (new_key(), Site::default());
        let offer = site.publish(&key, V2, &v2());
        Scene { home: Home::new(&key), key, site, offer }
    }

    /// The program looks once, does not take what it finds, and says why.
    #[track_caller]
    fn refused(&self, args: &[&str], why: &str) {
        let running = self.home.start(self.site.start(), args);
        running.wait_for("no update: ", 1);
        let told = running.told();
        assert!(told.contains(why), "not {why:?} but:\n{told}");
        self.home.assert_is(&v1());
        assert_eq!(running.echo("hello"), "hello");
        assert!(!self.home.beside("new").exists());
    }

    /// The same, and nothing of the release was asked for.
    #[track_caller]
    fn refused_before_the_download(&self, args: &[&str], why: &str) {
        self.refused(args, why);
        let asked = self.site.asked();
        assert!(!asked.contains(&self.offer.file), "{asked:?}");
    }

    /// With an offer that differs in one thing, and is signed as it is.
    #[track_caller]
    fn refused_if(change: impl FnOnce(&mut Manifest), why: &str) {
        let mut scene = Scene::new();
        change(&mut scene.offer);
        scene.site.offer(&scene.key, &scene.offer);
        scene.refused_before_the_download(&[], why);
    }
}

#[test]
fn nothing_that_another_key_has_signed() {
    let scene = Scene::new();
    scene.site.offer(&new_key(), &scene.offer);
    scene.refused_before_the_download(&[], "is not signed by the key that is trusted");
}

#[test]
fn no_manifest_that_was_changed_and_none_without_a_signature() {
    let scene = Scene::new();
    let bytes = serde_json::to_vec_pretty(&scene.offer).unwrap();
    let changed = String::from_utf8(bytes.clone()).unwrap().replace(V2, "0.2.1");
    let name = format!("{}.json", target());
    scene.site.set(&name, file(changed));
    scene.refused_before_the_download(&[], "is not signed by the key that is trusted");
    scene.site.set(&name, file(bytes.clone()));
    scene.site.set(&format!("{name}.minisig"), file("none"));
    scene.refused_before_the_download(&[], "is not signed by the key that is trusted");
    // One that is too long is not read to its end.
    scene.site.set(&name, file(vec![b' '; 1 << 20]));
    scene.refused_before_the_download(&[], "has more than 16384 bytes");
}

#[test]
fn no_release_with_a_changed_byte() {
    let scene = Scene::new();
    let mut bytes = fs::read(v2()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    scene.site.set(&scene.offer.file, file(bytes));
    scene.refused(&[], "is not what was signed");
}

#[test]
fn nothing_older_nothing_expired_and_nothing_for_another() {
    Scene::refused_if(|it| it.version = "0.0.9".parse().unwrap(), "is older than 0.1.0");
    Scene::refused_if(|it| it.version = V1.parse().unwrap(), "it is the version that runs");
    Scene::refused_if(|it| it.version = "0.2.0-rc.1".parse().unwrap(), "it is a pre-release");
    Scene::refused_if(|it| it.expires = now() - 1, "it has expired");
    Scene::refused_if(|it| it.target = "pdp11-unix".into(), "for pdp11-unix");
    Scene::refused_if(|it| it.program = "other".into(), "it is other for");
}

#[test]
fn nothing_older_that_comes_again_after_something_newer() {
    let scene = Scene::new();
    let address = scene.site.start();
    let running = scene.home.start(address, &["--every", "100ms"]);
    running.wait_for("0.2.0 serves from here on", 1);
    // Signed by the right key, not expired, and newer than the first one was.
    let mut replayed = scene.offer.clone();
    replayed.version = "0.1.5".parse().unwrap();
    scene.site.offer(&scene.key, &replayed);
    running.wait_for("0.1.5 is older than 0.2.0, which is known", 1);
    scene.home.assert_is(&v2());
    // Also for the next start.
    drop(running);
    let running = scene.home.start(address, &[]);
    running.wait_for("0.1.5 is older than 0.2.0, which is known", 1);
    assert_eq!(running.echo("hello"), "HELLO");
}

#[test]
fn nothing_longer_or_shorter_than_signed_nothing_endless_and_nothing_that_drips() {
    let scene = Scene::new();
    let release = fs::read(v2()).unwrap();
    let name = scene.offer.file.clone();
    scene.site.set(&name, file([&release[..], b"x"].concat()));
    scene.refused(&[], "bytes, and ");
    scene.site.set(&name, file(&release[1..]));
    scene.refused(&[], "bytes, and ");
    // Without a length.
    let head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";
    let short = release[1..].to_vec();
    scene.site.set(&name, raw(move |to| to.write_all(head).and_then(|()| to.write_all(&short))));
    scene.refused(&[], "ends after");
    let endless = release.clone();
    scene.site.set(
        &name,
        raw(move |to| {
            to.write_all(head)?;
            loop {
                to.write_all(&endless)?;
            }
        }),
    );
    scene.refused(&[], "does not end after the");
    scene.site.set(
        &name,
        raw(move |to| {
            to.write_all(head)?;
            for byte in release.chunks(1) {
                to.write_all(byte)?;
                to.flush()?;
                thread::sleep(Duration::from_millis(50));
            }
            Ok(())
        }),
    );
    scene.refused(&["--within", "1s"], "timeout");
    // Nor a head that drips.
    scene.site.set(
        &name,
        raw(|to| {
            loop {
                to.write_all(b"H")?;
                thread::sleep(Duration::from_millis(50));
            }
        }),
    );
    scene.refused(&["--within", "1s"], "no update: ");
}

#[test]
fn nothing_larger_than_the_limit_or_than_the_disk() {
    Scene::refused_if(|it| it.size = 1 << 30, "beyond --largest");
    let mut scene = Scene::new();
    // A petabyte.
    scene.offer.size = 1 << 50;
    scene.site.offer(&scene.key, &scene.offer);
    let largest = (1_u64 << 50).to_string();
    // A program of 32 bits takes no such limit, and Windows does not say how much is free.
    if cfg!(all(unix, target_pointer_width = "64")) {
        scene.refused_before_the_download(&["--largest", &largest], "bytes, and ");
    }
}

#[test]
fn nothing_that_does_not_start_or_is_another_version_than_signed() {
    let scene = Scene::new();
    let manifest = common::manifest(V2, b"no program at all");
    scene.site.set(&manifest.file, file("no program at all"));
    scene.site.offer(&scene.key, &manifest);
    scene.refused(&[], "no update: ");
    // The first one under the number of the second.
    scene.site.publish(&scene.key, V2, &v1());
    scene.refused(&[], "it says of itself");
}

#[test]
fn nothing_by_the_old_key_once_there_is_a_next_one() {
    let mut scene = Scene::new();
    let next = new_key();
    scene.offer.next_key = Some(public(&next));
    scene.site.offer(&scene.key, &scene.offer);
    let address = scene.site.start();
    let running = scene.home.start(address, &["--every", "100ms"]);
    running.wait_for("0.2.0 serves from here on", 1);
    // It is still offered, signed by the key of before, and no complaint.
    running.wait_for("it is the version that runs", 1);
    // What the old key signs from here on counts for nothing, and no other key neither.
    let mut newer = common::manifest("0.4.0", &fs::read(v2()).unwrap());
    newer.file = scene.offer.file.clone();
    let before = running.told().matches("is not signed by the key").count();
    assert_eq!(before, 0);
    scene.site.offer(&scene.key, &newer);
    running.wait_for("is not signed by the key that is trusted", 1);
    // The first key is still in the file that the program is started with.
    drop(running);
    let running = scene.home.start(address, &["--every", "100ms"]);
    running.wait_for("is not signed by the key that is trusted", 1);
    // The next key is believed.
    scene.site.offer(&next, &newer);
    running.wait_for("0.4.0 is there, and wanted", 1);
}

#[test]
fn no_signature_of_something_else() {
    // Every byte is by the right key, but not about this.
    let scene = Scene::new();
    let name = format!("{}.json.minisig", target());
    scene.site.set(&name, file(sign(&scene.key, &fs::read(v2()).unwrap())));
    scene.refused_before_the_download(&[], "is not signed by the key that is trusted");
}

#[test]
fn what_cannot_be_reached_or_is_not_there_is_told() {
    let scene = Scene::new();
    scene
        .site
        .set(&scene.offer.file, raw(|to| to.write_all(b"HTTP/1.1 302 F\r\nLocation: /x\r\n\r\n")));
    scene.site.set("x", raw(|to| to.write_all(b"HTTP/1.1 302 F\r\nLocation: /x\r\n\r\n")));
    scene.refused(&[], "redirects does not end");
    let running = scene.home.start(([127, 0, 0, 1], 1).into(), &[]);
    running.wait_for("no update: ", 1);
    assert_eq!(running.echo("hello"), "hello");
}

#[test]
fn what_releases_to_take_without_a_place_to_look_for_them_is_wrong_usage() {
    for option in
        ["--pre-releases", "--every=1m", "--within=1m", "--ready-within=1m", "--largest=1m"]
    {
        let mut command = Command::new(v1());
        command.args(["server", "--port", "0", "--accept-timeout", "100ms", option]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{option}: {output:?}");
    }
}
