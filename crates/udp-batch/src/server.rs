//! The server: receives the datagrams that are there, answers their senders, and
//! receives the next, whoever sent them.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;

use netcore::accept::{Affects, SHORTAGE_PAUSE, affects};
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::log::payload;
use netcore::shutdown::Shutdown;
use netcore::wait;
use quinn_udp::UdpSocketState;

use crate::batch::{Inbox, Outbox};
use crate::{BUFFER, Options};

/// Windows for "the datagram is longer than the buffer, and was cut". It has no
/// [`ErrorKind`].
const WSAEMSGSIZE: i32 = 10040;

/// Windows for "the time to live of an earlier reply ran out".
const WSAENETRESET: i32 = 10052;

/// Answers datagrams until `shutdown` is told to stop.
///
/// There is nothing to accept and no client to wait for: each datagram comes with the
/// address of its sender.
///
/// # Errors
/// What receive says when no further datagram could be received. One that cannot be
/// answered is logged and lost, as the network may lose any.
pub fn serve(socket: UdpSocket, options: &Options, shutdown: &Shutdown) -> io::Result<()> {
    // Asks the system for offload, and makes the socket non-blocking.
    let offload = UdpSocketState::new((&socket).into())?;
    let mut inbox = Inbox::new();
    let mut outbox = Outbox::new();
    let mut answer = Vec::new();
    log::info!("waiting for datagrams");
    while receive(&socket, &offload, &mut inbox, shutdown)? {
        for (datagram, peer) in inbox.datagrams() {
            let n = datagram.len();
            if n == BUFFER {
                log::warn!("{peer} dropped: longer than any datagram should be, and cut");
                continue;
            }
            log::debug!("{peer} received {n} bytes {}", payload(datagram));
            reply(datagram, options, &mut answer);
            log::debug!("{peer} sending {} bytes {}", answer.len(), payload(&answer));
            // Nobody has checked that the sender's address is the sender's. On an open network, a
            // reply longer than its request helps to flood a third party, and two echo
            // servers can be set on each other for ever.
            if !outbox.takes(peer, answer.len(), offload.max_gso_segments()) {
                send(&socket, &offload, &mut outbox);
            }
            outbox.push(peer, &answer);
        }
        // Nobody waits for more to come: what was there is answered now.
        send(&socket, &offload, &mut outbox);
    }
    Ok(())
}

fn send(socket: &UdpSocket, offload: &UdpSocketState, outbox: &mut Outbox) {
    match outbox.send(socket, offload) {
        // Each as a whole: a datagram has no rest to send.
        Ok(()) => {}
        // Waiting for room would let the datagrams of everybody else overflow meanwhile.
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            log::warn!("{} dropped: the buffer for sending is full", outbox.peer());
        }
        // Too long with its prefix, or for the path; stopped by a firewall, no route, no memory:
        // bad luck.
        Err(error) => log::warn!("{} dropped: {}", outbox.peer(), reason(&error)),
    }
}

/// The next datagrams, whole, in `inbox`. `false` when the process has been told to
/// stop.
///
/// Receives first and polls only when nothing is there. So a busy server makes a few
/// system calls for hundreds of datagrams; an idle one sleeps in poll, which a stop
/// ends, and makes none.
fn receive(
    socket: &UdpSocket,
    offload: &UdpSocketState,
    inbox: &mut Inbox,
    shutdown: &Shutdown,
) -> io::Result<bool> {
    while !shutdown.is_stopping() {
        match inbox.receive(socket, offload) {
            Ok(()) => return Ok(true),
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
    Ok(false)
}

/// Turns what was received into the reply: the place for what a server of your own
/// does.
fn reply(received: &[u8], options: &Options, answer: &mut Vec<u8>) {
    answer.clear();
    answer.extend_from_slice(options.prefix.as_bytes());
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
