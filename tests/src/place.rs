//! Where a server of a test listens: a port that the system chooses, or a file of the
//! test's own.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use ladder::Address;

use crate::ladder::Rung;
use crate::peer::lasting_port;

/// The file of a socket, and its lock. A server that is killed leaves them behind: they
/// are removed when this is dropped.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl SocketFile {
    /// That of this address, where it has one.
    pub fn of(address: &Address) -> Option<SocketFile> {
        match address {
            Address::Inet(_) => None,
            Address::Unix(path) => Some(SocketFile(path.clone())),
        }
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let lock = format!("{}.lock", self.0.display());
        // A server that has ended has removed both.
        let _ = (fs::remove_file(&self.0), fs::remove_file(lock));
    }
}

impl Rung {
    /// Where its server can listen: whatever is free, and nobody else is told.
    pub fn free_address(&self) -> Address {
        if self.is_on_a_port() { Address::port(0) } else { fresh_file() }
    }

    /// The same, and nobody listens there when it has ended: no other test is handed it.
    pub fn lasting_address(&self) -> Address {
        if self.is_on_a_port() { Address::port(lasting_port()) } else { fresh_file() }
    }
}

/// A name that nothing has, short enough for a socket.
fn fresh_file() -> Address {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let name = format!("netladder-{}-{number}.sock", process::id());
    Address::Unix(env::temp_dir().join(name))
}
