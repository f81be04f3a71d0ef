//! A client's login over a stream that waits.

use std::io::{self, Read, Write};

use super::keys::Nonce;
use super::login::{CHALLENGE, Login, VERDICT};
use super::members::{Member, Right};

/// A client's whole login over `stream`, whose exporter value is `session`.
///
/// # Errors
/// What the stream says, and as [`Login::check`].
pub fn log_in(
    stream: &mut (impl Read + Write),
    member: &Member,
    wish: Right,
    session: Nonce,
) -> io::Result<()> {
    let login = Login::new(member, wish, session)?;
    stream.write_all(login.hello())?;
    let mut challenge = [0; CHALLENGE];
    stream.read_exact(&mut challenge)?;
    stream.write_all(&login.proof(&challenge))?;
    let mut verdict = [0; VERDICT];
    stream.read_exact(&mut verdict)?;
    login.check(&challenge, &verdict)
}
