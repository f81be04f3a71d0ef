//! What takes the place of TLS in a build without the feature `tls`: types that nobody
//! can make, so that nothing else has to know.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::path::Path;

use netcore::Error;

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

    /// Nothing: there is no such certificate.
    pub fn session(&self) -> io::Result<Session> {
        match *self {}
    }
}

fn missing() -> Error {
    let why = "this build has no TLS; its feature tls is off (cargo build --features tls)";
    Error::failed("encrypt")(io::Error::new(ErrorKind::Unsupported, why))
}

#[derive(Debug)]
pub enum Session {}

impl Session {
    pub fn is_handshaking(&self) -> bool {
        match *self {}
    }

    pub fn handshake(&mut self, _: &mut (impl Read + Write)) -> io::Result<()> {
        match *self {}
    }

    pub fn read(&mut self, _: &mut (impl Read + Write), _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub fn write(&mut self, _: &mut impl Write, _: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }

    pub fn send(&mut self, _: &mut impl Write) -> io::Result<()> {
        match *self {}
    }

    pub fn end(&mut self, _: &mut impl Write) -> io::Result<()> {
        match *self {}
    }
}
