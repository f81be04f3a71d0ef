//! What an update keeps of the program: who may run it, whose it is, and how it is reached.
#![cfg(unix)]

mod common;

use std::fs::{self, Permissions};
#[cfg(target_os = "linux")]
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::process::Command;
#[cfg(target_os = "linux")]
use std::process::Stdio;

use common::program::{Home, Running};
use common::site::Site;
use common::{V1, V2, new_key, public, v1, v2};

/// A user who owns nothing, and a number that is nobody's here.
const NOBODY: u32 = 65534;

fn we_are_root() -> bool {
    // Whatever a new file of ours is like.
    tempfile::tempfile().unwrap().metadata().unwrap().uid() == 0
}

#[test]
fn mode_and_owner_are_those_of_the_old_program() {
    let (key, site) = (new_key(), Site::default());
    site.publish(&key, V2, &v2());
    let home = Home::with_a_copy(&key);
    if we_are_root() {
        chown(&home.program, Some(NOBODY), Some(NOBODY)).unwrap();
    }
    fs::set_permissions(&home.program, Permissions::from_mode(0o2751)).unwrap();
    let before = fs::metadata(&home.program).unwrap();
    let running = home.start(site.start(), &[]);
    running.wait_for("0.2.0 serves from here on", 1);
    home.assert_is(&v2());
    let after = fs::metadata(&home.program).unwrap();
    assert_eq!(after.mode(), before.mode(), "{:o}", after.mode());
    assert_eq!((after.uid(), after.gid()), (before.uid(), before.gid()));
    assert_eq!(fs::metadata(home.beside("old")).unwrap().ino(), before.ino());
}

#[test]
fn what_is_downloaded_is_nobody_elses_until_it_is_verified() {
    let (key, site) = (new_key(), Site::default());
    let manifest = site.publish(&key, V2, &v2());
    let home = Home::new(&key);
    let new = home.beside("new");
    // Asked for, so the file is there; and not there yet, so nothing is verified.
    let (seen, sees) = std::sync::mpsc::channel();
    let look = new.clone();
    site.set(
        &manifest.file,
        common::site::raw(move |_| {
            seen.send(fs::metadata(&look).map(|found| found.mode() & 0o7777)).unwrap();
            Ok(())
        }),
    );
    let _running = home.start(site.start(), &[]);
    assert_eq!(sees.recv_timeout(common::GENEROUS).unwrap().unwrap(), 0o600);
}

#[test]
fn nothing_is_written_through_a_link_that_somebody_has_put_in_the_way() {
    let (key, site) = (new_key(), Site::default());
    let home = Home::new(&key);
    fs::write(home.path("precious"), "precious").unwrap();
    for ending in ["lock", "state.new"] {
        symlink(home.path("precious"), home.beside(ending)).unwrap();
    }
    let running = home.start(site.start(), &["--every", "100ms"]);
    running.wait_for("no update", 1);
    symlink(home.path("precious"), home.beside("new")).unwrap();
    site.publish(&key, V2, &v2());
    running.wait_for("0.2.0 serves from here on", 1);
    assert_eq!(fs::read_to_string(home.path("precious")).unwrap(), "precious");
}

#[test]
fn a_symbolic_link_to_the_program_stays_one() {
    let (key, site) = (new_key(), Site::default());
    site.publish(&key, V2, &v2());
    let mut home = Home::new(&key);
    let (program, link) = (home.program.clone(), home.path("link"));
    symlink(&program, &link).unwrap();
    home.program = link.clone();
    let running = home.start(site.start(), &[]);
    running.wait_for("0.2.0 serves from here on", 1);
    assert_eq!(fs::read_link(&link).unwrap(), program);
    home.assert_is(&v2());
    drop(running);
    assert_eq!(home.start(site.start(), &[]).echo("hello"), "HELLO");
}

#[test]
fn in_a_folder_that_cannot_be_written_to_it_serves_and_tells_before_anything_is_asked_for() {
    let (key, site) = (new_key(), Site::default());
    site.publish(&key, V2, &v2());
    // Where another user gets to as well.
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    let (program, file) = (folder.path().join("server"), folder.path().join("key.pub"));
    assert!(Command::new("cp").args([&v1(), &program]).status().unwrap().success());
    fs::write(&file, public(&key)).unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o555)).unwrap();
    let mut command = Command::new(&program);
    command.args(["server", "--port", "0", "--from", &format!("http://{}", site.start()), "--key"]);
    command.arg(&file).env_remove("RUST_LOG");
    if we_are_root() {
        // Nothing forbids root anything.
        command.uid(NOBODY).gid(NOBODY);
    }
    let running = Running::start(&mut command);
    running.wait_for("server.lock: permission denied", 2);
    assert_eq!(running.echo("hello"), "hello");
    assert!(site.asked().is_empty(), "{:?}", site.asked());
    drop(running);
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
}

