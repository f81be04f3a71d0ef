//! What a stop wakes a wait with: a socket that poll(2) takes beside the others.

use std::io;
#[cfg(unix)]
use std::io::Write;

#[cfg(unix)]
pub type WakeSocket = std::os::unix::net::UnixStream;

/// WSAPoll takes sockets only, and Windows has no socket pair.
#[cfg(windows)]
pub type WakeSocket = std::net::UdpSocket;

/// A socket that becomes readable at a stop and stays so: one byte that nobody reads
/// wakes every thread.
#[derive(Debug)]
pub(crate) struct Waker {
    reader: WakeSocket,
    #[cfg(unix)]
    writer: WakeSocket,
}

impl Waker {
    /// The end to wait for.
    pub(crate) fn socket(&self) -> &WakeSocket {
        &self.reader
    }
}

#[cfg(unix)]
impl Waker {
    pub(crate) fn new() -> io::Result<Waker> {
        let (reader, writer) = WakeSocket::pair()?;
        Ok(Waker { reader, writer })
    }

    pub(crate) fn wake(&self) {
        // The buffer of a socket pair has room for this byte, the only one that is ever
        // written.
        let _ = (&self.writer).write_all(&[1]);
    }
}

#[cfg(windows)]
impl Waker {
    pub(crate) fn new() -> io::Result<Waker> {
        let reader = WakeSocket::bind(("127.0.0.1", 0))?;
        // Connected to itself, it takes datagrams from nobody else.
        reader.connect(reader.local_addr()?)?;
        Ok(Waker { reader })
    }

    pub(crate) fn wake(&self) {
        let _ = self.reader.send(&[1]);
    }
}
