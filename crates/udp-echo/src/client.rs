//! The client: sends a message as one datagram and waits for its reply.

use std::io;
use std::net::UdpSocket;

use netcore::ask::{ask_in_turn, await_reply, fits};
use netcore::datagrams::LARGEST;
use netcore::deadline::Deadline;
use netcore::log::payload;

use crate::Patience;

/// Sends `message` and returns the reply: a datagram that ends with the message,
/// whatever prefix the server has.
///
/// Each of `sockets` is connected to one address of the server.
///
/// # Errors
/// `ConnectionRefused` when nobody listens at any of them, `TimedOut` when no reply has
/// come, or what the network says. `InvalidInput` for a message longer than
/// [`LARGEST`].
pub fn exchange(
    sockets: &mut [UdpSocket],
    message: &[u8],
    patience: &Patience,
) -> io::Result<Vec<u8>> {
    fits(message, LARGEST)?;
    ask_in_turn(sockets, |socket| ask(socket, message, patience))
}

fn ask(socket: &UdpSocket, message: &[u8], patience: &Patience) -> io::Result<Vec<u8>> {
    let peer = socket.peer_addr()?;
    // A refusal that came too late for an earlier message. Reading it clears it.
    socket.take_error()?;
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(message));
    // A datagram goes as a whole or not at all: there is no rest to send.
    socket.send(message)?;
    let reply = await_reply(socket, Deadline::after(patience.timeout), |datagram| {
        // All that plain bytes offer: a late reply to an earlier message that ends with this
        // one passes too (`udp-retry` has numbers).
        datagram.ends_with(message).then(|| datagram.to_vec())
    })?;
    log::debug!("{peer} received {} bytes {}", reply.len(), payload(&reply));
    Ok(reply)
}
