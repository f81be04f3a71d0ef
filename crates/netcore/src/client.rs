//! The plain client: sends a message, and reads as many bytes back as it has sent.

use std::io::{self, ErrorKind, IoSlice};
use std::time::Duration;

use crate::Error;
use crate::cli::{self, Connects, NoOptions};
use crate::connection::{Connection, Socket};
use crate::deadline::Deadline;
use crate::log::payload;
use crate::wait::Interest;

/// How long a client waits for one reply. A server that never answers would otherwise
/// hold it for ever.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends each message of the command line over one connection, and prints its reply.
///
/// # Errors
/// As [`Connects::connect`], [`cli::each_message`] and [`exchange`].
pub fn run(args: &impl Connects, _: NoOptions) -> Result<(), Error> {
    let socket = args.connect()?;
    let mut stream = Connection::of_client(socket).map_err(Error::failed("use the socket"))?;
    cli::each_message(args.messages(), |message| exchange(&mut stream, message))
}

/// Sends `message` and returns the reply, which is as long as the message, within
/// [`REPLY_TIMEOUT`] for all of it.
///
/// It writes and reads at once, because a server that nobody reads from stops reading in
/// turn: with a message larger than the buffers between the two, write-then-read waits
/// for ever.
///
/// # Errors
/// What read or write say; `TimedOut`; `UnexpectedEof` when the server closes before the
/// whole reply has come.
pub fn exchange(stream: &mut Connection<impl Socket>, message: &[u8]) -> io::Result<Vec<u8>> {
    let peer = stream.get_ref().peer_name()?;
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(message));
    stream.set_deadline(Deadline::after(REPLY_TIMEOUT));
    let mut reply = vec![0; message.len()];
    let (mut sent, mut received) = (0, 0);
    while received < reply.len() {
        let all_sent = sent == message.len();
        stream.wait(if all_sent { Interest::Reading } else { Interest::Both })?;
        let socket = stream.get_ref();
        if !all_sent {
            let rest = [IoSlice::new(&message[sent..])];
            sent += or_nothing_yet(socket.write_vectored(&rest))?.unwrap_or(0);
        }
        match or_nothing_yet(socket.read(&mut reply[received..]))? {
            Some(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Some(n) => received += n,
            None => {}
        }
    }
    log::debug!("{peer} received {} bytes {}", reply.len(), payload(&reply));
    Ok(reply)
}

fn or_nothing_yet(done: io::Result<usize>) -> io::Result<Option<usize>> {
    match done {
        Ok(n) => Ok(Some(n)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
