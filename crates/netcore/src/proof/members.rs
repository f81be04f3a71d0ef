//! Who has a secret, and what it is good for. Secrets are in a file and nowhere else: not
//! on a command line, which everybody on the machine can read, and not in a log.

use std::collections::HashMap;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::Path;

use ring::hmac::Key;

use super::keys::{key, nonce};
use crate::error::reason;
use crate::secrets;

/// Bytes of the longest name.
pub(super) const LONGEST_NAME: usize = 32;

/// Bytes of the shortest secret. A server that only pretends to be ours gets to see a proof,
/// and can try secrets against it for as long as it likes: so they are made, and not
/// thought of.
const SHORTEST_SECRET: usize = 16;

/// What a name may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Have its bytes back.
    Echo = 0,
    /// Have them back in upper case.
    Upper = 1,
}

/// One name with its secret.
pub struct Member {
    pub(super) name: String,
    pub(super) key: Key,
    pub(super) rights: Vec<Right>,
}

/// Those of a file: a name, its secret and its rights (`echo`, `upper`) in each line.
pub struct Members {
    members: HashMap<String, Member>,
    nobody: Key,
}

impl Right {
    pub(super) fn of(byte: u8) -> Option<Right> {
        [Right::Echo, Right::Upper].into_iter().find(|right| *right as u8 == byte)
    }

    fn parse(word: &str) -> Option<Right> {
        match word {
            "echo" => Some(Right::Echo),
            "upper" => Some(Right::Upper),
            _ => None,
        }
    }
}

impl fmt::Display for Right {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Right::Echo => "echo",
            Right::Upper => "upper",
        })
    }
}

impl Member {
    /// Whether this can be a name: letters, digits and hyphens, which do no harm in a log.
    pub(super) fn is_name(name: &str) -> bool {
        let letters = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        letters && (1..=LONGEST_NAME).contains(&name.len())
    }
}

impl Members {
    /// Reads a file.
    ///
    /// # Errors
    /// A sentence for clap to show, which has the number of a line and nothing of it.
    pub fn read(path: &Path) -> Result<Members, String> {
        let text = secrets::read(path).map_err(|error| reason(&error))?;
        Members::parse(&text)
    }

    pub(super) fn parse(text: &str) -> Result<Members, String> {
        let mut members = HashMap::new();
        for (index, line) in text.lines().enumerate() {
            let wrong = |what: &str| Err(format!("line {}: {what}", index + 1));
            let words: Vec<&str> = line.split_whitespace().collect();
            let [name, secret, rights @ ..] = words.as_slice() else {
                match words.first() {
                    None => continue,
                    Some(_) => return wrong("a name, a secret and rights are expected"),
                }
            };
            if !Member::is_name(name) {
                return wrong("a name is made of at most 32 letters, digits and hyphens");
            }
            if secret.len() < SHORTEST_SECRET {
                return wrong("a secret has 16 characters or more");
            }
            let Some(rights) = rights.iter().map(|word| Right::parse(word)).collect() else {
                return wrong("a right is echo or upper");
            };
            let member = Member { name: name.to_string(), key: key(secret.as_bytes()), rights };
            if members.insert(name.to_string(), member).is_some() {
                return wrong("this name is there twice");
            }
        }
        if members.is_empty() {
            return Err("there is no name in it".into());
        }
        let nobody = key(&nonce().map_err(|error| error.to_string())?);
        Ok(Members { members, nobody })
    }

    /// The one of this name.
    pub fn find(&self, name: &str) -> Option<&Member> {
        self.members.get(name)
    }

    /// A secret that nobody has.
    pub(super) fn nobody(&self) -> &Key {
        &self.nobody
    }
}

