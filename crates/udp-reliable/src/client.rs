//! The client: sends a message as one datagram and waits for its reply, again and
//! longer while none comes.

use std::hash::{BuildHasher, RandomState};
use std::io::ErrorKind::{ConnectionRefused, ConnectionReset, Interrupted, TimedOut, WouldBlock};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use netcore::deadline::Deadline;
use netcore::log::payload;

use crate::retransmit::{Rtt, Tries};
use crate::wire::{Kind, Message};
use crate::{BUFFER, MAX_MESSAGE, Patience};

/// What makes the requests of one run of a client known to the server, and how long
/// their replies have taken.
#[derive(Debug)]
pub struct Session {
    number: u64,
    /// The number of the last request.
    last: u64,
    rtt: Rtt,
}

impl Session {
    /// A new one. Its random number tells it from that of a predecessor on the same
    /// port.
    pub fn new(patience: &Patience) -> Session {
        Session { number: random(), last: 0, rtt: Rtt::new(patience.timeout) }
    }

    /// The number of the next request. Whoever asks again, after an error, with the
    /// number that the message had will not have it run twice by one server.
    pub fn new_request(&mut self) -> u64 {
        self.last += 1;
        self.last
    }
}

/// Sends `message` as request `id` of the session and returns the reply to it, and to
/// nothing else.
///
/// Each of `sockets` is connected to one address of the server. They are asked in turn
/// as long as nobody listens there. Silence does not tell that a request has not run,
/// so after it no other address is asked.
///
/// # Errors
/// `ConnectionRefused` when nobody listens at any address. `TimedOut` when no try was
/// answered and `ConnectionAborted` when the server went away meanwhile: then the
/// message may have been taken, or not. `InvalidInput` for a message longer than
/// [`MAX_MESSAGE`].
pub fn exchange(
    sockets: &mut [UdpSocket],
    session: &mut Session,
    id: u64,
    message: &[u8],
    patience: &Patience,
) -> io::Result<Vec<u8>> {
    if message.len() > MAX_MESSAGE {
        let text = format!(
            "{} bytes are more than the {MAX_MESSAGE} of the largest message",
            message.len()
        );
        return Err(io::Error::new(ErrorKind::InvalidInput, text));
    }
    let mut result = Err(ErrorKind::AddrNotAvailable.into());
    for _ in 0..sockets.len() {
        result = ask(&sockets[0], session, id, message, patience);
        match &result {
            Err(error) if error.kind() == ConnectionRefused => sockets.rotate_left(1),
            _ => break,
        }
    }
    result
}

fn ask(
    socket: &UdpSocket,
    session: &mut Session,
    id: u64,
    message: &[u8],
    patience: &Patience,
) -> io::Result<Vec<u8>> {
    let peer = socket.peer_addr()?;
    // A refusal that came too late for an earlier request. Reading it clears it.
    socket.take_error()?;
    let number = session.number;
    let mut tries = Tries::new(patience.tries);
    while let Some(next) = tries.next(&mut session.rtt, Instant::now(), random()) {
        let attempt = next.number;
        let request =
            Message { kind: Kind::Request, attempt, session: number, id, payload: message };
        let received = send(socket, peer, &request)
            // One deadline for the whole try: datagrams that are not the reply cannot stretch it.
            .and_then(|()| receive(socket, peer, &request, Deadline::after(next.wait)));
        match received {
            Ok((answered, reply)) => {
                tries.answered(answered, &mut session.rtt, Instant::now());
                return Ok(reply);
            }
            Err(error) if error.kind() == TimedOut => {
                log::info!("{peer} no reply to try {attempt} within {:.1?}", next.wait);
            }
            // Windows says reset for refused.
            Err(error) if matches!(error.kind(), ConnectionRefused | ConnectionReset) => {
                // Linux tells this first, even if an earlier try has been answered and its reply
                // waits here.
                let reply = take_waiting(socket, peer, &request, Deadline::after(next.wait))?;
                // How long it was on its way is not known: it has waited here.
                return reply.map(|(_, reply)| reply).ok_or_else(|| refused(attempt));
            }
            Err(error) => return Err(error),
        }
    }
    let text = format!("timed out at try {}; whether it was taken is not known", patience.tries);
    Err(io::Error::new(TimedOut, text))
}

