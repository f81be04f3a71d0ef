//! A connection of the load: its socket, and in between the encryption, where there is
//! some.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::Shutdown;
use std::path::PathBuf;

use clap::Args;
use mio::net::TcpStream;
use netcore::Error;
use netcore::cli::folder;
use netcore::tls::{ClientSide, Folder, Session};

/// The name that the server's certificate has to be for.
const HOST: &str = "localhost";

/// Whether the load is encrypted.
#[derive(Debug, Clone, Args)]
pub struct TlsArgs {
    /// Speak TLS, and believe in the authority of this folder
    #[arg(long, value_name = "DIR", value_parser = folder())]
    pub tls: Option<PathBuf>,
    /// Begin each connection with a whole handshake, as somebody who comes for the first
    /// time
    #[arg(long, requires = "tls")]
    pub full: bool,
}

impl TlsArgs {
    /// What a connection is wrapped in.
    ///
    /// # Errors
    /// When the folder has no authority.
    pub fn side(&self) -> Result<Option<ClientSide>, Error> {
        let side = self.tls.as_ref().map(|path| ClientSide::from_folder(&Folder::at(path)));
        Ok(side.transpose()?.map(|side| if self.full { side.forgetful() } else { side }))
    }
}

/// A connection that never waits.
#[derive(Debug)]
pub struct Wire {
    socket: TcpStream,
    session: Option<Box<Session>>,
}

impl Wire {
    /// Wraps a connection. The handshake comes with what is read and written.
    ///
    /// # Errors
    /// When rustls does not like the settings.
    pub fn new(socket: TcpStream, tls: Option<&ClientSide>) -> io::Result<Wire> {
        let session = tls.map(|tls| tls.session(HOST).map(Box::new)).transpose()?;
        Ok(Wire { socket, session })
    }

    /// The socket itself.
    pub fn socket(&mut self) -> &mut TcpStream {
        &mut self.socket
    }

    /// Whether a read that does not fill its buffer may have left something behind.
    pub fn is_encrypted(&self) -> bool {
        self.session.is_some()
    }

    /// Ends the sending.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn half_close(&mut self) -> io::Result<()> {
        match &mut self.session {
            Some(session) => later(session.end(&mut self.socket)),
            None => self.socket.shutdown(Shutdown::Write),
        }
    }

    /// Sends what is encrypted and has found no room so far.
    ///
    /// # Errors
    /// As [`Write::write`].
    pub fn push(&mut self) -> io::Result<()> {
        match &mut self.session {
            Some(session) => later(session.send(&mut self.socket)),
            None => Ok(()),
        }
    }
}

/// What finds no room now is sent with what comes next.
fn later(sent: io::Result<()>) -> io::Result<()> {
    match sent {
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(()),
        sent => sent,
    }
}

impl Read for Wire {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match &mut self.session {
            Some(session) => session.read(&mut self.socket, buf),
            None => self.socket.read(buf),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let Some(session) = &mut self.session else { return self.socket.write(buf) };
        session.send(&mut self.socket)?;
        let n = session.keep(&[IoSlice::new(buf)])?;
        later(session.send(&mut self.socket))?;
        // Before the handshake, only so much is kept.
        if n == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(n) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.push()
    }
}

impl Drop for Wire {
    /// Says goodbye, as every client does.
    fn drop(&mut self) {
        if let Some(session) = &mut self.session {
            let _ = session.end(&mut self.socket);
        }
    }
}
