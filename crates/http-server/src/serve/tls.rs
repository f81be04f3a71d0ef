//! TLS: the same requests and responses, encrypted ([RFC 8446](https://www.rfc-editor.org/rfc/rfc8446)). rustls does
//! the work; what is here joins it to a blocking socket with a deadline.
//!
//! Needs the feature `tls`. Without it, there are the same types in `no_tls.rs`, and
//! none of them can be made.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::path::Path;
use std::sync::Arc;

use netcore::Error;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{InvalidMessage, ServerConfig, ServerConnection};

use httpcore::stream::Socket;

/// What is spoken inside (RFC 7301). A client that wants HTTP/2 as well takes it.
const PROTOCOL: &[u8] = b"http/1.1";

/// For whoever typed `http://` where `https://` was meant.
const PLAIN_REFUSAL: &str = "400: this port speaks TLS; the address begins with https://\n";

/// A certificate with its key: what a server shows for itself.
#[derive(Debug, Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
}

impl Tls {
    /// A certificate made now, for these names and addresses, and held in memory only.
    /// Nobody vouches for it: browsers warn, and `curl` wants `-k`.
    ///
    /// # Errors
    /// When a name is none.
    pub fn self_signed(names: Vec<String>) -> Result<Tls, Error> {
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| Error::failed("make a certificate")(io::Error::other(error)))?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        Tls::new(vec![made.cert.der().clone()], key.into())
    }

    /// A certificate with those that vouch for it, and its key, from files as
    /// certificate authorities give them out (PEM, RFC 7468).
    ///
    /// # Errors
    /// When a file cannot be read, or they do not belong together.
    pub fn from_pem(certificates: &Path, key: &Path) -> Result<Tls, Error> {
        let read = |path: &Path| Error::failed(format!("read {}", path.display()));
        let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(certificates)
            .and_then(|certificates| certificates.collect());
        let chain = chain.map_err(|error| read(certificates)(io::Error::other(error)))?;
        let key = PrivateKeyDer::from_pem_file(key)
            .map_err(|error| read(key)(io::Error::other(error)))?;
        Tls::new(chain, key)
    }

    fn new(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>) -> Result<Tls, Error> {
        let unusable = || Error::failed("use this certificate");
        let Some(certificate) = chain.first().cloned() else {
            return Err(unusable()(io::Error::new(ErrorKind::InvalidData, "the file has none")));
        };
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
        let mut config = config.map_err(|error| unusable()(io::Error::other(error)))?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        Ok(Tls { config: Arc::new(config), certificate })
    }

    /// The certificate itself (DER), for a client that is to trust it.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// The server's side of a new connection.
    pub fn session(&self) -> io::Result<Session> {
        let connection = ServerConnection::new(self.config.clone()).map_err(io::Error::other)?;
        Ok(Session { connection })
    }
}

/// One connection's encryption. The handshake comes with the first read.
#[derive(Debug)]
pub struct Session {
    connection: ServerConnection,
}

impl Session {
    pub fn read(&mut self, socket: &mut Socket, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.connection.reader().read(buf) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.receive(socket)?,
                // Many clients leave without a word. A request that is cut off has no end, so that
                // this is no danger to it (RFC 9112 section 9.8).
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                done => return done,
            }
        }
    }

    fn receive(&mut self, socket: &mut Socket) -> io::Result<()> {
        self.connection.read_tls(socket)?;
        let Err(error) = self.connection.process_new_packets() else { return self.send(socket) };
        let is_plain =
            matches!(error, rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType));
        if is_plain && self.connection.is_handshaking() {
            // Without TLS, since that is what they speak.
            let length = PLAIN_REFUSAL.len();
            let head = format!(
                "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n\
                 Content-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            socket.write_all([head.as_str(), PLAIN_REFUSAL].concat().as_bytes())?;
        } else {
            // Tells the client why, if it still listens.
            let _ = self.send(socket);
        }
        Err(io::Error::new(ErrorKind::InvalidData, error))
    }

    fn send(&mut self, socket: &mut Socket) -> io::Result<()> {
        while self.connection.wants_write() {
            match self.connection.write_tls(socket) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// What it takes has been handed over when this returns.
    pub fn write(&mut self, socket: &mut Socket, parts: &[IoSlice<'_>]) -> io::Result<usize> {
        let n = self.connection.writer().write_vectored(parts)?;
        self.send(socket)?;
        Ok(n)
    }

    /// Says that nothing more will come, so that the client knows that nobody cut it
    /// off (RFC 8446 section 6.1).
    pub fn end(&mut self, socket: &mut Socket) -> io::Result<()> {
        if self.connection.is_handshaking() {
            // Nothing has been said that could be cut short.
            return Ok(());
        }
        self.connection.send_close_notify();
        self.send(socket)
    }
}
