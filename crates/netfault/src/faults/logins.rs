//! Logins, as [`login`](super::login) has them.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;

use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::proof::{CHALLENGE, HELLO, Login, Members, PROOF, Right, VERDICT};
use netcore::tls::{ClientSide, TlsStream};

use super::handshakes::{HOST, folder};
use crate::peer::connect;
use crate::stream::name;
use crate::{GENEROUS, Running, Target};

/// Who the server knows, in the file of secrets beside its certificates.
pub(super) const NAME: &str = "ann";

/// What the server asks the keys of a session for.
pub(super) const EXPORTER: &[u8] = b"EXPORTER-login-echo";

pub(super) fn wrong_secret(target: &Target) -> io::Result<Running> {
    let visited = visit(target, |stream| {
        let login = login(target, stream)?;
        Ok((*login.hello(), Box::new(|_| [0; PROOF])))
    })?;
    Ok(visited.judged(target))
}

pub(super) fn replayed_login(target: &Target) -> io::Result<Running> {
    let good = visit(target, |stream| {
        let login = login(target, stream)?;
        Ok((*login.hello(), Box::new(move |challenge| login.proof(challenge))))
    })?;
    if !good.let_in {
        return Err(io::Error::other("a good client was refused"));
    }
    let visited = visit(target, |_| Ok((good.hello, Box::new(move |_| good.proof))))?;
    Ok(visited.judged(target))
}

/// A hello, and what answers the challenge.
type Words = ([u8; HELLO], Box<dyn Fn(&[u8; CHALLENGE]) -> [u8; PROOF]>);

/// What was said at a login, and what came of it.
struct Visited {
    peer: String,
    hello: [u8; HELLO],
    proof: [u8; PROOF],
    let_in: bool,
}

impl Visited {
    fn judged(&self, target: &Target) -> Running {
        let verdict = match self.let_in {
            true => Err("was let in".into()),
            false => Ok("was refused".into()),
        };
        Running::judged(&target.address, vec![self.peer.clone()], verdict)
    }
}

/// One login.
fn visit(
    target: &Target,
    words: impl FnOnce(&TlsStream<'_>) -> io::Result<Words>,
) -> io::Result<Visited> {
    let side = ClientSide::from_folder(&folder(target)?).map_err(io::Error::other)?;
    let stream = connect(target)?;
    let peer = name(&stream)?;
    let mut connection = Connection::of_client(TcpStream::from(stream))?;
    connection.set_deadline(Deadline::after(GENEROUS));
    let mut stream = side.connect(&mut connection, HOST)?;
    let (hello, answer) = words(&stream)?;
    stream.write_all(&hello)?;
    let mut challenge = [0; CHALLENGE];
    stream.read_exact(&mut challenge)?;
    let proof = answer(&challenge);
    stream.write_all(&proof)?;
    let mut verdict = [0; VERDICT];
    stream.read_exact(&mut verdict)?;
    Ok(Visited { peer, hello, proof, let_in: verdict[0] != 0 })
}

/// The end of a good client in this session.
fn login(target: &Target, stream: &TlsStream<'_>) -> io::Result<Login> {
    let members = members(target)?;
    let member = members.find(NAME).ok_or_else(missing)?;
    Login::new(member, Right::Echo, stream.session().exporter(EXPORTER)?)
}

/// Who the server knows.
pub(super) fn members(target: &Target) -> io::Result<Members> {
    let file = target.certs.ok_or_else(missing)?.join("secrets");
    Members::read(&file).map_err(io::Error::other)
}

fn missing() -> io::Error {
    io::Error::new(ErrorKind::NotFound, "there is no ann among the secrets")
}
