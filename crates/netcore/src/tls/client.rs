//! Whom a client believes, and what it shows of itself.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use rustls::client::{Resumption, WantsClientCert};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, ConfigBuilder};

use super::authority::Signed;
use super::fingerprint::{Fingerprint, Known};
use super::folder::Folder;
use super::pem::{provider, read_chain, read_key, read_roots, unusable};
use super::session::Session;
use super::stream::TlsStream;
use crate::Error;
use crate::connection::{Connection, Socket};

/// Whom a client believes, and what it shows of itself.
#[derive(Debug, Clone)]
pub struct ClientSide(Arc<ClientConfig>);

impl ClientSide {
    /// Believes in the authority of this folder, and shows nothing.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn from_folder(folder: &Folder) -> Result<ClientSide, Error> {
        let roots = read_roots(&folder.authority_file())?;
        Ok(ClientSide::of(builder()?.with_root_certificates(roots).with_no_client_auth()))
    }

    /// Believes in the authority of one folder, and shows the certificate of `name` from
    /// another, or the same.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn called(trusted: &Folder, own: &Folder, name: &str) -> Result<ClientSide, Error> {
        let [certificate, key] = own.files_of(name);
        let roots = read_roots(&trusted.authority_file())?;
        let believing: ConfigBuilder<_, WantsClientCert> = builder()?.with_root_certificates(roots);
        let config = believing.with_client_auth_cert(read_chain(&certificate)?, read_key(&key)?);
        config.map(ClientSide::of).map_err(|error| unusable()(io::Error::other(error)))
    }

    /// As [`called`](ClientSide::called), with a certificate that is in no file.
    ///
    /// # Errors
    /// When a file cannot be read, or certificate and key do not belong together.
    pub fn showing(trusted: &Folder, own: &Signed) -> Result<ClientSide, Error> {
        let unreadable = |error| unusable()(io::Error::other(error));
        let certificate = CertificateDer::from_pem_slice(own.certificate.as_bytes());
        let key = PrivateKeyDer::from_pem_slice(own.key.as_bytes()).map_err(unreadable)?;
        let roots = read_roots(&trusted.authority_file())?;
        let believing = builder()?.with_root_certificates(roots);
        let config = believing.with_client_auth_cert(vec![certificate.map_err(unreadable)?], key);
        config.map(ClientSide::of).map_err(|error| unusable()(io::Error::other(error)))
    }

    /// Believes the one server whose certificate has this fingerprint.
    ///
    /// # Errors
    /// When rustls does not like the settings.
    pub fn knowing(fingerprint: Fingerprint) -> Result<ClientSide, Error> {
        let verifier = Arc::new(Known::new(fingerprint));
        let believing = builder()?.dangerous().with_custom_certificate_verifier(verifier);
        Ok(ClientSide::of(believing.with_no_client_auth()))
    }

    /// The same for a client that never comes back: each handshake is a whole one.
    pub fn forgetful(mut self) -> ClientSide {
        Arc::make_mut(&mut self.0).resumption = Resumption::disabled();
        self
    }

    fn of(config: ClientConfig) -> ClientSide {
        ClientSide(Arc::new(config))
    }

    /// The encryption of a new connection to the server at `host`, a name or an address.
    ///
    /// # Errors
    /// When no certificate can be for such a name.
    pub fn session(&self, host: &str) -> io::Result<Session> {
        Ok(Session::new(self.connection(host)?, Arc::default()))
    }

    pub(crate) fn connection(&self, host: &str) -> io::Result<rustls::Connection> {
        let wrong = |error| io::Error::new(ErrorKind::InvalidInput, error);
        let name = server_name(host).map_err(wrong)?;
        let tls = ClientConnection::new(self.0.clone(), name).map_err(io::Error::other)?;
        Ok(tls.into())
    }

    /// Makes the handshake with the server at `host`, until the deadline of the connection.
    /// A server that speaks TLS 1.3 may refuse a client after it: the first read tells.
    ///
    /// # Errors
    /// What the connection says, and that there is no agreement.
    pub fn connect<'a, S: Socket>(
        &self,
        connection: &'a mut Connection<S>,
        host: &str,
    ) -> io::Result<TlsStream<'a, S>> {
        TlsStream::new(self.session(host)?, connection)
    }
}

fn builder() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions();
    builder.map_err(|error| Error::failed("prepare TLS")(io::Error::other(error)))
}

/// `[::1]` and `fe80::1%eth0` are addresses without what is around them.
fn server_name(host: &str) -> Result<ServerName<'static>, rustls::pki_types::InvalidDnsNameError> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let address = bare.split_once('%').map_or(bare, |(address, _)| address);
    match address.parse::<Ipv6Addr>() {
        Ok(address) => Ok(ServerName::from(IpAddr::from(address).to_canonical())),
        Err(_) => ServerName::try_from(bare.to_string()),
    }
}
