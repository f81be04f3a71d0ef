//! The server: runs each request when it comes first, and answers from memory when it
//! comes again.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use netcore::accept::{Affects, SHORTAGE_PAUSE, affects};
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::wait;

use crate::memory::{Known, Memory};
use crate::wire::{Kind, Message};
use crate::{BUFFER, MAX_MESSAGE, Options};

/// Windows for "the datagram is longer than the buffer, and was cut". It has no
/// [`ErrorKind`].
const WSAEMSGSIZE: i32 = 10040;

/// Windows for "the time to live of an earlier reply ran out".
const WSAENETRESET: i32 = 10052;

/// Answers requests until `shutdown` is told to stop.
///
/// There is nothing to accept and no client to wait for: each datagram comes with the
/// address of its sender.
///
/// # Errors
/// What receive says when no further datagram could be received. A reply that cannot be
/// sent is logged and lost, as the network may lose any: its client will ask again.
pub fn serve(socket: UdpSocket, options: &Options, shutdown: &Shutdown) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let mut buf = vec![0; BUFFER];
    let mut desk = Desk::new(options);
    log::info!("waiting for datagrams");
    while let Some((n, peer)) = receive(&socket, &mut buf, shutdown)? {
        if n == buf.len() {
            log::warn!("{peer} dropped: longer than any datagram should be, and cut");
            continue;
        }
        let Some(answer) = desk.answer(&buf[..n], peer, Instant::now()) else { continue };
        // Nobody has checked that the sender's address is the sender's. On an open network, a
        // reply longer than its request helps to flood a third party.
        match socket.send_to(&answer, peer) {
            // As a whole: a datagram has no rest to send.
            Ok(_) => {}
            // Waiting for room would let the datagrams of everybody else overflow meanwhile.
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                log::warn!("{peer} dropped: the buffer for sending is full");
            }
            // Stopped by a firewall, no route, no memory: one datagram's bad luck.
            Err(error) => log::warn!("{peer} dropped: {}", reason(&error)),
        }
    }
    Ok(())
}

/// The next datagram, whole, in `buf`: its length and its sender. `None` when the
/// process has been told to stop.
///
/// Receives first and polls only when nothing is there. So a busy server makes two
/// system calls for each datagram, recvfrom and sendto; an idle one sleeps in poll,
/// which a stop ends, and makes none.
fn receive(
    socket: &UdpSocket,
    buf: &mut [u8],
    shutdown: &Shutdown,
) -> io::Result<Option<(usize, SocketAddr)>> {
    while !shutdown.is_stopping() {
        match socket.recv_from(buf) {
            // A length of 0 is an empty datagram: UDP has no end of stream.
            Ok(received) => return Ok(Some(received)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                wait::readable(socket, shutdown, Deadline::NEVER)?;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if affects(&error) == Affects::AllForNow => {
                log::warn!("cannot receive for now: {}", reason(&error));
                wait::pause(SHORTAGE_PAUSE, shutdown)?;
            }
            Err(error) if tells_of_an_earlier_reply(&error) => {
                log::debug!("an earlier reply did not arrive: {}", reason(&error));
            }
            Err(error) if error.raw_os_error() == Some(WSAEMSGSIZE) => {
                log::warn!("dropped a datagram: longer than any should be, and cut");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(None)
}

/// Where requests are answered: everything of the server but its socket and its clock.
#[derive(Debug)]
pub struct Desk {
    memory: Memory,
    runs: u64,
}

impl Desk {
    /// Nothing has run yet.
    pub fn new(options: &Options) -> Desk {
        Desk { memory: Memory::new(options.clone()), runs: 0 }
    }

    /// Requests that have run so far.
    pub fn runs(&self) -> u64 {
        self.runs
    }

    /// The datagram that answers `datagram`, which `peer` has sent and which came
    /// `now`. `None` where there is nothing to say: a client that is not answered
    /// asks again.
    pub fn answer(&mut self, datagram: &[u8], peer: SocketAddr, now: Instant) -> Option<Vec<u8>> {
        let Some(request @ Message { kind: Kind::Request, attempt, session, id, payload: asked }) =
            Message::decode(datagram)
        else {
            log::warn!("{peer} dropped: {} bytes that are no request", datagram.len());
            return None;
        };
        if asked.len() > MAX_MESSAGE {
            log::warn!("{peer} dropped: a request whose reply would not fit into a datagram");
            return None;
        }
        let client = (peer, session);
        let mut answer = Vec::new();
        match self.memory.look_up(client, id, now) {
            Known::New => {
                log::debug!("{peer} received {} bytes {}", asked.len(), payload(asked));
                self.runs += 1;
                reply(asked, self.runs, &mut answer);
                self.memory.remember(client, id, answer.clone(), now);
            }
            Known::Answered(before) => {
                log::info!("{peer} asked again, try {attempt} of request {id}: it has run already");
                answer.extend_from_slice(before);
            }
            Known::Outdated => {
                log::info!(
                    "{peer} ignored try {attempt} of request {id}, which its client no longer waits for"
                );
                return None;
            }
            Known::NoRoom => {
                log::warn!("{peer} dropped: no room to remember another reply");
                return None;
            }
        }
        log::debug!("{peer} sending {} bytes {}", answer.len(), payload(&answer));
        Some(Message { kind: Kind::Reply, payload: &answer, ..request }.encode())
    }
}

/// Turns what was received into the reply: the place for what a server of your own
/// does. This one is to be seen running, so each run takes the next number, and would
/// take another one if it ran again.
fn reply(received: &[u8], number: u64, answer: &mut Vec<u8>) {
    answer.clear();
    answer.extend_from_slice(format!("{number}: ").as_bytes());
    // Bytes, not text: a datagram that is not UTF-8 is no reason to stop.
    answer.extend_from_slice(received);
}

/// Whether this is no error of the receive. A reply to a port that has been closed
/// meanwhile is answered by ICMP, and Windows reports that at the next receive, whoever
/// it is from. Linux and macOS tell connected sockets only.
fn tells_of_an_earlier_reply(error: &io::Error) -> bool {
    match error.kind() {
        ErrorKind::ConnectionReset
        | ErrorKind::ConnectionRefused
        | ErrorKind::HostUnreachable
        | ErrorKind::NetworkUnreachable
        | ErrorKind::NetworkDown => true,
        _ => error.raw_os_error() == Some(WSAENETRESET),
    }
}
