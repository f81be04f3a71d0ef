//! The client, for trying it by hand: that of the rung waits for an echo, and there is none.

use std::io;
use std::net::UdpSocket;

use netcore::Error;
use netcore::ask::{ask_in_turn, await_reply, each_message, fits};
use netcore::cli::ClientArgs;
use netcore::datagrams::LARGEST;
use netcore::deadline::Deadline;

use crate::{PORT, Patience};

/// Takes each message of the command line through [`exchange`].
///
/// # Errors
/// As [`each_message`].
pub fn run(args: &ClientArgs<PORT>, patience: Patience) -> Result<(), Error> {
    each_message(args, |sockets, request| exchange(sockets, request.payload, &patience))
}

/// Sends `message` and returns whatever comes next.
///
/// # Errors
/// `ConnectionRefused` when nobody listens, `TimedOut` when nothing has come.
pub fn exchange(
    sockets: &mut [UdpSocket],
    message: &[u8],
    patience: &Patience,
) -> io::Result<Vec<u8>> {
    fits(message, LARGEST)?;
    ask_in_turn(sockets, |socket| {
        socket.send(message)?;
        await_reply(socket, Deadline::after(patience.timeout), |_| true)
    })
}
