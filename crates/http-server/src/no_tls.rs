//! What takes the place of TLS in a build without the feature `tls`: types that nobody
//! can make, so that nothing else has to know.

use std::io::{self, ErrorKind, IoSlice};
use std::path::Path;

use netcore::Error;

use crate::wire::Wire;

/// A certificate with its key, of which there are none in this build.
#[derive(Debug, Clone, Copy)]
pub enum Tls {}

impl Tls {
    /// Fails.
    ///
    /// # Errors
    /// Always: the feature `tls` is off.
    pub fn self_signed(_: Vec<String>) -> Result<Tls, Error> {
        Err(missing())
    }

    /// Fails.
    ///
    /// # Errors
    /// Always: the feature `tls` is off.
    pub fn from_pem(_: &Path, _: &Path) -> Result<Tls, Error> {
        Err(missing())
    }

    pub(crate) fn session(&self) -> io::Result<Session> {
        match *self {}
    }
}

fn missing() -> Error {
    let why = "this build has no TLS; build it with --features tls";
    Error::failed("encrypt")(io::Error::new(ErrorKind::Unsupported, why))
}

#[derive(Debug)]
pub(crate) enum Session {}

impl Session {
    pub(crate) fn read(&mut self, _: &mut Wire, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn write(&mut self, _: &mut Wire, _: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }

    pub(crate) fn end(&mut self, _: &mut Wire) -> io::Result<()> {
        match *self {}
    }
}
