//! What a publisher says of a release, and whether it was the publisher who said it. No
//! clock, no file and no socket in here.

use std::fmt;

use minisign_verify::{PublicKey, Signature};
use ring::digest::{SHA256, digest};
use semver::Version;
use serde::{Deserialize, Serialize};

/// Bytes of a manifest. A longer one is refused before it is read.
pub const MANIFEST_LIMIT: u64 = 16 << 10;

/// Bytes of a signature in the format of minisign, its two comments among them.
pub const SIGNATURE_LIMIT: u64 = 4 << 10;

/// One release for one kind of machine. What else stands in it is passed over, so that a
/// later publisher can say more and is still understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The program: one key may sign releases of several.
    pub program: String,
    /// Its version, by the rules of [semver](https://semver.org).
    pub version: Version,
    /// What it runs on, such as `x86_64-linux`.
    pub target: String,
    /// Where it is, from the place of the manifest.
    pub file: String,
    /// Its bytes, exactly.
    pub size: u64,
    /// Their SHA-256, in small hexadecimal digits.
    pub sha256: String,
    /// Not to be believed from here on, in seconds since 1970 (UTC): who holds back what is
    /// newer can do so until then.
    pub expires: u64,
    /// The public key by which the releases after this one are signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_key: Option<String>,
}

/// Why it is not known to be the publisher's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forged {
    /// Our own key is none.
    NoKey,
    /// The signature is not by the key, or not of these bytes, or none at all.
    Signature,
    /// The publisher has signed what makes no sense, in it or as the next key.
    Nonsense,
}

impl Manifest {
    /// Reads what `key` has signed. Bytes whose digest is `known` were verified before, by
    /// the key of that time, and are not verified again: nobody can have changed them.
    ///
    /// # Errors
    /// [`Forged`].
    pub fn verify(
        bytes: &[u8],
        signature: &str,
        key: &str,
        known: Option<&str>,
    ) -> Result<Manifest, Forged> {
        if known != Some(sha256(bytes).as_str()) {
            let key = public_key(key).ok_or(Forged::NoKey)?;
            let signature = Signature::decode(signature).map_err(|_| Forged::Signature)?;
            // Before it is parsed: a parser is more to attack than a signature.
            key.verify(bytes, &signature, false).map_err(|_| Forged::Signature)?;
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|_| Forged::Nonsense)?;
        match &manifest.next_key {
            // After this one, nothing would be believed any more.
            Some(next) if public_key(next).is_none() => Err(Forged::Nonsense),
            _ => Ok(manifest),
        }
    }
}

/// The key in a file of minisign, or its last line alone.
fn public_key(text: &str) -> Option<PublicKey> {
    let line = text.trim().lines().last()?.trim();
    PublicKey::from_base64(line).ok()
}

/// Whether `text` holds a public key.
pub fn is_key(text: &str) -> bool {
    public_key(text).is_some()
}

/// SHA-256, in small hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// In small hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl fmt::Display for Forged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Forged::NoKey => "the key to verify it by is none",
            Forged::Signature => "it is not signed by the key that is trusted",
            Forged::Nonsense => "it is signed, and makes no sense",
        })
    }
}

#[cfg(test)]
mod tests;
