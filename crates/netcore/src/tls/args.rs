//! What a command line says of certificates, the same for every program that speaks TLS.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::{ClientSide, Fingerprint, Folder, ServerSide};
use crate::Error;
use crate::cli::{Also, announce, duration, folder, print};
use crate::log::init;

/// What a server shows, and whom it lets in.
#[derive(Debug, Clone, Args)]
pub struct ServerTlsArgs {
    /// Show the certificate in this folder, which the command certs has made; without it,
    /// one that is made now, and whose fingerprint is printed
    #[arg(long, value_name = "DIR", value_parser = folder())]
    pub certs: Option<PathBuf>,
    /// Let in only who shows a certificate of the same folder
    #[arg(long, requires = "certs")]
    pub mutual: bool,
    /// Drop a client whose handshake takes longer, however busy it is
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "10s")]
    pub handshake: Duration,
}

impl ServerTlsArgs {
    /// What is shown.
    ///
    /// # Errors
    /// When a file cannot be read, or is none.
    pub fn side(&self) -> Result<ServerSide, Error> {
        match &self.certs {
            Some(path) if self.mutual => ServerSide::mutual(&Folder::at(path)),
            Some(path) => ServerSide::from_folder(&Folder::at(path)),
            None => ServerSide::made_now(),
        }
    }

    /// Prints what a client can know the server by, where nobody vouches for it.
    ///
    /// # Errors
    /// That it could not be printed: nobody could be a client.
    pub fn announce(&self, side: &ServerSide) -> Result<(), Error> {
        match self.certs {
            Some(_) => Ok(()),
            None => announce(format_args!("fingerprint {}", side.fingerprint())),
        }
    }
}

/// Whom a client believes.
#[derive(Debug, Clone, Args)]
pub struct ClientTlsArgs {
    /// Believe in the authority of this folder
    #[arg(long, value_name = "DIR", value_parser = folder(), required_unless_present = "fingerprint")]
    pub certs: Option<PathBuf>,
    /// Show the certificate of this name, from the same folder
    // Both: clap asks for no option that another one on the line excludes.
    #[arg(long = "as", value_name = "NAME", requires = "certs", conflicts_with = "fingerprint")]
    pub name: Option<String>,
    /// Believe the server whose certificate has this fingerprint, which it has printed
    #[arg(long, value_name = "HEX", conflicts_with = "certs")]
    pub fingerprint: Option<Fingerprint>,
}

impl ClientTlsArgs {
    /// Whom it believes, and what it shows.
    ///
    /// # Errors
    /// When a file cannot be read, or is none.
    pub fn side(&self) -> Result<ClientSide, Error> {
        match (&self.certs, &self.name, self.fingerprint) {
            (Some(path), None, _) => ClientSide::from_folder(&Folder::at(path)),
            (Some(path), Some(name), _) => {
                let folder = Folder::at(path);
                ClientSide::called(&folder, &folder, name)
            }
            (None, _, Some(fingerprint)) => ClientSide::knowing(fingerprint),
            (None, ..) => {
                Err(Error::Usage("--certs or --fingerprint tells whom to believe".into()))
            }
        }
    }
}

/// Where certificates are made, and for whom.
#[derive(Debug, Clone, Args)]
pub struct CertsArgs {
    /// The folder, which is made; what is there already stays
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// A client that gets a certificate of this name; may be repeated
    #[arg(long, value_name = "NAME")]
    pub name: Vec<String>,
}

/// The command `certs`.
pub const CERTS: Also<CertsArgs> = Also {
    name: "certs",
    about: "Make an authority, and certificates for the server and for clients",
    example: ["certs --name ann", "--certs certs", "--certs certs"],
    run: make_certificates,
};

/// Makes them, and prints the files.
fn make_certificates(args: CertsArgs) -> Result<(), Error> {
    init(0);
    let made = Folder::at(&args.folder).make(&args.name)?;
    if made.is_empty() {
        return print(format_args!("{} has them all already", args.folder.display()));
    }
    made.iter().try_for_each(|path| print(path.display()))
}
