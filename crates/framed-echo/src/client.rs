//! The client: sends one message after another on one connection, and reads one message
//! back for each.

use std::io::{self, BufReader, ErrorKind};

use netcore::Error;
use netcore::cli::{self, ClientArgs};
use netcore::client::{REPLY_TIMEOUT, nothing_more, nothing_unasked};
use netcore::connection::Connection;
use netcore::deadline::Deadline;
use netcore::frame::Framing;
use netcore::log::payload;

use crate::BUFFER;

/// Sends each message of the command line over one connection, and prints its reply.
///
/// # Errors
/// As [`ClientArgs::connect`], [`cli::each_message`], [`exchange`] and [`nothing_more`].
pub fn run<const PORT: u16>(args: &ClientArgs<PORT>, framing: Framing) -> Result<(), Error> {
    let stream = Connection::of_client(args.connect()?).map_err(Error::failed("use the socket"))?;
    // One for the whole connection, as in the server.
    let mut stream = BufReader::with_capacity(BUFFER, stream);
    cli::each_message(&args.messages, |message| {
        Ok(exchange(&mut stream, message, &framing)?.into_bytes())
    })?;
    nothing_more(&mut stream)
}

/// Sends `message` and returns the reply, within [`REPLY_TIMEOUT`] for both together.
///
/// Reading and writing at once is not needed here: the server reads a message to its end
/// before it writes anything.
///
/// # Errors
/// What read or write say; `TimedOut`; `UnexpectedEof` when the server closes before the
/// whole reply has come; `InvalidData` for a message over the limit, sent or received, for
/// a reply that is not UTF-8, and for one that has come before it was asked for.
pub fn exchange(
    stream: &mut BufReader<Connection>,
    message: &[u8],
    framing: &Framing,
) -> io::Result<String> {
    let peer = stream.get_ref().get_ref().peer_addr()?;
    stream.get_mut().set_deadline(Deadline::after(REPLY_TIMEOUT));
    nothing_unasked(stream)?;
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(message));
    framing.write(stream.get_mut(), message)?;
    let mut reply = Vec::new();
    if !framing.read(stream, &mut reply)? {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    log::debug!("{peer} received {} bytes {}", reply.len(), payload(&reply));
    String::from_utf8(reply).map_err(|error| io::Error::new(ErrorKind::InvalidData, error))
}