/// Adds a secret for each of these names that has none yet to a file that only its owner
/// can read. How many there were.
pub(super) fn add(path: &Path, names: &[(&str, &str)]) -> io::Result<usize> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    secrets::for_owner_alone(&file)?;
    // Two that begin at once would both make one. It ends with the file.
    file.lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let words = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let there: HashMap<&str, Vec<&str>> =
        words.filter_map(|words| Some((*words.first()?, words))).collect();
    let mut missing = Vec::new();
    for (name, rights) in names {
        match there.get(name) {
            Some(words) if rights.split(' ').all(|right| words[1..].contains(&right)) => {}
            Some(_) => {
                let why = format!("{name} is in it and may do less; its line wants: {rights}");
                return Err(io::Error::new(io::ErrorKind::AlreadyExists, why));
            }
            None => missing.push((name, rights)),
        }
    }
    let mut lines = String::new();
    for (name, rights) in &missing {
        let secret: String = nonce()?.iter().map(|byte| format!("{byte:02x}")).collect();
        lines.push_str(&format!("{name} {secret} {rights}\n"));
    }
    secrets::append(&mut file, &text, &lines)?;
    Ok(missing.len())
}

// Neither shows a secret, also where somebody prints a whole service.
impl fmt::Debug for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Member").field("name", &self.name).finish_non_exhaustive()
    }
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Members").field(&self.members.len()).finish()
    }
}

impl Clone for Members {
    fn clone(&self) -> Members {
        let copy = |it: &Member| Member {
            name: it.name.clone(),
            key: it.key.clone(),
            rights: it.rights.clone(),
        };
        let members = self.members.iter().map(|(name, member)| (name.clone(), copy(member)));
        Members { members: members.collect(), nobody: self.nobody.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_wrong_is_told_by_its_line_and_without_its_secrets() {
        let good = "ann 0123456789abcdef echo\n\nbob fedcba9876543210 echo upper\n";
        assert!(Members::parse(good).unwrap().find("bob").is_some());
        let wrong = [
            ("", "no name"),
            ("ann", "line 1"),
            ("ann short echo", "16 characters"),
            ("a/b 0123456789abcdef", "a name is"),
            ("ann 0123456789abcdef fly", "a right is"),
            ("ann 0123456789abcdef\nann 0123456789abcdef", "line 2: this name is there twice"),
        ];
        for (text, why) in wrong {
            let told = Members::parse(text).unwrap_err();
            assert!(told.contains(why) && !told.contains("0123"), "{told}");
        }
        let shown = format!("{:?}", Members::parse(good).unwrap());
        assert!(!shown.contains("0123") && !shown.contains("fedc"));
    }

    #[test]
    fn a_last_line_without_an_end_stays_a_line_of_its_own() {
        let file = std::env::temp_dir().join(format!("netcore-last-line-{}", std::process::id()));
        let _ = std::fs::remove_file(&file);
        add(&file, &[("ann", "echo")]).unwrap();
        let text = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, text.trim_end()).unwrap();
        let added = add(&file, &[("ann", "echo"), ("bob", "echo")]);
        let members = Members::parse(&std::fs::read_to_string(&file).unwrap());
        std::fs::remove_file(&file).unwrap();
        assert_eq!(added.unwrap(), 1);
        let members = members.unwrap();
        assert!(members.find("ann").is_some() && members.find("bob").is_some());
    }

    #[test]
    #[cfg(unix)]
    fn a_secret_is_not_written_where_others_can_read_it() {
        use std::fs::{Permissions, read_to_string, remove_file, set_permissions, write};
        use std::os::unix::fs::PermissionsExt;

        let path = std::env::temp_dir().join(format!("netcore-members-{}", std::process::id()));
        write(&path, "").unwrap();
        set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let refused = add(&path, &[("ann", "echo")]).unwrap_err();
        let written = read_to_string(&path).unwrap();
        set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
        let added = [(); 2].map(|()| add(&path, &[("ann", "echo")]).unwrap());
        let members = Members::read(&path);
        // Rights that it does not have are not told to be there.
        let more = add(&path, &[("ann", "echo upper")]);
        remove_file(&path).unwrap();
        assert_eq!((refused.kind(), written.as_str()), (io::ErrorKind::PermissionDenied, ""));
        // The second time it is there.
        assert_eq!(added, [1, 0]);
        assert_eq!(more.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert!(members.unwrap().find("ann").is_some());
    }
}
