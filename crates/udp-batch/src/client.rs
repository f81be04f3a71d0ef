//! The client: sends a message as one datagram and waits for its reply, again and
//! longer while none comes.

use std::io::ErrorKind::{ConnectionRefused, ConnectionReset, Interrupted, TimedOut, WouldBlock};
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};

use netcore::deadline::Deadline;
use netcore::log::payload;

use crate::{BUFFER, MAX_MESSAGE, Patience};

/// Sends `message` and returns the reply: a datagram that ends with the message,
/// whatever prefix the server has.
///
/// Each of `sockets` is connected to one address of the server. They are asked one
/// after the other: which one is served UDP cannot know, since silence may be loss as
/// well. The one that answered is asked first next time.
///
/// # Errors
/// Those of the last address: `ConnectionRefused` when nobody listens there, `TimedOut`
/// when no try was answered. `InvalidInput` for a message longer than [`MAX_MESSAGE`].
pub fn exchange(
    sockets: &mut [UdpSocket],
    message: &[u8],
    patience: &Patience,
) -> io::Result<Vec<u8>> {
    if message.len() > MAX_MESSAGE {
        let text = format!(
            "{} bytes are more than the {MAX_MESSAGE} of the largest datagram",
            message.len()
        );
        return Err(io::Error::new(ErrorKind::InvalidInput, text));
    }
    let mut result = Err(ErrorKind::AddrNotAvailable.into());
    for _ in 0..sockets.len() {
        result = ask(&sockets[0], message, patience);
        if result.is_ok() {
            break;
        }
        sockets.rotate_left(1);
    }
    result
}

fn ask(socket: &UdpSocket, message: &[u8], patience: &Patience) -> io::Result<Vec<u8>> {
    let peer = socket.peer_addr()?;
    let mut wait = patience.timeout;
    // What came too late for an earlier message is thrown away.
    take_waiting(socket, peer, Deadline::after(wait), |_| false)?;
    for _ in 0..patience.tries.get() {
        let received = send(socket, peer, message)
            // One deadline for the whole try: datagrams that are not the reply cannot stretch it.
            .and_then(|()| receive(socket, peer, message, Deadline::after(wait)));
        match received {
            Err(error) if error.kind() == TimedOut => log::info!("{peer} no reply within {wait:?}"),
            Err(error) if matches!(error.kind(), ConnectionRefused | ConnectionReset) => {
                // Linux tells this first, even if an earlier try has been answered and its reply
                // waits here.
                let is_reply = |datagram: &[u8]| datagram.ends_with(message);
                return match take_waiting(socket, peer, Deadline::after(wait), is_reply)? {
                    Some(reply) => Ok(reply),
                    // What Windows says when nobody listens; others say ConnectionRefused
                    // themselves.
                    None if error.kind() == ConnectionReset => Err(ConnectionRefused.into()),
                    None => Err(error),
                };
            }
            done => return done,
        }
        // What was lost may have been lost to a crowd, which asking at the same pace would
        // feed.
        wait = wait.saturating_mul(2);
    }
    Err(io::Error::new(TimedOut, format!("timed out at try {}", patience.tries)))
}

/// The first datagram that is there already and `wanted`. Those before it are thrown
/// away.
fn take_waiting(
    socket: &UdpSocket,
    peer: SocketAddr,
    deadline: Deadline,
    wanted: impl Fn(&[u8]) -> bool,
) -> io::Result<Option<Vec<u8>>> {
    let mut buf = vec![0; BUFFER];
    let mut found = None;
    socket.set_nonblocking(true)?;
    // A peer that never ceases to send must not hold us here.
    while found.is_none() && !deadline.has_passed() {
        match socket.recv(&mut buf) {
            Ok(n) if wanted(&buf[..n]) => {
                log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
                found = Some(buf[..n].to_vec());
            }
            Ok(n) => log::info!("{peer} ignored {n} bytes {}, too late", payload(&buf[..n])),
            Err(error) if error.kind() == WouldBlock => break,
            // A refusal that waited here as well. Reading it has cleared it.
            Err(_) => {}
        }
    }
    socket.set_nonblocking(false)?;
    Ok(found)
}

fn send(socket: &UdpSocket, peer: SocketAddr, message: &[u8]) -> io::Result<()> {
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(message));
    // A datagram goes as a whole or not at all: there is no rest to send.
    socket.send(message)?;
    Ok(())
}

fn receive(
    socket: &UdpSocket,
    peer: SocketAddr,
    message: &[u8],
    deadline: Deadline,
) -> io::Result<Vec<u8>> {
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
        // All that plain text offers. A late reply to an earlier message that ends with this
        // one passes too; a number in each message would tell them apart
        // (`udp-reliable`).
        if !buf[..n].ends_with(message) {
            log::info!("{peer} ignored {n} bytes {}, not the reply", payload(&buf[..n]));
            continue;
        }
        log::debug!("{peer} received {n} bytes {}", payload(&buf[..n]));
        buf.truncate(n);
        return Ok(buf);
    }
}
