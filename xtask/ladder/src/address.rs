//! Where a server listens: a port, or a file.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;

use crate::{Failure, failure};

/// What stands before a path in a ready line.
const UNIX: &str = "unix:";

/// An address of the internet, or a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// TCP or UDP.
    Inet(SocketAddr),
    /// A UNIX socket.
    Unix(PathBuf),
}

impl Address {
    /// A port of 127.0.0.1; 0 is whichever is free.
    pub fn port(port: u16) -> Address {
        Address::Inet(([127, 0, 0, 1], port).into())
    }

    /// The address of the internet.
    ///
    /// # Errors
    /// It is a file.
    pub fn inet(&self) -> Result<SocketAddr, Failure> {
        match self {
            Address::Inet(address) => Ok(*address),
            Address::Unix(_) => Err(failure!("{self} is no address of the internet")),
        }
    }

    /// The option that leads a rung's server or client there: `--port 9090`.
    pub fn option(&self) -> [String; 2] {
        match self {
            Address::Inet(address) => ["--port".into(), address.port().to_string()],
            Address::Unix(path) => ["--path".into(), path.display().to_string()],
        }
    }
}

impl From<SocketAddr> for Address {
    fn from(address: SocketAddr) -> Address {
        Address::Inet(address)
    }
}

impl From<&Address> for Address {
    fn from(address: &Address) -> Address {
        address.clone()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Inet(address) => write!(f, "{address}"),
            Address::Unix(path) => write!(f, "{UNIX}{}", path.display()),
        }
    }
}

impl FromStr for Address {
    type Err = ();

    fn from_str(text: &str) -> Result<Address, ()> {
        match text.strip_prefix(UNIX) {
            Some(path) => Ok(Address::Unix(path.into())),
            None => text.parse().map(Address::Inet).map_err(|_| ()),
        }
    }
}
