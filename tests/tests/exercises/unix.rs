//! unix-echo.

use std::fs;
#[cfg(target_os = "linux")]
use std::io::Read;
#[cfg(target_os = "linux")]
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
#[cfg(target_os = "linux")]
use std::process::Command;

use ladder_tests::{Address, Server, rung};

#[test]
fn a_name_that_is_removed_ends_no_connection_and_lets_nobody_in() {
    let server = Server::start(rung("unix-echo"), &["-v"]);
    let mut client = server.connect();
    client.exchange(b"before", b"before");
    let Address::Unix(path) = &server.address else { panic!("it listens on a file") };
    fs::remove_file(path).unwrap();
    client.exchange(b"after", b"after");
    assert!(UnixStream::connect(path).is_err());
}

/// Other systems tell the user, and no process.
#[cfg(target_os = "linux")]
#[test]
fn a_connection_is_of_the_process_that_made_it_whoever_talks() {
    let server = Server::start(rung("unix-echo"), &["-v"]);
    let Address::Unix(path) = &server.address else { panic!("it listens on a file") };
    let mut ours = UnixStream::connect(path).unwrap();
    let child = OwnedFd::from(ours.try_clone().unwrap());
    let mut child = Command::new("sh").args(["-c", "printf hello"]).stdout(child).spawn().unwrap();
    child.wait().unwrap();
    ours.read_exact(&mut [0; 5]).unwrap();
    server.expect_log(&[&format!("pid={} received", std::process::id())]);
}
