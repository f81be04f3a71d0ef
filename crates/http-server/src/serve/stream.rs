//! A client's connection: its socket, and between it and us the encryption, where there
//! is one.

use std::fs::File;
use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown as Side, TcpStream};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use httpcore::stream::{Socket, Stream};
use netcore::connection::has_taken_all;
use netcore::deadline::Deadline;
use netcore::wait::{self, Interest};

use super::tls::Session;

/// One client's connection. Every read ends at the deadline that was set last.
#[derive(Debug)]
pub struct ClientStream {
    socket: Socket,
    session: Option<Session>,
}

impl ClientStream {
    /// A connection in the clear. A client that takes nothing for `write_limit` ends
    /// it.
    ///
    /// # Errors
    /// When the socket does not take the limit.
    pub fn new(socket: Arc<TcpStream>, write_limit: Duration) -> io::Result<ClientStream> {
        Ok(ClientStream { socket: Socket::new(socket, write_limit)?, session: None })
    }

    /// The same with encryption.
    pub fn with_session(self, session: Option<Session>) -> ClientStream {
        ClientStream { session, ..self }
    }

    /// Says that nothing more will be sent. What the client still sends can be read.
    ///
    /// # Errors
    /// When the client has gone already.
    pub fn end_writing(&mut self) -> io::Result<()> {
        if let Some(session) = &mut self.session {
            session.end(&mut self.socket)?;
        }
        self.socket.get_ref().shutdown(Side::Write)
    }

    /// Whether the client has taken all that was sent. The connection is written to no
    /// more then, but for the word at its end.
    pub fn has_taken_all(&self) -> bool {
        has_taken_all(self.socket.get_ref())
    }

    /// Waits until the client has, or the deadline has passed.
    pub fn wait_until_taken(&self, deadline: Deadline) {
        // Whatever comes of it, the connection ends.
        let _ = wait::ready(self.socket.get_ref(), Interest::Writing, None, deadline);
    }

    /// Ends the connection, with a word where the client expects one.
    pub fn end(&mut self) {
        if let Some(session) = &mut self.session {
            // Whoever has gone does not need to be told.
            let _ = session.end(&mut self.socket);
        }
    }
}

impl Stream for ClientStream {
    fn set_read_deadline(&mut self, deadline: Deadline) {
        self.socket.set_read_deadline(deadline);
    }

    fn write_with_more_to_come(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &self.session {
            Some(_) => self.write_all(bytes),
            None => self.socket.write_with_more_to_come(bytes),
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
        match &mut self.session {
            Some(session) => session.read(&mut self.socket, buf),
            None => self.socket.read(buf),
        }
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

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
