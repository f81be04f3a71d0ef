//! A replica: it follows another server over frames, keeps what that has done in a store of
//! its own, and answers those who read.
//!
//! It is behind by what is on the way, and when it was dead, by what it has missed: it asks
//! for everything after the last position that it has. Requests that were remembered stay
//! with the other server, which is the only one that writes.

use std::io::{self, BufReader, ErrorKind};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use netcore::connect;
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::shutdown::Shutdown;
use netcore::wait;

use crate::frames::PULSE;
use crate::message::{ANY, Ask, Reply, Request, Why};
use crate::service::Service;
use crate::store::{Effect, Outcome};
use crate::tokens::REPLICA;

/// How long a connection may take, and how long silence is no failure: some pulses.
const PATIENCE: Duration = PULSE.saturating_mul(5);

/// How long the other server is left alone between two connections: what ends each at once,
/// such as a proxy in front of one that is down, is not asked all the time.
const PAUSE: Duration = Duration::from_millis(200);

/// An address as it is written on the command line.
///
/// # Errors
/// A sentence for clap to show.
pub fn address(text: &str) -> Result<(String, u16), String> {
    let parts = text.rsplit_once(':').filter(|(host, _)| !host.is_empty());
    let parts = parts.and_then(|(host, port)| Some((host.to_string(), port.parse().ok()?)));
    parts.ok_or_else(|| "an address is written as HOST:PORT".into())
}

/// Follows until a stop, whatever becomes of the other server meanwhile. `own` is where we
/// listen ourselves.
///
/// # Errors
/// `InvalidData` when the other server has another store than the one that was followed
/// before, or refuses: going on would mix two states; when there is no other server.
pub fn follow(service: &Service, own: SocketAddr, shutdown: &Shutdown) -> io::Result<()> {
    let Some((host, port)) = &service.options.follow else { return Ok(()) };
    let (connected, connections) = mpsc::channel();
    let at_stop = connected.clone();
    shutdown.on_stop(move || drop(at_stop.send(None)));
    let mut trouble = None;
    while !shutdown.is_stopping() {
        let (into, address) = (connected.clone(), (host.clone(), *port));
        // In a thread of its own: a stop waits for no name, and for nobody who does not answer.
        let connect = move || drop(into.send(Some(connect(&address.0, address.1))));
        let asked = thread::Builder::new().spawn(connect);
        let stream = asked.and_then(|_| connections.recv().unwrap_or_default().transpose());
        let followed = match stream {
            Ok(Some(stream)) => {
                is_another(&stream, own).and_then(|()| follow_over(stream, service, shutdown))
            }
            Ok(None) => return Ok(()),
            Err(error) => Err(error),
        };
        match followed {
            // The limit of a connection there: more is to come.
            Ok(()) => trouble = None,
            Err(error) if error.kind() == ErrorKind::InvalidData => return Err(error),
            Err(error) => {
                let why = format!("{host}:{port} cannot be followed for now: {}", reason(&error));
                match trouble.as_ref() == Some(&why) {
                    // A night without the other server is one line.
                    true => log::debug!("{why}"),
                    false => log::warn!("{why}"),
                }
                trouble = Some(why);
            }
        }
        wait::pause(PAUSE, shutdown)?;
    }
    Ok(())
}

fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    connect::tcp(host, port, PATIENCE).map_err(|error| match error {
        netcore::Error::Connect { source, .. } | netcore::Error::Resolve { source, .. } => source,
        other => io::Error::other(other.to_string()),
    })
}

/// Who follows itself has all that it has, and nobody could ever write.
fn is_another(stream: &TcpStream, own: SocketAddr) -> io::Result<()> {
    let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
    let is_at_hand = own.ip().is_unspecified() && peer.ip() == local.ip();
    match peer.port() == own.port() && (peer.ip() == own.ip() || is_at_hand) {
        true => Err(invalid("--follow leads to this server itself")),
        false => Ok(()),
    }
}

fn follow_over(stream: TcpStream, service: &Service, shutdown: &Shutdown) -> io::Result<()> {
    let peer = stream.peer_addr()?;
    let stream = Connection::new(stream, shutdown)?;
    let mut message = Vec::new();
    let Some(token) = service.tokens.token(Some(REPLICA)) else {
        return Err(invalid("there is no token of the account \"replica\""));
    };
    let mut stream = BufReader::new(stream);
    let (mut store, since) = service.store.standing()?;
    // Both at once, so that nobody waits for the first answer before the second.
    for ask in [Ask::Chain, Ask::Replicate { store, since }] {
        ANY.encode(&Request { token: token.clone(), key: None, ask }, &mut message)?;
        stream.get_mut().set_deadline(Deadline::after(PATIENCE));
        ANY.write(stream.get_mut(), &message)?;
    }
    let mut heard = false;
    loop {
        stream.get_mut().set_deadline(Deadline::after(PATIENCE));
        let Some(reply) = ANY.read::<Reply>(&mut stream, &mut message)? else {
            let ended = heard || shutdown.is_stopping();
            return if ended { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) };
        };
        heard = true;
        match reply? {
            Reply::Chain(names) => {
                if !service.chain.follows(names) {
                    return Err(invalid(
                        "--follow leads back to this server by way of others: nobody could write",
                    ));
                }
            }
            Reply::Store(followed) => {
                log::info!("{peer} is followed from position {since}");
                store = followed;
            }
            Reply::Changes(changes) => {
                let outcome =
                    service.writer.write(Effect::Copy { store, changes, keys: Vec::new() })?;
                if outcome == Outcome::OtherStore {
                    return Err(invalid(&Why::OtherStore.to_string()));
                }
            }
            Reply::Nothing => {}
            Reply::Refused(Why::Unavailable) => return Err(io::Error::other("its store failed")),
            Reply::Refused(why) => return Err(invalid(&why.to_string())),
            other => return Err(invalid(&format!("{other:?} is no answer to a replica"))),
        }
    }
}

fn invalid(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, why.to_string())
}
