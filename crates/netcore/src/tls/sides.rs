//! What a server shows and asks for, and what a client believes.

use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::{Ticketer, default_provider};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::server::{NoClientAuth, WebPkiClientVerifier, danger::ClientCertVerifier};
use rustls::{
    ClientConfig, ClientConnection, ConfigBuilder, RootCertStore, ServerConfig, ServerConnection,
};

use super::authority::Signed;
use super::failed;
use super::fingerprint::{Fingerprint, Known};
use super::folder::{Folder, LOCAL};
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

    fn connection(&self, host: &str) -> io::Result<rustls::Connection> {
        let wrong = |error| io::Error::new(ErrorKind::InvalidInput, error);
        let name = server_name(host).map_err(wrong)?;
        let tls = ClientConnection::new(self.0.clone(), name).map_err(io::Error::other)?;
        Ok(tls.into())
    }

    /// A client's stream for the tests of a server on this machine.
    ///
    /// # Panics
    /// When rustls does not like the settings.
    #[cfg(feature = "testing")]
    pub fn wire(&self, socket: std::net::TcpStream) -> crate::testing::TlsWire {
        let tls = self.connection("localhost").expect("a session can be prepared");
        crate::testing::TlsWire::new(tls, socket)
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

fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

fn builder() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    let builder = ClientConfig::builder_with_provider(provider());
    let builder = builder.with_safe_default_protocol_versions();
    builder.map_err(|error| Error::failed("prepare TLS")(io::Error::other(error)))
}

fn unusable() -> impl FnOnce(io::Error) -> Error {
    failed("use this certificate")
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

/// The first name in a certificate that has been verified, or its fingerprint.
pub(super) fn name_in(certificate: &[u8]) -> String {
    let der = CertificateDer::from(certificate);
    let parsed = webpki::EndEntityCert::try_from(&der);
    let name = parsed.ok().and_then(|it| it.valid_dns_names().next().map(String::from));
    name.unwrap_or_else(|| Fingerprint::of(certificate).to_string())
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_file_iter(path);
    certificates.and_then(|certificates| certificates.collect()).map_err(unreadable(path))
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_file(path).map_err(unreadable(path))
}

fn read_roots(path: &Path) -> Result<RootCertStore, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in read_chain(path)? {
        roots.add(certificate).map_err(|error| unusable()(io::Error::other(error)))?;
    }
    Ok(roots)
}

fn unreadable(path: &Path) -> impl FnOnce(pem::Error) -> Error {
    let attempted = format!("read {}", path.display());
    |error| match error {
        pem::Error::Io(source) if source.kind() == ErrorKind::NotFound => {
            let hint = "the command certs makes it";
            Error::Advised { attempted, source, hint }
        }
        pem::Error::Io(source) => Error::Failed { attempted, source },
        other => Error::Failed { attempted, source: io::Error::other(other) },
    }
}
