//! What stands for clients in TLS where that is not built.

use std::io::{self, ErrorKind};

use crate::{Running, Target};

pub(super) use none as no_goodbye;
pub(super) use none as no_certificate;
pub(super) use none as foreign_certificate;
pub(super) use none as expired_certificate;
pub(super) use none as wrong_secret;
pub(super) use none as replayed_login;

pub(super) fn none(_: &Target) -> io::Result<Running> {
    Err(io::Error::new(ErrorKind::Unsupported, "this program is built without TLS"))
}

pub(crate) fn hello() -> &'static [u8] {
    &[]
}
