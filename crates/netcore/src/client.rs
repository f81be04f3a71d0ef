//! The plain client: sends a message, and reads as many bytes back as it has sent.

use std::io::{self, BufReader, ErrorKind, IoSlice, Read};
use std::time::Duration;

use crate::Error;
use crate::cli::{self, Connects, NoOptions};
use crate::connection::{Connection, Socket};
use crate::deadline::Deadline;
use crate::error::reason;
use crate::log::payload;
use crate::wait::{Interest, Waited};

/// How long a client waits for one reply. A server that never answers would otherwise
/// hold it for ever.
pub const REPLY_TIMEOUT: Duration = Duration::from_secs(30);

/// Sends each message of the command line over one connection, and prints its reply.
///
/// # Errors
/// As [`Connects::connect`], [`cli::each_message`], [`exchange`] and [`nothing_more`].
pub fn run(args: &impl Connects, _: NoOptions) -> Result<(), Error> {
    let socket = args.connect()?;
    let mut stream = Connection::of_client(socket).map_err(Error::failed("use the socket"))?;
    cli::each_message(args.messages(), |message| exchange(&mut stream, message))?;
    nothing_more(&mut stream)
}

/// A stream both of whose directions can be waited for at once: neither call waits, and
/// both say `None` where they would.
pub trait Duplex {
    /// The other end, as the log calls it.
    ///
    /// # Errors
    /// What getpeername(2) says of a connection that is gone.
    fn peer(&self) -> io::Result<String>;

    /// From here on, [`wait`](Duplex::wait) fails with `TimedOut` when `deadline` has
    /// passed.
    fn set_deadline(&mut self, deadline: Deadline);

    /// Waits until the stream is ready.
    ///
    /// # Errors
    /// `TimedOut`; what the system says of the wait.
    fn wait(&mut self, interest: Interest) -> io::Result<Waited>;

    /// As [`std::io::Write::write`].
    ///
    /// # Errors
    /// As [`std::io::Write::write`].
    fn write_now(&mut self, buf: &[u8]) -> io::Result<Option<usize>>;

    /// As [`std::io::Read::read`].
    ///
    /// # Errors
    /// As [`std::io::Read::read`].
    fn read_now(&mut self, buf: &mut [u8]) -> io::Result<Option<usize>>;
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
/// whole reply has come; `InvalidData` when more comes than has been sent.
pub fn exchange(stream: &mut impl Duplex, message: &[u8]) -> io::Result<Vec<u8>> {
    let peer = stream.peer()?;
    log::debug!("{peer} sending {} bytes {}", message.len(), payload(message));
    stream.set_deadline(Deadline::after(REPLY_TIMEOUT));
    nothing_unasked(stream)?;
    // With room for one byte too many.
    let mut reply = vec![0; message.len() + 1];
    let (mut sent, mut received) = (0, 0);
    while received < message.len() {
        let all_sent = sent == message.len();
        stream.wait(if all_sent { Interest::Reading } else { Interest::Both })?;
        sent += stream.write_now(&message[sent..])?.unwrap_or(0);
        match stream.read_now(&mut reply[received..])? {
            Some(0) => return Err(closed(received, message.len())),
            Some(n) => received += n,
            None => {}
        }
        if received > sent {
            return Err(unasked());
        }
    }
    reply.truncate(received);
    log::debug!("{peer} received {} bytes {}", reply.len(), payload(&reply));
    Ok(reply)
}

/// Says how much has come: a server whose replies have other lengths needs another client.
fn closed(received: usize, due: usize) -> io::Error {
    let closed = io::Error::from(ErrorKind::UnexpectedEof);
    if received == 0 {
        return closed;
    }
    let why = format!("{} after {received} of {due} bytes", reason(&closed));
    io::Error::new(closed.kind(), why)
}

/// Nothing has come that nobody has asked for: it would be taken for the next reply.
///
/// # Errors
/// `InvalidData` where something has; what read says.
pub fn nothing_unasked(stream: &mut impl Duplex) -> io::Result<()> {
    match stream.read_now(&mut [0])? {
        None | Some(0) => Ok(()),
        Some(_) => Err(unasked()),
    }
}

/// The end of a client that has everything. What comes later than this is not waited for.
///
/// # Errors
/// That something is left that nobody has asked for.
pub fn nothing_more(stream: &mut impl Duplex) -> Result<(), Error> {
    match nothing_unasked(stream) {
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            Err(Error::failed("end the conversation")(error))
        }
        // However the server has ended: the replies are here.
        _ => Ok(()),
    }
}

/// That something has come that nobody has asked for.
pub(crate) fn unasked() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "more came than was asked for")
}

/// What has been read ahead comes first.
impl<S: Socket> Duplex for BufReader<Connection<S>>
where
    Connection<S>: Read,
{
    fn peer(&self) -> io::Result<String> {
        self.get_ref().peer()
    }

    fn set_deadline(&mut self, deadline: Deadline) {
        self.get_mut().set_deadline(deadline);
    }

    fn wait(&mut self, interest: Interest) -> io::Result<Waited> {
        match self.buffer().is_empty() || interest == Interest::Writing {
            true => Duplex::wait(self.get_mut(), interest),
            false => Ok(Waited::Ready),
        }
    }

    fn write_now(&mut self, buf: &[u8]) -> io::Result<Option<usize>> {
        self.get_mut().write_now(buf)
    }

    fn read_now(&mut self, buf: &mut [u8]) -> io::Result<Option<usize>> {
        match self.buffer().is_empty() {
            true => self.get_mut().read_now(buf),
            false => self.read(buf).map(Some),
        }
    }
}

impl<S: Socket> Duplex for Connection<S> {
    fn peer(&self) -> io::Result<String> {
        self.get_ref().peer_name()
    }

    fn set_deadline(&mut self, deadline: Deadline) {
        Connection::set_deadline(self, deadline);
    }

    fn wait(&mut self, interest: Interest) -> io::Result<Waited> {
        Connection::wait(self, interest)
    }

    fn write_now(&mut self, buf: &[u8]) -> io::Result<Option<usize>> {
        if buf.is_empty() {
            return Ok(None);
        }
        or_nothing_yet(self.get_ref().write_vectored(&[IoSlice::new(buf)]))
    }

    fn read_now(&mut self, buf: &mut [u8]) -> io::Result<Option<usize>> {
        or_nothing_yet(self.get_ref().read(buf))
    }
}

/// `None` for a call that would have had to wait.
pub(crate) fn or_nothing_yet<T>(done: io::Result<T>) -> io::Result<Option<T>> {
    match done {
        Ok(done) => Ok(Some(done)),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
