//! TLS: the same requests and responses, encrypted ([RFC 8446](https://www.rfc-editor.org/rfc/rfc8446)).
//! [`netcore::tls`] does the work; what is here says what HTTP wants of it.
//!
//! Needs the feature `tls`. Without it, there are the same types in `no_tls.rs`, and
//! none of them can be made.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::path::Path;

use netcore::Error;
use netcore::tls::{self, ServerSide};

/// What is spoken inside (RFC 7301). A client that wants HTTP/2 as well takes it.
const PROTOCOL: &[u8] = b"http/1.1";

/// For whoever typed `http://` where `https://` was meant.
const PLAIN_REFUSAL: &str = "400: this port speaks TLS; the address begins with https://\n";

/// A certificate with its key: what a server shows for itself.
#[derive(Debug, Clone)]
pub struct Tls(ServerSide);

impl Tls {
    /// A certificate made now, for these names and addresses, and held in memory only.
    /// Nobody vouches for it: browsers warn, and `curl` wants `-k`.
    ///
    /// # Errors
    /// When a name is none.
    pub fn self_signed(names: Vec<String>) -> Result<Tls, Error> {
        ServerSide::made_for(names).map(Tls::of)
    }

    /// A certificate with those that vouch for it, and its key, from files as
    /// certificate authorities give them out (PEM, RFC 7468).
    ///
    /// # Errors
    /// When a file cannot be read, or they do not belong together.
    pub fn from_pem(certificates: &Path, key: &Path) -> Result<Tls, Error> {
        ServerSide::from_pem(certificates, key).map(Tls::of)
    }

    fn of(side: ServerSide) -> Tls {
        // Without TLS, since that is what they speak.
        let refusal = format!(
            "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{PLAIN_REFUSAL}",
            PLAIN_REFUSAL.len()
        );
        Tls(side.speaking(PROTOCOL, refusal.as_bytes()))
    }

    /// The certificate itself (DER), for a client that is to trust it.
    pub fn certificate(&self) -> &[u8] {
        self.0.certificate()
    }

    /// The server's side of a new connection.
    pub fn session(&self) -> io::Result<Session> {
        self.0.session().map(|session| Session { session, agreed: false })
    }
}

/// One connection's encryption. The handshake comes with the first read.
#[derive(Debug)]
pub struct Session {
    session: tls::Session,
    agreed: bool,
}

impl Session {
    pub fn is_handshaking(&self) -> bool {
        !self.agreed
    }

    pub fn handshake(&mut self, socket: &mut (impl Read + Write)) -> io::Result<()> {
        self.session.handshake(socket)?;
        self.agreed = true;
        Ok(())
    }

    pub fn read(&mut self, socket: &mut (impl Read + Write), buf: &mut [u8]) -> io::Result<usize> {
        match self.session.read(socket, buf) {
            // Many clients leave without a word. A request that is cut off has no end, so that
            // this is no danger to it (RFC 9112 section 9.8).
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(0),
            done => done,
        }
    }

    /// What it takes is encrypted when this returns, and sent as far as there is room: the
    /// next call sends the rest of it first.
    pub fn write(&mut self, socket: &mut impl Write, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        self.session.send(socket)?;
        let n = self.session.keep(parts)?;
        match self.session.send(socket) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Err(error),
            _ => Ok(n),
        }
    }

    /// Sends what is left of what was taken.
    pub fn send(&mut self, socket: &mut impl Write) -> io::Result<()> {
        self.session.send(socket)
    }

    /// Says that nothing more will come, so that the client knows that nobody cut it
    /// off (RFC 8446 section 6.1).
    pub fn end(&mut self, socket: &mut impl Write) -> io::Result<()> {
        self.session.end(socket)
    }
}