fn send(socket: &UdpSocket, peer: SocketAddr, request: &Message<'_>) -> io::Result<()> {
    log::debug!("{peer} sending {} bytes {}", request.payload.len(), payload(request.payload));
    // A datagram goes as a whole or not at all: there is no rest to send.
    socket.send(&request.encode())?;
    Ok(())
}

/// The reply to `request`, and the try that it answers.
fn receive(
    socket: &UdpSocket,
    peer: SocketAddr,
    request: &Message<'_>,
    deadline: Deadline,
) -> io::Result<(u8, Vec<u8>)> {
    let mut buf = vec![0; BUFFER];
    loop {
        socket.set_read_timeout(deadline.remaining()?)?;
        // The socket is connected, so the kernel has dropped what strangers sent.
        let n = match socket.recv(&mut buf) {
            Ok(n) => n,
            // A socket timeout (WouldBlock on Unix) or a signal. Whether the deadline has come, the
            // clock says.
            Err(error) if matches!(error.kind(), WouldBlock | TimedOut | Interrupted) => continue,
            Err(error) => return Err(error),
        };
        if let Some(reply) = reply_in(&buf[..n], peer, request) {
            return Ok(reply);
        }
    }
}

/// The reply to `request` and the try that it answers, if it is there already.
fn take_waiting(
    socket: &UdpSocket,
    peer: SocketAddr,
    request: &Message<'_>,
    deadline: Deadline,
) -> io::Result<Option<(u8, Vec<u8>)>> {
    let mut buf = vec![0; BUFFER];
    let mut found = None;
    socket.set_nonblocking(true)?;
    // A peer that never ceases to send must not hold us here.
    while found.is_none() && !deadline.has_passed() {
        match socket.recv(&mut buf) {
            Ok(n) => found = reply_in(&buf[..n], peer, request),
            Err(error) if error.kind() == WouldBlock => break,
            // A refusal that waited here as well. Reading it has cleared it.
            Err(_) => {}
        }
    }
    socket.set_nonblocking(false)?;
    Ok(found)
}

/// The reply in `datagram`, if it answers `request`, and the try that it answers.
fn reply_in(datagram: &[u8], peer: SocketAddr, request: &Message<'_>) -> Option<(u8, Vec<u8>)> {
    // A reply to an earlier request comes late, or comes twice; a forger who cannot see our
    // requests does not know the session.
    let Some(reply) = Message::decode(datagram).filter(|message| answers(message, request)) else {
        log::info!("{peer} ignored {} bytes, not the reply to this request", datagram.len());
        return None;
    };
    log::debug!("{peer} received {} bytes {}", reply.payload.len(), payload(reply.payload));
    Some((reply.attempt, reply.payload.to_vec()))
}

fn answers(message: &Message<'_>, request: &Message<'_>) -> bool {
    message.kind == Kind::Reply && (message.session, message.id) == (request.session, request.id)
}

/// Nobody listens. Where that is told at the first try, the message has hardly been
/// taken: a refusal does not say which datagram it is for, so it may be one that comes
/// late, for an earlier request.
fn refused(attempt: u8) -> io::Error {
    match attempt {
        1 => ConnectionRefused.into(),
        _ => io::Error::new(
            ErrorKind::ConnectionAborted,
            "the server has gone; whether the message was taken is not known",
        ),
    }
}

/// A number that nobody can foresee. The keys of [`RandomState`] come from the system's
/// own generator, which spares a dependency; the one thing that must not happen is that
/// two sessions have the same number.
fn random() -> u64 {
    RandomState::new().hash_one(())
}
