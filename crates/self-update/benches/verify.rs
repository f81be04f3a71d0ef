//! What it costs to believe: the signature of a manifest, and the digest of a release.
//! `cargo bench -p self-update --bench verify`.

use divan::Bencher;
use divan::counter::BytesCount;
use minisign::KeyPair;
use self_update::manifest::{Manifest, sha256};

const RELEASE: usize = 16 << 20;

fn main() {
    divan::main();
}

#[divan::bench(min_time = 1)]
fn manifest(bencher: Bencher) {
    let key = KeyPair::generate_unencrypted_keypair().unwrap();
    let text = r#"{"program":"p","version":"1.2.3","target":"t","file":"f","size":1,"sha256":"","expires":1}"#;
    let signature = minisign::sign(Some(&key.pk), &key.sk, text.as_bytes(), None, None).unwrap();
    let (signature, key) = (signature.into_string(), key.pk.to_base64());
    bencher.bench_local(|| Manifest::verify(text.as_bytes(), &signature, &key, None).unwrap());
}

#[divan::bench(min_time = 1)]
fn release(bencher: Bencher) {
    let bytes = vec![7; RELEASE];
    bencher.counter(BytesCount::new(RELEASE)).bench_local(|| sha256(&bytes));
}
