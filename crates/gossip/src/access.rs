//! Who is talked to: the secret of a board, from a file and nowhere else, as a command line can be read by
//! everybody on the machine.

use std::fmt;
use std::io::{ErrorKind, Read};
use std::path::Path;

use clap::Args;
use netcore::Error;
use netcore::cli::path;
use netcore::error::reason;
use netcore::secrets;

use crate::proofs::Proofs;

/// Characters of the shortest secret: whoever sees a sealed datagram can try secrets
/// against it for as long as it likes, so they are made, and not thought of.
const SHORTEST: usize = 16;

/// Who is talked to.
#[derive(Debug, Clone, Args)]
pub struct Access {
    /// Talk only to those who have the secret in this file
    #[arg(long, value_name = "FILE", value_parser = path(Secret::read))]
    pub secret_file: Option<Secret>,
}

impl Access {
    /// The door of a node.
    ///
    /// # Errors
    /// When the system has no random numbers for a key.
    pub fn proofs(&self) -> Result<Proofs, Error> {
        let proofs = Proofs::new(self.secret_file.as_ref().map(Secret::bytes));
        proofs.ok_or_else(|| Error::failed("make a key")(ErrorKind::Other.into()))
    }
}

/// What all nodes of a board know and nobody else.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Reads the file `path`; blanks and line ends around the secret are none of it.
    ///
    /// # Errors
    /// A sentence for clap to show, which has nothing of the file in it.
    pub fn read(path: &Path) -> Result<Secret, String> {
        let mut text = Vec::new();
        let read = secrets::open_given(path).and_then(|mut file| file.read_to_end(&mut text));
        read.map_err(|error| reason(&error))?;
        match text.trim_ascii() {
            secret if secret.len() >= SHORTEST => Ok(Secret(secret.to_vec())),
            _ => Err(format!("a secret has {SHORTEST} characters or more")),
        }
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}
