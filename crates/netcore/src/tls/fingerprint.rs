//! A server that is known by its certificate alone: nobody vouches for it, and nobody
//! needs to.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use ring::digest::{SHA256, digest};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// Bytes of a SHA-256.
const LENGTH: usize = 32;

/// SHA-256 of a certificate: 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; LENGTH]);

impl Fingerprint {
    /// That of this certificate (DER).
    pub fn of(certificate: &[u8]) -> Fingerprint {
        let mut bytes = [0; LENGTH];
        bytes.copy_from_slice(digest(&SHA256, certificate).as_ref());
        Fingerprint(bytes)
    }
}

/// The first name in a certificate that has been verified, or its fingerprint.
pub(super) fn name_in(certificate: &[u8]) -> String {
    let der = CertificateDer::from(certificate);
    let parsed = webpki::EndEntityCert::try_from(&der);
    let name = parsed.ok().and_then(|it| it.valid_dns_names().next().map(String::from));
    name.unwrap_or_else(|| Fingerprint::of(certificate).to_string())
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Fingerprint, String> {
        // As openssl prints it, too: AB:CD:...
        let digits: String = text.chars().filter(|c| *c != ':').collect();
        let wrong = || "a fingerprint is 64 hexadecimal digits".to_string();
        if digits.len() != 2 * LENGTH || !digits.is_ascii() {
            return Err(wrong());
        }
        let mut bytes = [0; LENGTH];
        for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
            *byte = u8::from_str_radix(&digits[at..at + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Fingerprint(bytes))
    }
}

/// Takes the one certificate that has this fingerprint, whatever its names and its dates:
/// who has told the fingerprint vouches for it.
#[derive(Debug)]
pub(super) struct Known {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl Known {
    pub(super) fn new(fingerprint: Fingerprint) -> Known {
        Known { fingerprint, provider: Arc::new(default_provider()) }
    }
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match Fingerprint::of(end_entity) == self.fingerprint {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    // That the server has the key of the certificate is still to be proven.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_as_it_is_written_and_as_openssl_writes_it() {
        let known = Fingerprint::of(b"abc");
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(known.to_string(), hex);
        assert_eq!(hex.parse(), Ok(known));
        let pairs: Vec<&str> = (0..64).step_by(2).map(|at| &hex[at..at + 2]).collect();
        assert_eq!(pairs.join(":").to_uppercase().parse(), Ok(known));
        for wrong in ["", "ba", &hex[1..], &hex.replace('b', "x"), &format!("{hex}00")] {
            assert!(wrong.parse::<Fingerprint>().is_err(), "{wrong}");
        }
    }
}
