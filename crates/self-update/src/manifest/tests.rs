use minisign::KeyPair;
use proptest::prelude::*;

use super::*;

fn new_key() -> KeyPair {
    KeyPair::generate_unencrypted_keypair().unwrap()
}

fn sign(key: &KeyPair, bytes: &[u8]) -> String {
    minisign::sign(Some(&key.pk), &key.sk, bytes, None, None).unwrap().into_string()
}

fn manifest(next_key: Option<String>) -> Manifest {
    Manifest {
        program: "self-update".into(),
        version: Version::new(1, 10, 0),
        target: "x86_64-linux".into(),
        file: "release".into(),
        size: 7,
        sha256: sha256(b"release"),
        expires: 1_800_000_000,
        next_key,
    }
}

fn verify(bytes: &[u8], signature: &str, key: &KeyPair) -> Result<Manifest, Forged> {
    Manifest::verify(bytes, signature, &key.pk.to_base64(), None)
}

#[test]
fn what_the_publisher_has_signed_is_read() {
    let key = new_key();
    let manifest = manifest(Some(new_key().pk.to_base64()));
    let bytes = serde_json::to_vec(&manifest).unwrap();
    assert_eq!(verify(&bytes, &sign(&key, &bytes), &key), Ok(manifest));
    // As `minisign -G` writes it into a file.
    let file = key.pk.to_box().unwrap().to_string();
    assert!(Manifest::verify(&bytes, &sign(&key, &bytes), &file, None).is_ok());
}

#[test]
fn what_another_has_signed_is_not() {
    let (key, other) = (new_key(), new_key());
    let bytes = serde_json::to_vec(&manifest(None)).unwrap();
    assert_eq!(verify(&bytes, &sign(&other, &bytes), &key), Err(Forged::Signature));
    for signature in ["", "untrusted comment: x", "no signature\nat\nall\n="] {
        assert_eq!(verify(&bytes, signature, &key), Err(Forged::Signature));
    }
    for no_key in ["", "key", "untrusted comment: minisign public key"] {
        let read = Manifest::verify(&bytes, &sign(&key, &bytes), no_key, None);
        assert_eq!(read, Err(Forged::NoKey));
    }
}

#[test]
fn what_is_signed_and_makes_no_sense_is_refused() {
    let key = new_key();
    let nonsense = [
        "".to_string(),
        "[]".into(),
        "{\"program\":\"self-update\"}".into(),
        serde_json::to_string(&manifest(None)).unwrap().replace("1.10.0", "1.10"),
        serde_json::to_string(&manifest(Some("no key".into()))).unwrap(),
    ];
    for text in nonsense {
        let bytes = text.as_bytes();
        assert_eq!(verify(bytes, &sign(&key, bytes), &key), Err(Forged::Nonsense), "{text}");
    }
}

#[test]
fn what_a_later_publisher_adds_is_passed_over() {
    let key = new_key();
    let text = serde_json::to_string(&manifest(None)).unwrap().replacen('{', "{\"mirror\":1,", 1);
    assert_eq!(verify(text.as_bytes(), &sign(&key, text.as_bytes()), &key), Ok(manifest(None)));
}

#[test]
fn what_was_verified_once_stays_so_and_nothing_else_does() {
    let (old, key) = (new_key(), new_key());
    let bytes = serde_json::to_vec(&manifest(None)).unwrap();
    let known = sha256(&bytes);
    let read = |bytes: &[u8], key: &KeyPair| {
        Manifest::verify(bytes, &sign(&old, bytes), &key.pk.to_base64(), Some(&known))
    };
    assert!(read(&bytes, &key).is_ok());
    let changed = serde_json::to_vec(&Manifest { size: 8, ..manifest(None) }).unwrap();
    assert_eq!(read(&changed, &key), Err(Forged::Signature));
}

proptest! {
    /// Whichever byte of a manifest or of its signature is another one: nothing is read that
    /// was not signed. What the signature does not cover, a comment, may be changed.
    #[test]
    fn no_changed_byte_is_believed(at in 0.0..1.0_f64, flip in 1..=255_u8, in_signature: bool) {
        let key = new_key();
        let mut bytes = serde_json::to_vec(&manifest(None)).unwrap();
        let mut signature = sign(&key, &bytes).into_bytes();
        let changed = if in_signature { &mut signature } else { &mut bytes };
        let at = (changed.len() as f64 * at) as usize;
        changed[at] ^= flip;
        let read = verify(&bytes, &String::from_utf8_lossy(&signature), &key);
        match in_signature {
            true => prop_assert!(read.is_err() || read == Ok(manifest(None))),
            false => prop_assert_eq!(read, Err(Forged::Signature)),
        }
    }

    #[test]
    fn nothing_that_comes_makes_it_panic(bytes: Vec<u8>, signature: String, key: String) {
        let known = sha256(&bytes);
        prop_assert!(Manifest::verify(&bytes, &signature, &key, None).is_err());
        let _ = Manifest::verify(&bytes, &signature, &key, Some(&known));
    }
}
