//! The client: sends a message as one datagram and waits for its reply.

use std::io;
use std::net::UdpSocket;

use netcore::Error;
use netcore::ask::{ask_in_turn, await_reply, each_message, fits};
use netcore::cli::ClientArgs;
use netcore::datagrams::LARGEST;
use netcore::deadline::Deadline;
use netcore::log::payload;

use crate::{PORT, Patience};

/// Takes each message of the command line through [`exchange`].
///
/// # Errors
/// As [`each_message`].
pub fn run(args: &ClientArgs<PORT>, patience: Patience) -> Result<(), Error> {
    each_message(args, |sockets, request| exchange(sockets, request.payload, &patience))
}

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
    ask_in_turn(sockets, |socket| {
        let peer = socket.peer_addr()?;
        log::debug!("{peer} sending {} bytes {}", message.len(), payload(message));
        // A datagram goes as a whole or not at all: there is no rest to send.
        socket.send(message)?;
        // All that plain bytes offer: a late reply to an earlier message that ends with this
        // one passes too (`udp-retry` has numbers).
        let is_reply = |datagram: &[u8]| datagram.ends_with(message);
        await_reply(socket, Deadline::after(patience.timeout), is_reply)
    })
}
