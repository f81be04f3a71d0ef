//! The client: sends a request as one datagram and waits for its reply, again and
//! longer while none comes.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;

use netcore::Error;
use netcore::ask::{ask_in_turn, await_reply_to, each_message, fits, not_known};
use netcore::cli::ClientArgs;
use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::log::payload;
use netcore::request::{MAX_PAYLOAD, Message};

use crate::tries::tries;
use crate::{PORT, Patience};

/// Takes each message of the command line through [`exchange`].
///
/// # Errors
/// As [`each_message`].
pub fn run(args: &ClientArgs<PORT>, patience: Patience) -> Result<(), Error> {
    each_message(args, |sockets, request| exchange(sockets, request, &patience))
}

/// Sends `request` and returns the reply to it, and to nothing else.
///
/// Each of `sockets` is connected to one address of the server.
///
/// # Errors
/// `ConnectionRefused` when nobody listens at any of them. `TimedOut` or what the
/// network said, `ConnectionAborted` when the server went away meanwhile: then the
/// request may have run, or not, and the error says so. `InvalidInput` for a message
/// longer than [`MAX_PAYLOAD`].
pub fn exchange(
    sockets: &mut [UdpSocket],
    request: Message<'_>,
    patience: &Patience,
) -> io::Result<Vec<u8>> {
    fits(request.payload, MAX_PAYLOAD)?;
    ask_in_turn(sockets, |socket| ask(socket, request, patience))
}

fn ask(socket: &UdpSocket, request: Message<'_>, patience: &Patience) -> io::Result<Vec<u8>> {
    let peer = socket.peer_addr()?;
    let mut failed = io::Error::from(ErrorKind::TimedOut);
    let mut has_left = false;
    for (attempt, wait) in tries(patience) {
        let request = Message { attempt, ..request };
        log::debug!("{peer} sending {} bytes {}", request.payload.len(), payload(request.payload));
        // A datagram goes as a whole or not at all: there is no rest to send.
        let sent = socket.send(&request.encode());
        has_left |= sent.is_ok();
        // Where it could not be sent, an earlier try may still be answered.
        let received = await_reply_to(socket, Deadline::after(wait), &request);
        failed = match received {
            Ok((_, reply)) => return Ok(reply),
            Err(error) => sent.err().unwrap_or(error),
        };
        // Nobody listens, and at the first try nobody did. All else that the network says is a
        // lost try, like silence.
        if failed.kind() == ErrorKind::ConnectionRefused {
            return Err(if attempt == 1 { failed } else { not_known(&failed) });
        }
        let why = reason(&failed);
        log::info!("{peer} no reply to try {attempt} within {wait:.1?}: {why}");
    }
    Err(if has_left { not_known(&failed) } else { failed })
}
