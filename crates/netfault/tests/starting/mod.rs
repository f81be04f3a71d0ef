//! A fault that plays in a thread beside the test, which is its server.

use std::net::SocketAddr;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use netfault::{Running, Speaks, Target};

/// Ends a test that would otherwise hang; no correct run comes near it.
pub const GENEROUS: Duration = Duration::from_secs(30);

pub const HELLO: &[u8] = b"hello";

/// A fault that begins with a conversation needs its server beside it.
pub fn start(name: &'static str, address: SocketAddr, speaks: Speaks) -> JoinHandle<Running> {
    thread::spawn(move || {
        let fault = netfault::find(name).unwrap();
        fault.start(&Target::new(address, speaks, HELLO)).unwrap()
    })
}