/// Whatever it was that was cut off, and cannot be brought to its end.
#[test]
fn what_cannot_be_noted_or_put_back_keeps_nobody_from_being_served() {
    let (key, site) = (new_key(), Site::default());
    let address = site.start();
    for (tried, failed, told) in [
        (V2, "null", "server.state.new: "),
        (V1, "null", "server.state.new: "),
        (V1, "\"0.1.0\"", "server.old: "),
    ] {
        let home = Home::new(&key);
        let trial = format!(r#"{{"version":"{tried}","next_key":null,"manifest":""}}"#);
        let state = format!(
            r#"{{"installed":"0.0.1","seen":"{tried}","trial":{trial},"failed":{failed},
            "key":null,"known":null}}"#
        );
        fs::write(home.beside("state"), state).unwrap();
        // As on a disk that is full.
        fs::create_dir(home.beside("state.new")).unwrap();
        let running = home.start(address, &["--every", "10m"]);
        assert_eq!(running.echo("hello"), "hello");
        running.wait_for(told, 1);
        home.assert_is(&v1());
    }
}

/// With its name, by which a person finds it.
#[test]
fn what_is_in_the_way_is_told_and_the_program_stays() {
    let (key, site) = (new_key(), Site::default());
    site.publish(&key, V2, &v2());
    for ending in ["new", "old"] {
        let home = Home::new(&key);
        fs::create_dir(home.beside(ending)).unwrap();
        let running = home.start(site.start(), &["--every", "100ms"]);
        running.wait_for(&format!("no update: {}: ", home.beside(ending).display()), 1);
        assert_eq!(running.echo("hello"), "hello");
        home.assert_is(&v1());
    }
}

/// Of a start with so few that it fails, and with more and more until it does not.
#[cfg(target_os = "linux")]
#[test]
fn a_lack_of_threads_is_told_and_is_no_panic() {
    if !we_are_root() {
        return eprintln!("skipped: another user's threads can be counted by root only");
    }
    let key = new_key();
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o777)).unwrap();
    let (program, file) = (folder.path().join("server"), folder.path().join("key.pub"));
    assert!(Command::new("cp").args([&v1(), &program]).status().unwrap().success());
    fs::write(&file, public(&key)).unwrap();
    let site = format!("http://{}", Site::default().start());
    for threads in 1..100 {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nproc={threads}")).arg(&program);
        command.args(["server", "--port", "0", "--from", &site, "--key"]).arg(&file);
        // Counted for this user alone, whatever else runs.
        command.uid(NOBODY - 1).gid(NOBODY - 1).env_remove("RUST_LOG");
        let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
            return eprintln!("skipped: no prlimit(1) here");
        };
        let mut ready = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        let _ = child.kill();
        let code = child.wait().unwrap().code();
        if !ready.is_empty() {
            return;
        }
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(code == Some(1) || code.is_none(), "{threads}: {code:?} {told}");
        assert!(!told.contains("panicked"), "{threads}: {told}");
    }
    panic!("a hundred threads are not enough");
}

/// The system's own certificates can be replaced by a file there.
#[cfg(target_os = "linux")]
#[test]
fn an_encrypted_place_is_believed_if_it_proves_itself_and_leads_to_no_open_one() {
    use common::site::raw;
    use netcore::tls::Folder;

    let (key, site) = (new_key(), Site::default());
    let manifest = site.publish(&key, V2, &v2());
    let home = Home::new(&key);
    let certs = home.path("certs");
    Folder::at(&certs).make(&[]).unwrap();
    let (open, encrypted) = (site.start(), site.start_tls(&certs));
    let releases = format!("https://{encrypted}");
    // Nobody vouches for it.
    let running = Running::start(&mut home.command_from(&releases, &[]));
    running.wait_for("no update: ", 1);
    assert!(site.asked().is_empty(), "{:?}", site.asked());
    drop(running);
    let lead = format!("HTTP/1.1 302 Found\r\nLocation: http://{open}/elsewhere\r\n\r\n");
    site.set("elsewhere", common::site::file(fs::read(v2()).unwrap()));
    site.set(&manifest.file, raw(move |to| to.write_all(lead.as_bytes())));
    let mut command = home.command_from(&releases, &[]);
    command.env("SSL_CERT_FILE", certs.join("authority.pem"));
    let running = Running::start(&mut command);
    running.wait_for("a redirect leads from an encrypted place to an open one", 1);
    home.assert_is(&v1());
    assert!(!site.asked().contains(&"elsewhere".to_string()));
    drop(running);
    // To another encrypted place it may lead.
    let lead = format!("HTTP/1.1 302 Found\r\nLocation: https://{encrypted}/elsewhere\r\n\r\n");
    site.set(&manifest.file, raw(move |to| to.write_all(lead.as_bytes())));
    let mut command = home.command_from(&releases, &[]);
    command.env("SSL_CERT_FILE", certs.join("authority.pem"));
    let running = Running::start(&mut command);
    running.wait_for("0.2.0 serves from here on", 1);
    home.assert_is(&v2());
}
