//! The other end of a connection in TLS: what it shows of itself, and what it says before
//! anything else.

use std::io::{self, Read, Write};
use std::net::SocketAddr;

use netcore::proof::{self, Members, Right};
use netcore::testing::{Greeting, Tls, TlsAddress, TlsWire, Transport};
use netcore::tls::{ClientSide, Folder};

use crate::ladder::{Rung, every_rung};

/// Who we are, in the certificate and among the secrets of the demo.
const NAME: &str = "ann";

/// Logs in as `login-echo` wants it.
#[derive(Debug, Clone)]
struct Login;

impl Greeting for Login {
    const LABEL: &'static [u8] = b"EXPORTER-login-echo";

    fn greet(stream: &mut (impl Read + Write), session: [u8; 32]) -> io::Result<()> {
        let rung = every_rung().iter().find(|rung| logs_in(rung));
        let folder = rung.and_then(|rung| rung.certs_folder());
        let file = folder.ok_or(io::ErrorKind::NotFound)?.join("secrets");
        let members = Members::read(&file).map_err(io::Error::other)?;
        let member = members.find(NAME).ok_or(io::ErrorKind::NotFound)?;
        proof::log_in(stream, member, Right::Echo, session)
    }
}

fn logs_in(rung: &Rung) -> bool {
    rung.speaks.as_deref() == Some("login")
}

/// Whether this rung is spoken to in TLS.
pub(crate) fn speaks(rung: &Rung) -> bool {
    !rung.certs.is_empty()
}

/// A connection, whose handshake is made in the background.
///
/// # Panics
/// When nobody listens there, or there are no certificates.
#[track_caller]
pub(crate) fn connect(rung: &Rung, socket: SocketAddr) -> TlsWire {
    let address = TlsAddress { socket, side: side(rung) };
    let connected = match logs_in(rung) {
        true => Tls::<Login>::connect(&address),
        false => Tls::<()>::connect(&address),
    };
    connected.unwrap_or_else(|error| panic!("cannot connect to {socket}: {error}"))
}

/// The same, with next to no room for replies.
///
/// # Panics
/// As [`connect`].
#[track_caller]
pub(crate) fn connect_with_little_room(rung: &Rung, socket: SocketAddr) -> TlsWire {
    let address = TlsAddress { socket, side: side(rung) };
    let connected = match logs_in(rung) {
        true => Tls::<Login>::connect_with_little_room(&address),
        false => Tls::<()>::connect_with_little_room(&address),
    };
    connected.unwrap_or_else(|error| panic!("cannot connect to {socket}: {error}"))
}

/// Who has no secret shows a certificate.
fn side(rung: &Rung) -> ClientSide {
    let folder = Folder::at(rung.certs_folder().expect("it has certificates"));
    let side = match logs_in(rung) {
        true => ClientSide::from_folder(&folder),
        false => ClientSide::called(&folder, &folder, NAME),
    };
    side.unwrap_or_else(|error| panic!("{}: {error}", rung.name))
}
