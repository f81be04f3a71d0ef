//! What a publisher does, away from every server: makes a key once, and signs releases. The
//! tool minisign does the same to the same files: `minisign -GW`, `minisign -Sm`.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use clap::{Parser, Subcommand};
use minisign::{KeyPair, PublicKey, SecretKeyBox};
use self_update::keeper::target;
use self_update::manifest::{Manifest, sha256};
use semver::Version;

const DAY: u64 = 24 * 60 * 60;

/// Makes keys, and signs releases with them
#[derive(Parser)]
#[command(
    after_help = "Example:\n  publish key publisher\n  publish release publisher.key target/release/v2 site"
)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Make NAME.key, which stays secret, and NAME.pub, which every program gets
    Key { name: PathBuf },
    /// Put a release into a folder, with its signed manifest
    Release {
        /// The secret key
        key: PathBuf,
        /// The program; it is asked for its version
        program: PathBuf,
        /// The folder that a web server serves
        site: PathBuf,
        /// A later look is not to believe it any more
        #[arg(long, value_name = "DAYS", default_value_t = 30)]
        expires_in: u64,
        /// The public key by which the releases after this one are signed
        #[arg(long, value_name = "FILE")]
        next_key: Option<PathBuf>,
        /// Say another version than the program does: what only a mistake, or a demo, would do
        #[arg(long, value_name = "VERSION")]
        claim: Option<Version>,
    },
}

fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().task {
        Task::Key { name } => make_key(&name),
        Task::Release { key, program, site, expires_in, next_key, claim } => {
            let version = claim.map_or_else(|| version_of(&program), Ok)?;
            let bytes = fs::read(&program)?;
            let file = format!("{}-{version}-{}", env!("CARGO_PKG_NAME"), target());
            let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
            let next_key = next_key.map(fs::read_to_string).transpose()?;
            let manifest = Manifest {
                program: env!("CARGO_PKG_NAME").into(),
                version,
                target: target(),
                size: bytes.len() as u64,
                sha256: sha256(&bytes),
                expires: now + expires_in * DAY,
                next_key: next_key.and_then(|text| Some(text.lines().last()?.into())),
                file,
            };
            publish(&key, &manifest, &bytes, &site)
        }
    }
}

fn make_key(name: &Path) -> Result<(), Box<dyn Error>> {
    let KeyPair { pk, sk } = KeyPair::generate_unencrypted_keypair()?;
    let mut options = fs::OpenOptions::new();
    // A key that is there is never written over.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let secret = sk.to_box(None)?.into_string();
    options.open(name.with_extension("key"))?.write_all(secret.as_bytes())?;
    fs::write(name.with_extension("pub"), pk.to_box()?.into_string())?;
    Ok(())
}

fn version_of(program: &Path) -> Result<Version, Box<dyn Error>> {
    let told = Command::new(program).arg("--version").output()?;
    let told = String::from_utf8(told.stdout)?;
    Ok(told.split_whitespace().last().unwrap_or_default().parse()?)
}

fn publish(
    key: &Path,
    manifest: &Manifest,
    release: &[u8],
    site: &Path,
) -> Result<(), Box<dyn Error>> {
    let key =
        SecretKeyBox::from_string(&fs::read_to_string(key)?)?.into_unencrypted_secret_key()?;
    let bytes = serde_json::to_vec_pretty(manifest)?;
    let public = PublicKey::from_secret_key(&key)?;
    let comment = format!("{} {}", manifest.program, manifest.version);
    let signature = minisign::sign(Some(&public), &key, bytes.as_slice(), Some(&comment), None)?;
    // The release first: who reads the manifest finds what it is about.
    fs::create_dir_all(site)?;
    fs::write(site.join(&manifest.file), release)?;
    let name = format!("{}.json", manifest.target);
    fs::write(site.join(format!("{name}.minisig")), signature.into_string())?;
    fs::write(site.join(&name), bytes)?;
    println!("{} {} for {}", manifest.program, manifest.version, manifest.target);
    Ok(())
}
