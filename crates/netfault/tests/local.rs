//! Faults of UNIX sockets against a server in the test's own process.
#![cfg(unix)]

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixListener;
use std::thread;
use std::time::Duration;

use netfault::{Address, Speaks, Target};

/// Ends a test that would otherwise hang; no correct run comes near it.
const GENEROUS: Duration = Duration::from_secs(30);

/// There, a close is a reset only where something has been left unread.
#[test]
fn a_client_that_breaks_off_resets_the_connection_of_a_file_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let fault = thread::spawn(move || {
        let target = Target::new(Address::Unix(path), Speaks::Local, b"hello");
        netfault::find("reset-midway").unwrap().start(&target).unwrap()
    });
    let (mut stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(GENEROUS)).unwrap();
    let mut half = [0; 2];
    stream.read_exact(&mut half).unwrap();
    stream.write_all(&half).unwrap();
    drop(fault.join().unwrap());
    assert_eq!(stream.read(&mut half).unwrap_err().kind(), ErrorKind::ConnectionReset);
}
