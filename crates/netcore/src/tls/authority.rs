//! An authority of one's own, and the certificates that it signs. All is made when the
//! program runs.

use std::io;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};

/// How long a certificate is valid. A key that has been stolen is of use for no longer.
const LIFETIME: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The clock of another machine may be behind ours.
const SKEW: Duration = Duration::from_secs(60 * 60);

/// What an authority is called. Two of them are told apart by their keys.
const NAME: &str = "an authority of one's own";

/// What a certificate is for. Whoever has one of a client cannot play the server with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Who is connected to.
    Server,
    /// Who connects.
    Client,
}

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy)]
pub struct Validity {
    /// Not before.
    pub from: SystemTime,
    /// Not after.
    pub until: SystemTime,
}

impl Validity {
    /// From now on, for a year.
    pub fn from_now() -> Validity {
        let now = SystemTime::now();
        Validity { from: now - SKEW, until: now + LIFETIME }
    }
}

/// Who signs certificates.
#[derive(Debug)]
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate (PEM), which whoever trusts it needs.
    pub certificate: String,
}

/// A certificate and its key (PEM).
#[derive(Debug)]
pub struct Signed {
    /// To be shown to everybody.
    pub certificate: String,
    /// To be shown to nobody.
    pub key: String,
}

impl Authority {
    /// A new one.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn new() -> io::Result<Authority> {
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let params = own_params();
        let certificate = params.self_signed(&key).map_err(io::Error::other)?.pem();
        Ok(Authority { issuer: Issuer::new(params, key), certificate })
    }

    /// The one whose certificate and key are these (PEM).
    ///
    /// # Errors
    /// When the key is none.
    pub fn from_pem(certificate: String, key: &str) -> io::Result<Authority> {
        let key = KeyPair::from_pem(key).map_err(io::Error::other)?;
        Ok(Authority { issuer: Issuer::new(own_params(), key), certificate })
    }

    /// Its key (PEM): whoever has it can be everybody.
    pub fn key(&self) -> String {
        self.issuer.key().serialize_pem()
    }

    /// Signs a certificate for these names and addresses.
    ///
    /// # Errors
    /// When a name is none.
    pub fn sign(&self, names: &[&str], purpose: Purpose, valid: Validity) -> io::Result<Signed> {
        let names: Vec<String> = names.iter().map(ToString::to_string).collect();
        let mut params = CertificateParams::new(names.clone()).map_err(io::Error::other)?;
        if let Some(first) = names.into_iter().next() {
            params.distinguished_name.push(DnType::CommonName, first);
        }
        set_validity(&mut params, valid);
        params.use_authority_key_identifier_extension = true;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![match purpose {
            Purpose::Server => ExtendedKeyUsagePurpose::ServerAuth,
            Purpose::Client => ExtendedKeyUsagePurpose::ClientAuth,
        }];
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let signed = params.signed_by(&key, &self.issuer).map_err(io::Error::other)?;
        Ok(Signed { certificate: signed.pem(), key: key.serialize_pem() })
    }
}

fn own_params() -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.remove(DnType::CommonName);
    params.distinguished_name.push(DnType::CommonName, NAME);
    // Of this one no further authority can come.
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    set_validity(&mut params, Validity::from_now());
    params
}

fn set_validity(params: &mut CertificateParams, valid: Validity) {
    let at = |time: SystemTime| {
        date_time_ymd(1970, 1, 1) + time.duration_since(UNIX_EPOCH).unwrap_or_default()
    };
    (params.not_before, params.not_after) = (at(valid.from), at(valid.until));
}
