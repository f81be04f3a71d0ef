//! Datagrams for a client: the wait for one reply, and whom to ask.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::accept::SHORTAGE_PAUSE;
use crate::cli::{self, ClientArgs};
use crate::datagrams::BUFFER;
use crate::deadline::Deadline;
use crate::error::reason;
use crate::log::payload;
use crate::reach::{self, Reach};
use crate::request::{Message, Session};

/// A reply that came before a refusal is behind it in the queue, so it is there at once.
/// This covers a moment in which the machine is busy.
const BEHIND_A_REFUSAL: Duration = Duration::from_millis(10);

/// Takes each message of the command line through `exchange`, and prints the reply.
///
/// Each is a numbered request, for those who need the number. It keeps it where
/// `--wait` has the exchange begin anew, since a refusal may be late and not for this
/// one.
///
/// # Errors
/// As [`ClientArgs::connect_udp`] and [`ClientArgs::exchange`]; at a prompt an error is
/// told and the next message may fare better, as there is no connection that could have
/// broken.
pub fn each_message<const PORT: u16>(
    args: &ClientArgs<PORT>,
    mut exchange: impl FnMut(&mut [UdpSocket], Message<'_>) -> io::Result<Vec<u8>>,
) -> Result<(), Error> {
    let mut sockets = args.connect_udp()?;
    let mut session = Session::new();
    for message in cli::messages(&args.messages) {
        let message = message?;
        let request = session.request(&message);
        match args.exchange(|| exchange(&mut sockets, request)) {
            Ok(reply) => cli::print_bytes(&reply)?,
            Err(error) if args.at_prompt() => cli::complain(&error),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Waits on a connected socket for the datagram that `is_reply`. Others cannot stretch
/// the wait beyond `deadline`.
///
/// What the network says of a datagram that was sent before does not end the wait: an
/// earlier try may still be answered. Only a refusal does, and not before it is known
/// that no reply waits behind it: Linux tells the refusal first.
///
/// # Errors
/// `TimedOut`, or what the network said last: `ConnectionRefused` when nobody listens.
pub fn await_reply(
    socket: &UdpSocket,
    deadline: Deadline,
    is_reply: impl Fn(&[u8]) -> bool,
) -> io::Result<Vec<u8>> {
    let reply =
        await_one(socket, deadline, |datagram| is_reply(datagram).then(|| datagram.to_vec()))?;
    log_received(socket, &reply)?;
    Ok(reply)
}

/// As [`await_reply`], for the reply to a numbered request: the try that it answers, and
/// its payload.
///
/// # Errors
/// As [`await_reply`].
pub fn await_reply_to(
    socket: &UdpSocket,
    deadline: Deadline,
    request: &Message<'_>,
) -> io::Result<(u8, Vec<u8>)> {
    let (attempt, reply) = await_one(socket, deadline, |datagram| {
        request.reply_in(datagram).map(|reply| (reply.attempt, reply.payload.to_vec()))
    })?;
    log_received(socket, &reply)?;
    Ok((attempt, reply))
}

fn log_received(socket: &UdpSocket, reply: &[u8]) -> io::Result<()> {
    let peer = socket.peer_addr()?;
    log::debug!("{peer} received {} bytes {}", reply.len(), payload(reply));
    Ok(())
}

fn await_one<T>(
    socket: &UdpSocket,
    mut deadline: Deadline,
    mut reply: impl FnMut(&[u8]) -> Option<T>,
) -> io::Result<T> {
    let peer = socket.peer_addr()?;
    let mut buf = vec![0; BUFFER];
    let mut said = io::Error::from(ErrorKind::TimedOut);
    while let Ok(remaining) = deadline.remaining() {
        socket.set_read_timeout(remaining)?;
        // The socket is connected, so the kernel has dropped what strangers sent.
        let error = match socket.recv(&mut buf) {
            Ok(n) => {
                if let Some(reply) = reply(&buf[..n]) {
                    return Ok(reply);
                }
                log::info!("{peer} ignored {n} bytes {}, not the reply", payload(&buf[..n]));
                continue;
            }
            Err(error) => error,
        };
        match (error.kind(), reach::of_receive(&error)) {
            (ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset, _) => {
                // Windows says reset for refused.
                let is_reset = error.kind() == ErrorKind::ConnectionReset;
                said = if is_reset { ErrorKind::ConnectionRefused.into() } else { error };
                deadline = deadline.or_sooner(Deadline::after(BEHIND_A_REFUSAL));
            }
            (_, Reach::Nothing) => {}
            (_, Reach::One) => said = error,
            (_, Reach::AllForNow) => {
                said = error;
                // No event tells that it is over, and asking at once would turn in a circle.
                thread::sleep(remaining.unwrap_or(SHORTAGE_PAUSE).min(SHORTAGE_PAUSE));
            }
            (_, Reach::All) => return Err(error),
        }
    }
    Err(said)
}

/// Asks each of `sockets` in turn as long as nobody listens there. They are connected
/// each to one address of the server; the one that answered is asked first next time.
///
/// Silence does not tell that a request has not arrived, so after it no other address
/// is asked.
///
/// # Errors
/// Those of the last one that was asked.
pub fn ask_in_turn<T>(
    sockets: &mut [UdpSocket],
    mut ask: impl FnMut(&UdpSocket) -> io::Result<T>,
) -> io::Result<T> {
    let mut result = Err(ErrorKind::AddrNotAvailable.into());
    for _ in 0..sockets.len() {
        // A refusal that came too late for an earlier message. Reading it clears it.
        sockets[0].take_error()?;
        result = ask(&sockets[0]);
        match &result {
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => sockets.rotate_left(1),
            _ => break,
        }
    }
    result
}

/// Refuses what does not fit into `longest` bytes of a datagram, before it is sent.
///
/// # Errors
/// `InvalidInput`, with both numbers.
pub fn fits(message: &[u8], longest: usize) -> io::Result<()> {
    if message.len() <= longest {
        return Ok(());
    }
    let text =
        format!("{} bytes are more than the {longest} of the largest message", message.len());
    Err(io::Error::new(ErrorKind::InvalidInput, text))
}

/// What is told when the last try has failed with `error`: the request has left, so it
/// may have run, or not. A person who is not told asks again, and then it runs twice.
pub fn not_known(error: &io::Error) -> io::Error {
    let text = format!("{}; it is not known whether the request has run", reason(error));
    let kind = match error.kind() {
        // Of a refusal at the first try, one could ask again.
        ErrorKind::ConnectionRefused => ErrorKind::ConnectionAborted,
        kind => kind,
    };
    io::Error::new(kind, text)
}
