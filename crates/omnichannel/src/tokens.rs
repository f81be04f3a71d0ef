//! Who may: a token proves its account, on every channel alike.
//!
//! A token is `ACCOUNT.SECRET`. The file has one on each line; a client's own file may have
//! one only. There is nothing to guess: a secret has 128 bits of chance.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use netcore::secrets;

use crate::message::Secret;

/// The account that reads everything and writes nothing: a replica.
pub const REPLICA: &str = "replica";

/// The secrets of all accounts, by their names.
pub struct Tokens(BTreeMap<String, String>);

impl Tokens {
    /// Reads the file, and gives each of `accounts` that has none a token in it; without a
    /// file, and with accounts to put into it, one is made.
    ///
    /// # Errors
    /// What the system says; `InvalidData` for a line that is no token, `PermissionDenied`
    /// for a file that others can read, `InvalidInput` for a name that is none.
    pub fn open(path: &Path, accounts: &[String]) -> io::Result<Tokens> {
        if !accounts.is_empty() {
            add(path, accounts)?;
        }
        parse(&secrets::read(path)?).map(Tokens)
    }

    /// The account that `token` proves, if it proves one. An account that there is not is no
    /// other answer than a wrong secret.
    pub fn account(&self, token: &str) -> Option<&str> {
        let (account, secret) = token.split_once('.')?;
        let (account, known) = self.0.get_key_value(account)?;
        same(secret.as_bytes(), known.as_bytes()).then_some(account)
    }

    /// The token of this account; without a name, of the first that is no replica.
    pub fn token(&self, account: Option<&str>) -> Option<Secret> {
        let mut all = self.0.iter();
        let (account, secret) = all.find(|(name, _)| match account {
            Some(account) => *name == account,
            None => *name != REPLICA,
        })?;
        Some(Secret(format!("{account}.{secret}")))
    }
}

/// Compares in a time that does not tell how far they are alike.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differ = one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b));
    one.len() == other.len() && std::hint::black_box(differ) == 0
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=32).contains(&name.len())
        && name.bytes().all(|byte| allowed(byte) || matches!(byte, b'-' | b'_'))
}

/// A token for each of `accounts` that has none.
fn add(path: &Path, accounts: &[String]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    secrets::for_owner_alone(&file)?;
    // Two servers that begin at once would both make one. It ends with the file.
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let known = parse(&text)?;
    // A person may have left the last line without an end.
    let mut lines = String::from(if text.is_empty() || text.ends_with('\n') { "" } else { "\n" });
    for account in accounts.iter().filter(|account| !known.contains_key(*account)) {
        if !is_name(account) {
            let why = format!("{account:?} is no name: a to z, 0 to 9, - and _, at most 32");
            return Err(io::Error::new(ErrorKind::InvalidInput, why));
        }
        let secret = format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?);
        lines += &format!("{account}.{secret}\n");
    }
    file.write_all(lines.as_bytes())
}

fn parse(text: &str) -> io::Result<BTreeMap<String, String>> {
    // Without the line, which may be a secret.
    let wrong = || io::Error::new(ErrorKind::InvalidData, "a line is no ACCOUNT.SECRET");
    let token = |line: &str| {
        let (account, secret) = line.split_once('.').ok_or_else(wrong)?;
        match is_name(account) && !secret.is_empty() {
            true => Ok((account.to_string(), secret.to_string())),
            false => Err(wrong()),
        }
    };
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(token).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_proves_its_account_and_nothing_else_does() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        let names = ["ann", "bob"].map(String::from);
        let tokens = Tokens::open(&file, &names).unwrap();
        let Secret(ann) = tokens.token(Some("ann")).unwrap();
        assert_eq!(tokens.account(&ann), Some("ann"));
        let secret = ann.strip_prefix("ann.").unwrap();
        let cut = &ann[..ann.len() - 1];
        for wrong in ["", "ann", "ann.", "ann.x", &format!("bob.{secret}"), secret, cut] {
            assert_eq!(tokens.account(wrong), None, "{wrong}");
        }
        assert_eq!(tokens.account(&format!("{ann}0")), None);
        // What is there stays as it is.
        let again = Tokens::open(&file, &["cat".into()]).unwrap();
        assert_eq!(again.account(&ann), Some("ann"));
    }

    #[test]
    fn a_file_that_is_none_or_that_others_can_read_is_told_without_its_text() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens");
        assert_eq!(Tokens::open(&file, &[]).err().unwrap().kind(), ErrorKind::NotFound);
        fs::write(&file, "s3cret\n").unwrap();
        #[cfg(unix)]
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        let error = Tokens::open(&file, &[]).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
        assert!(!error.to_string().contains("s3cret"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::write(&file, "ann.s3cret\n").unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
            for accounts in [&[][..], &["bob".into()]] {
                let error = Tokens::open(&file, accounts).err().unwrap();
                assert_eq!(error.kind(), ErrorKind::PermissionDenied);
            }
            // Nor is a secret written where others can read it.
            assert_eq!(fs::read_to_string(&file).unwrap(), "ann.s3cret\n");
        }
    }
}
