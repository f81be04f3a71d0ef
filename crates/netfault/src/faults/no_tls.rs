//! What stands for clients in TLS where that is not built.

use std::io::{self, ErrorKind, Read, Write};
use std::time::Duration;

use crate::stream::Stream;
use crate::{Running, Target};

pub(super) use none as no_goodbye;
pub(super) use none as no_certificate;
pub(super) use none as foreign_certificate;
pub(super) use none as expired_certificate;
pub(super) use none as wrong_secret;
pub(super) use none as replayed_login;

pub(super) fn none(_: &Target) -> io::Result<Running> {
    Err(missing())
}

fn missing() -> io::Error {
    io::Error::new(ErrorKind::Unsupported, "this program is built without TLS")
}

/// There is none.
pub(super) enum Inside {}

impl Inside {
    pub(super) fn enter(_: &Target, _: Stream, _: Duration) -> io::Result<Inside> {
        Err(missing())
    }

    pub(super) fn end(&mut self) -> io::Result<()> {
        match *self {}
    }
}

impl Read for Inside {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }
}

impl Write for Inside {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    fn flush(&mut self) -> io::Result<()> {
        match *self {}
    }
}

pub(crate) fn hello() -> &'static [u8] {
    &[]
}
