//! A publisher, the place of its releases, and a program in a folder of its own.

#![allow(dead_code, reason = "each test file uses a part of it")]

pub mod program;
pub mod site;

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use minisign::KeyPair;
use self_update::keeper::target;
use self_update::manifest::{Manifest, sha256};

/// Ends a test that would otherwise hang; no correct run comes near it.
pub const GENEROUS: Duration = Duration::from_secs(30);

/// How long a release that never gets ready is given: far more than a good one takes, since
/// the one before it has no longer either.
pub const BROKEN_PATIENCE: &str = "2s";

/// The first release, and what it says of itself.
pub const V1: &str = env!("CARGO_PKG_VERSION");

/// The next one, which answers in capital letters.
pub const V2: &str = "0.2.0";

/// The one after it, which never gets ready.
pub const BROKEN: &str = "0.3.0";

pub fn v1() -> PathBuf {
    env!(concat!("CARGO_BIN_EXE_", env!("CARGO_PKG_NAME"))).into()
}

pub fn v2() -> PathBuf {
    env!("CARGO_BIN_EXE_v2").into()
}

pub fn broken() -> PathBuf {
    env!("CARGO_BIN_EXE_broken").into()
}

/// A key that is made now.
pub fn new_key() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

pub fn public(key: &KeyPair) -> String {
    key.pk.to_base64()
}

pub fn sign(key: &KeyPair, bytes: &[u8]) -> String {
    minisign::sign(Some(&key.pk), &key.sk, bytes, None, None).unwrap().into_string()
}

/// What an honest publisher says of `release`.
pub fn manifest(version: &str, release: &[u8]) -> Manifest {
    Manifest {
        program: env!("CARGO_PKG_NAME").into(),
        version: version.parse().unwrap(),
        target: target(),
        file: format!("release-{version}"),
        size: release.len() as u64,
        sha256: sha256(release),
        expires: now() + 3600,
        next_key: None,
    }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
