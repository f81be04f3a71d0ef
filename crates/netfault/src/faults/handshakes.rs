//! Clients in TLS, as [`tls`](super::tls) has them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use netcore::Error;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::tls::{Authority, ClientSide, Folder, Purpose, Validity};

use crate::peer::connect;
use crate::stream::name;
use crate::{GENEROUS, Running, Target};

/// What the faulty client says inside.
const WORDS: &[u8] = b"hello";

/// What it is called, where it has a certificate.
const NAME: &str = "ann";

/// What the server is called.
pub(super) const HOST: &str = "localhost";

/// Long ago, and for how long its certificate was valid then.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The first message of a client: what it can do, and a random number.
pub(crate) fn hello() -> &'static [u8] {
    static HELLO: OnceLock<Vec<u8>> = OnceLock::new();
    HELLO.get_or_init(|| {
        let zero = "00".repeat(32);
        let side = zero.parse().ok().and_then(|known| ClientSide::knowing(known).ok());
        let mut bytes = Vec::new();
        if let Some(mut session) = side.and_then(|side| side.session(HOST).ok()) {
            // Only the first message: it cannot go on without an answer, and that is known.
            let _ = session.send(&mut bytes);
        }
        bytes
    })
}

pub(super) fn no_goodbye(target: &Target) -> io::Result<Running> {
    let folder = folder(target)?;
    let own = folder.authority()?.sign(&[NAME], Purpose::Client, Validity::from_now())?;
    let side = ClientSide::showing(&folder, &own).map_err(io::Error::other)?;
    let stream = connect(target)?;
    let peer = name(&stream)?;
    let mut connection = Connection::of_client(TcpStream::from(stream))?;
    connection.set_deadline(Deadline::after(GENEROUS));
    let mut session = side.session(HOST)?;
    session.handshake(&mut connection)?;
    session.write(&mut connection, &[io::IoSlice::new(WORDS)])?;
    session.read(&mut connection, &mut [0; WORDS.len()])?;
    Ok(Running::judged(&target.address, vec![peer], Ok("has been and gone".into())))
}

pub(super) fn no_certificate(target: &Target) -> io::Result<Running> {
    turned_away(target, ClientSide::from_folder(&folder(target)?))
}

pub(super) fn foreign_certificate(target: &Target) -> io::Result<Running> {
    let own = Authority::new()?.sign(&[NAME], Purpose::Client, Validity::from_now())?;
    turned_away(target, ClientSide::showing(&folder(target)?, &own))
}

pub(super) fn expired_certificate(target: &Target) -> io::Result<Running> {
    let folder = folder(target)?;
    let yesterday = SystemTime::now() - DAY;
    let once = Validity { from: yesterday - DAY, until: yesterday };
    let own = folder.authority()?.sign(&[NAME], Purpose::Client, once)?;
    turned_away(target, ClientSide::showing(&folder, &own))
}

/// A client that goes through the handshake as far as it gets, and asks something.
fn turned_away(target: &Target, side: Result<ClientSide, Error>) -> io::Result<Running> {
    let side = side.map_err(io::Error::other)?;
    let stream = connect(target)?;
    let peer = name(&stream)?;
    let mut connection = Connection::of_client(TcpStream::from(stream))?;
    connection.set_deadline(Deadline::after(GENEROUS));
    let asked = side.connect(&mut connection, HOST).and_then(|mut stream| {
        // What it says may come to a server that has closed: reading tells why.
        let _ = stream.write_all(WORDS);
        stream.read_exact(&mut [0; WORDS.len()])
    });
    let verdict = match asked {
        Ok(()) => Err("was answered as if nothing were wrong".into()),
        Err(error) => Ok(format!("was told: {}", reason(&error))),
    };
    Ok(Running::judged(&target.address, vec![peer], verdict))
}

/// The folder with the server's authority.
pub(super) fn folder(target: &Target) -> io::Result<Folder> {
    let missing = || {
        let text = "the folder with the server's certificates and the key of their authority is needed (--certs)";
        io::Error::new(ErrorKind::NotFound, text)
    };
    target.certs.map(|path: &Path| Folder::at(path)).ok_or_else(missing)
}
