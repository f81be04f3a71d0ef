//! Random numbers, and keys that are made of secrets.

use std::io;

use ring::hmac::{HMAC_SHA256, Key};
use ring::rand::{SecureRandom, SystemRandom};

/// Bytes of a random number, of an exporter value and of a proof.
pub(super) const LENGTH: usize = 32;

/// A random number that nobody has seen before.
pub type Nonce = [u8; LENGTH];

/// A new one.
///
/// # Errors
/// When the system has no random numbers.
pub(super) fn nonce() -> io::Result<Nonce> {
    let mut nonce = [0; LENGTH];
    let none = |_| io::Error::other("the system has no random numbers");
    SystemRandom::new().fill(&mut nonce).map(|()| nonce).map_err(none)
}

/// A key of this secret.
pub(super) fn key(secret: &[u8]) -> Key {
    Key::new(HMAC_SHA256, secret)
}
