//! A client's connection: its socket, which never blocks, and between it and us the
//! encryption, where there is one.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown as Side;
use std::ops::Range;
use std::time::Duration;

use httpcore::stream::{Socket, Stream, Waits};
use mio::net::TcpStream;
use netcore::connection::has_taken_all;
use netcore::deadline::Deadline;
use netcore::shutdown::Shutdown;
use socket2::SockRef;

use super::tls::Session;

/// Events tell of a change, so a socket is read until it has nothing left. Where a read
/// that does not fill the buffer proves that, the call that would say WouldBlock is
/// saved. On Windows, mio reports the next change only after it.
const SHORT_READ_IS_LAST: bool = cfg!(not(windows));

/// One client's connection.
#[derive(Debug)]
pub struct ClientStream {
    socket: Socket<TcpStream>,
    session: Option<Session>,
    /// There is nothing to read until an event says so.
    drained: bool,
    /// The client has ended its side, and no event will say that again.
    peer_closed: bool,
}

impl ClientStream {
    /// A connection, with encryption or without. A client that takes nothing for
    /// `write_limit` ends it.
    pub fn new(
        socket: TcpStream,
        session: Option<Session>,
        write_limit: Duration,
        shutdown: &Shutdown,
    ) -> ClientStream {
        let mut socket = Socket::new(socket, write_limit).with_shutdown(shutdown);
        socket.set_waits(Waits::Elsewhere);
        ClientStream { socket, session, drained: false, peer_closed: false }
    }

    /// The socket, to be registered.
    pub fn socket(&mut self) -> &mut TcpStream {
        self.socket.get_mut()
    }

    /// Whether calls wait, from here on.
    pub fn set_waits(&mut self, waits: Waits) {
        self.socket.set_waits(waits);
    }

    /// An event has told that there is something to read, or the end of it.
    pub fn is_told(&mut self, peer_closed: bool) {
        self.drained = false;
        self.peer_closed |= peer_closed;
    }

    /// Whether a read would say that there is nothing yet.
    pub fn is_drained(&self) -> bool {
        self.drained
    }

    /// Whether there is no agreement on keys yet.
    pub fn is_handshaking(&self) -> bool {
        self.session.as_ref().is_some_and(Session::is_handshaking)
    }

    /// Makes as much of the handshake as can be made without a wait.
    ///
    /// # Errors
    /// `WouldBlock`, until it is made; that there is no agreement.
    pub fn handshake(&mut self) -> io::Result<()> {
        match &mut self.session {
            Some(session) => session.handshake(&mut self.socket),
            None => Ok(()),
        }
    }

    /// Waits for room to write, until `deadline`.
    ///
    /// # Errors
    /// `TimedOut`; what the system says of the wait.
    pub fn wait_for_room(&self, deadline: Deadline) -> io::Result<()> {
        self.socket.wait_for_room(deadline)
    }

    /// Whether the client has taken all that was sent. The connection is written to no
    /// more then, but for the word at its end.
    pub fn has_taken_all(&self) -> bool {
        has_taken_all(self.socket.get_ref())
    }

    /// Bytes that have come to the client, with those of the encryption; 0 where that is not
    /// known.
    pub fn acknowledged(&self) -> u64 {
        #[cfg(target_os = "linux")]
        {
            super::acknowledged::bytes(self.socket.get_ref())
        }
        #[cfg(not(target_os = "linux"))]
        {
            0
        }
    }

    /// Says that nothing more will be sent. What the client still sends can be read.
    ///
    /// # Errors
    /// When the client has gone already.
    pub fn end_writing(&mut self) -> io::Result<()> {
        self.end();
        self.socket.get_ref().shutdown(Side::Write)
    }

    /// Has the end of the connection be a reset, so that what was sent is not taken for all.
    pub fn reset(&self) {
        let _ = SockRef::from(self.socket.get_ref()).set_linger(Some(Duration::ZERO));
    }

    /// Ends the connection, with a word where the client expects one.
    pub fn end(&mut self) {
        if let Some(session) = &mut self.session {
            // Whoever has gone does not need to be told, nor who has no room for a word.
            let _ = session.end(&mut self.socket);
        }
    }
}

impl Stream for ClientStream {
    fn set_read_deadline(&mut self, deadline: Deadline) {
        self.socket.set_read_deadline(deadline);
    }

    fn write_before_more(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.session {
            Some(_) => self.write(bytes),
            None => self.socket.write_before_more(bytes),
        }
    }

    /// Encrypted bytes have to be copied.
    fn send_file(&mut self, file: &File, slice: Range<u64>) -> io::Result<u64> {
        match &self.session {
            Some(_) => Err(ErrorKind::Unsupported.into()),
            None => self.socket.send_file(file, slice),
        }
    }
}

impl Read for ClientStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let done = match &mut self.session {
            Some(session) => session.read(&mut self.socket, buf),
            None => self.socket.read(buf),
        };
        self.drained = match &done {
            Ok(n) => {
                let short = *n > 0 && *n < buf.len() && self.session.is_none();
                SHORT_READ_IS_LAST && short && !self.peer_closed
            }
            Err(error) => error.kind() == ErrorKind::WouldBlock,
        };
        done
    }
}

impl Write for ClientStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(buf)])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match &mut self.session {
            Some(session) => session.write(&mut self.socket, bufs),
            None => self.socket.write_vectored(bufs),
        }
    }

    /// Encrypted bytes may still be with us.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.session {
            Some(session) => session.send(&mut self.socket),
            None => Ok(()),
        }
    }
}
