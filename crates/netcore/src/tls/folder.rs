//! The files that certificates and keys are kept in.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process;

use super::authority::{Authority, Purpose, Validity};
use super::failed;
use crate::{Error, secrets};

/// The names of a server on this machine.
pub(super) const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// What no client can be called: these have files of their own.
const RESERVED: [&str; 2] = [AUTHORITY, SERVER];
const AUTHORITY: &str = "authority";
const SERVER: &str = "server";

/// The longest name. It is a label of DNS.
const LONGEST: usize = 63;

/// A folder with `authority.pem` and `authority.key`, `server.pem` and `server.key`, and
/// two such files for each client.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// The folder at this path, as it is.
    pub fn at(path: impl Into<PathBuf>) -> Folder {
        Folder(path.into())
    }

    /// What is missing of all this is made, and told; what is there stays.
    ///
    /// # Errors
    /// A name that is none; what the system says of the files.
    pub fn make(&self, names: &[String]) -> Result<Vec<PathBuf>, Error> {
        if let Some(wrong) = names.iter().find(|name| !is_name(name)) {
            let text =
                "a name is made of letters, digits and hyphens, and is not server or authority";
            return Err(Error::Usage(format!("{wrong:?} is no name of a client: {text}")));
        }
        // The files of both would be the same where names of files are, whatever their case.
        let mut once = HashSet::new();
        if let Some(twice) = names.iter().find(|name| !once.insert(name.to_ascii_lowercase())) {
            return Err(Error::Usage(format!("{twice:?} is the name of a client before it")));
        }
        let made = match fs::read_dir(&self.0).map(|mut entries| entries.next().is_none()) {
            Ok(false) => Ok(Vec::new()),
            Ok(true) => self.make_inside(names),
            Err(_) => self.make_whole(names),
        };
        let cannot = || failed(format!("make certificates in {}", self.0.display()));
        let mut made = made.map_err(cannot())?;
        if made.is_empty() {
            made = self.add(names).map_err(cannot())?;
        }
        Ok(made)
    }

    /// All at once, so that whoever finds the folder finds the whole of it, also where two
    /// programs make it at the same time.
    fn make_whole(&self, names: &[String]) -> io::Result<Vec<PathBuf>> {
        // By its components, as a path may end with a slash.
        let mut beside = self.0.components().as_path().as_os_str().to_os_string();
        beside.push(format!(".{}", process::id()));
        let new = Folder(beside.into());
        fs::create_dir_all(&new.0)?;
        let made = new.fill(names);
        let made = made.and_then(|files| fs::rename(&new.0, &self.0).map(|()| files));
        if made.is_err() {
            let _ = fs::remove_dir_all(&new.0);
        }
        match made {
            Ok(files) => Ok(files.iter().map(|file| self.0.join(file)).collect()),
            // Somebody else was first.
            Err(_) if self.file(AUTHORITY, "pem").exists() => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// In an empty folder, which may be a link, a volume or the one that we are in, and has a
    /// mode of its own: it cannot be replaced by another.
    fn make_inside(&self, names: &[String]) -> io::Result<Vec<PathBuf>> {
        // Two that begin at once would mix their files.
        private().create_new(true).open(self.file(AUTHORITY, "key"))?;
        let made = self.fill(names);
        if made.is_err() {
            let names = names.iter().map(String::as_str).chain(RESERVED);
            names.flat_map(|name| self.files_of(name)).for_each(|file| drop(fs::remove_file(file)));
        }
        Ok(made?.iter().map(|file| self.0.join(file)).collect())
    }

    fn fill(&self, names: &[String]) -> io::Result<Vec<PathBuf>> {
        let authority = Authority::new()?;
        let mut made = self.keep(AUTHORITY, &authority.certificate, &authority.key())?;
        made.extend(self.sign(&authority, SERVER, &LOCAL, Purpose::Server)?);
        for name in names {
            made.extend(self.sign(&authority, name, &[name], Purpose::Client)?);
        }
        Ok(made.iter().filter_map(|path| path.file_name()).map(PathBuf::from).collect())
    }

    fn add(&self, names: &[String]) -> io::Result<Vec<PathBuf>> {
        let authority = self.authority()?;
        let mut made = Vec::new();
        if self.misses(SERVER) {
            made.extend(self.sign(&authority, SERVER, &LOCAL, Purpose::Server)?);
        }
        for name in names.iter().filter(|name| self.misses(name)) {
            made.extend(self.sign(&authority, name, &[name], Purpose::Client)?);
        }
        Ok(made)
    }

    /// One file is of no use without the other.
    fn misses(&self, name: &str) -> bool {
        !self.files_of(name).iter().all(|file| file.exists())
    }

    fn sign(
        &self,
        authority: &Authority,
        name: &str,
        called: &[&str],
        purpose: Purpose,
    ) -> io::Result<Vec<PathBuf>> {
        let signed = authority.sign(called, purpose, Validity::from_now())?;
        self.keep(name, &signed.certificate, &signed.key)
    }

    /// The authority whose key is here.
    ///
    /// # Errors
    /// When it is not here.
    pub fn authority(&self) -> io::Result<Authority> {
        let certificate = read(&self.file(AUTHORITY, "pem"), |path| File::open(path))?;
        Authority::from_pem(certificate, &read(&self.file(AUTHORITY, "key"), secrets::open_given)?)
    }

    /// Keeps a certificate and its key (PEM), in the place of those of before.
    ///
    /// # Errors
    /// What the system says of the files.
    pub fn keep(&self, name: &str, certificate: &str, key: &str) -> io::Result<Vec<PathBuf>> {
        let [certificate_file, key_file] = [self.file(name, "pem"), self.file(name, "key")];
        // The key first: a certificate without one would be taken for whole.
        write(&key_file, key, &mut private())?;
        write(&certificate_file, certificate, OpenOptions::new().write(true))?;
        Ok(vec![certificate_file, key_file])
    }

    pub(super) fn authority_file(&self) -> PathBuf {
        self.file(AUTHORITY, "pem")
    }

    pub(super) fn server_files(&self) -> [PathBuf; 2] {
        self.files_of(SERVER)
    }

    pub(super) fn files_of(&self, name: &str) -> [PathBuf; 2] {
        [self.file(name, "pem"), self.file(name, "key")]
    }

    fn file(&self, name: &str, kind: &str) -> PathBuf {
        self.0.join(format!("{name}.{kind}"))
    }
}

/// Whether it can be in a certificate and in the name of a file, and leads nowhere else.
pub(super) fn is_name(name: &str) -> bool {
    let letters = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    let ends = name.starts_with('-') || name.ends_with('-');
    let reserved = RESERVED.iter().any(|other| other.eq_ignore_ascii_case(name));
    letters && !ends && (1..=LONGEST).contains(&name.len()) && !reserved
}

fn read(path: &Path, open: fn(&Path) -> io::Result<File>) -> io::Result<String> {
    open(path).and_then(io::read_to_string).map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            io::Error::new(error.kind(), format!("there is no {}", path.display()))
        }
        _ => error,
    })
}

/// A file that only its owner can read, from its first moment on.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true);
    options
}

fn write(path: &Path, text: &str, options: &mut OpenOptions) -> io::Result<()> {
    // Another file of this name would keep its mode.
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    options.create_new(true).open(path)?.write_all(text.as_bytes())
}
