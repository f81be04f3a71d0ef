//! Certificates and keys as they are in files, and what both sides make of them.

use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::refusal::failed;
use crate::Error;
use crate::secrets;

pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(default_provider())
}

pub(super) fn unusable() -> impl FnOnce(io::Error) -> Error {
    failed("use this certificate")
}

pub(super) fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_file_iter(path);
    let chain: Vec<_> = certificates.and_then(Iterator::collect).map_err(unreadable(path))?;
    if chain.is_empty() {
        let why = io::Error::new(ErrorKind::InvalidData, "there is no certificate in it");
        return Err(Error::failed(format!("read {}", path.display()))(why));
    }
    Ok(chain)
}

pub(super) fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, Error> {
    let file = secrets::open_given(path).map_err(pem::Error::Io);
    file.and_then(PrivateKeyDer::from_pem_reader).map_err(unreadable(path))
}

pub(super) fn read_roots(path: &Path) -> Result<RootCertStore, Error> {
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
            Error::Failed { attempted, source, hint: Some("the command certs makes it") }
        }
        pem::Error::Io(source) => Error::failed(attempted)(source),
        other => Error::failed(attempted)(io::Error::other(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever believes in nobody would say that of the other end's certificate.
    #[test]
    fn a_file_without_a_certificate_is_told_as_that() {
        let path = std::env::temp_dir().join(format!("netcore-pem-{}", std::process::id()));
        for text in ["", "no certificate\n"] {
            std::fs::write(&path, text).unwrap();
            let told = [read_chain(&path).map(drop), read_roots(&path).map(drop)];
            std::fs::remove_file(&path).unwrap();
            for told in told {
                let told = told.unwrap_err().to_string();
                assert!(told.ends_with(": there is no certificate in it"), "{told}");
            }
        }
    }
}
