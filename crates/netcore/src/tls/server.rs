//! What a server shows of itself, and whom it lets in.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring::Ticketer;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier};
use rustls::{ServerConfig, ServerConnection};

use super::fingerprint::Fingerprint;
use super::folder::{Folder, LOCAL};
use super::pem::{provider, read_chain, read_key, read_roots, unusable};
use super::session::Session;
use super::stream::TlsStream;
use crate::Error;
use crate::connection::{Connection, Socket};

/// What a server says to whoever does not speak TLS.
const TO_PLAIN: &[u8] = b"this port speaks TLS\n";

/// A server's certificate with its key, and whom it lets in.
#[derive(Debug, Clone)]
pub struct ServerSide {
    config: Arc<ServerConfig>,
    certificate: CertificateDer<'static>,
    to_plain: Arc<[u8]>,
}

impl ServerSide {
    /// A certificate made now, for these names and addresses, and held in memory only.
    /// Nobody vouches for it: a client has to know its fingerprint.
    ///
    /// # Errors
    /// When a name is none.
    pub fn made_for(names: Vec<String>) -> Result<ServerSide, Error> {
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| Error::failed("make a certificate")(io::Error::other(error)))?;
        let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
        ServerSide::new(vec![made.cert.der().clone()], key.into(), Arc::new(NoClientAuth))
    }

    /// As [`made_for`](ServerSide::made_for), for this machine.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn made_now() -> Result<ServerSide, Error> {
        ServerSide::made_for(LOCAL.map(String::from).into())
    }

    /// A certificate with those that vouch for it, and its key, from files as
    /// certificate authorities give them out (PEM, RFC 7468).
    ///
    /// # Errors
    /// When a file cannot be read, or they do not belong together.
    pub fn from_pem(certificates: &Path, key: &Path) -> Result<ServerSide, Error> {
        ServerSide::new(read_chain(certificates)?, read_key(key)?, Arc::new(NoClientAuth))
    }

    /// From a folder. Everybody is let in.
    ///
    /// # Errors
    /// As [`from_pem`](ServerSide::from_pem).
    pub fn from_folder(folder: &Folder) -> Result<ServerSide, Error> {
        let [certificate, key] = folder.server_files();
        ServerSide::from_pem(&certificate, &key)
    }

    /// From a folder. Only who shows a certificate of its authority is let in.
    ///
    /// # Errors
    /// As [`from_pem`](ServerSide::from_pem).
    pub fn mutual(folder: &Folder) -> Result<ServerSide, Error> {
        let roots = Arc::new(read_roots(&folder.authority_file())?);
        let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider()).build();
        let verifier = verifier.map_err(|error| unusable()(io::Error::other(error)))?;
        let [certificate, key] = folder.server_files();
        ServerSide::new(read_chain(&certificate)?, read_key(&key)?, verifier)
    }

    fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        clients: Arc<dyn ClientCertVerifier>,
    ) -> Result<ServerSide, Error> {
        let Some(certificate) = chain.first().cloned() else {
            return Err(unusable()(io::Error::new(ErrorKind::InvalidData, "the file has none")));
        };
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_client_cert_verifier(clients).with_single_cert(chain, key)
            })
            .and_then(|config| Ok((config, Ticketer::new()?)));
        let (mut config, ticketer) = config.map_err(|error| unusable()(io::Error::other(error)))?;
        // What a client needs to come back by is sealed and given to the client: nothing is
        // kept here for it.
        config.ticketer = ticketer;
        Ok(ServerSide { config: Arc::new(config), certificate, to_plain: TO_PLAIN.into() })
    }

    /// What is spoken inside ([RFC 7301](https://www.rfc-editor.org/rfc/rfc7301)), and what
    /// is said, readable, to whoever does not speak TLS.
    pub fn speaking(mut self, protocol: &[u8], to_plain: &[u8]) -> ServerSide {
        Arc::make_mut(&mut self.config).alpn_protocols = vec![protocol.to_vec()];
        ServerSide { to_plain: to_plain.into(), ..self }
    }

    /// The certificate itself (DER), for a client that is to trust it.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// What a client can know the server by.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.certificate)
    }

    /// The encryption of a new connection.
    ///
    /// # Errors
    /// When rustls does not like the settings.
    pub fn session(&self) -> io::Result<Session> {
        let tls = ServerConnection::new(self.config.clone()).map_err(io::Error::other)?;
        Ok(Session::new(tls.into(), self.to_plain.clone()))
    }

    /// Makes the handshake with a client, until the deadline of the connection.
    ///
    /// # Errors
    /// What the connection says, and that there is no agreement.
    pub fn accept<'a, S: Socket>(
        &self,
        connection: &'a mut Connection<S>,
    ) -> io::Result<TlsStream<'a, S>> {
        TlsStream::new(self.session()?, connection)
    }
}
