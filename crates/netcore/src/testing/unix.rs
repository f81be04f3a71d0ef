//! The promises over UNIX sockets, each with a file of its own.

use std::env;
use std::io;
use std::net::Shutdown as Side;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::GENEROUS;
use super::transport::{Stream, Transport, exchange_over};
use crate::unix::{self, Listener, Name, Peer};

/// For the test and its server alone.
const MODE: u32 = 0o600;

/// UNIX sockets.
#[derive(Debug, Clone)]
pub struct Unix;

impl Transport for Unix {
    type Listener = Listener;
    type Address = PathBuf;
    type Stream = UnixStream;

    fn listen() -> Listener {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        // Short enough for a socket.
        let path = env::temp_dir().join(format!("netcore-{}-{number}", process::id()));
        unix::listen(&path, MODE).expect("the name is free")
    }

    fn address(listener: &Listener) -> PathBuf {
        listener.path().into()
    }

    /// A system that keeps for each end what it has sent has nothing to be told.
    fn limit_room(_: &Listener) {}

    fn connect(path: &PathBuf) -> io::Result<UnixStream> {
        let socket = unix::connect_socket(path, GENEROUS, Name::Own)?;
        Ok(OwnedFd::from(socket).into())
    }

    fn connect_with_little_room(path: &PathBuf) -> io::Result<UnixStream> {
        Unix::connect(path)
    }

    fn exchange(path: &PathBuf, messages: &[&[u8]]) -> io::Result<Vec<Vec<u8>>> {
        exchange_over(Unix::connect(path)?, messages)
    }
}

impl Stream for UnixStream {
    fn set_timeouts(&self, read: Duration, write: Duration) -> io::Result<()> {
        self.set_read_timeout(Some(read))?;
        self.set_write_timeout(Some(write))
    }

    fn again(&self) -> io::Result<UnixStream> {
        self.try_clone()
    }

    fn shutdown(&self, side: Side) -> io::Result<()> {
        UnixStream::shutdown(self, side)
    }

    /// A close is one wherever something has not been read; nothing else makes it one.
    fn reset_at_end(&self) -> io::Result<()> {
        Ok(())
    }

    fn name(&self) -> io::Result<String> {
        Ok(Peer::ourselves(self)?.to_string())
    }
}
