//! What the faults have in common: a connection to the target, and what is done on it.

use std::io::{self, Read, Write};

use netcore::deadline::Deadline;
use netcore::unix::Name;
use socket2::{Domain, Type};

use crate::stream::Stream;
use crate::until::Until;
use crate::{Address, GENEROUS, LIFETIME, Running, Target};

/// Bytes of replies that such a client has room for: far less than is due to it.
const LITTLE_ROOM: usize = 4 << 10;

/// A small write goes out as it is, and not together with the next one.
pub(crate) fn connect(target: &Target) -> io::Result<Stream> {
    target.address.connect(GENEROUS, Name::Own)
}

/// A client that has room for little of what is sent to it. A size that was asked for is
/// never made larger by the system.
pub(crate) fn connect_with_little_room(target: &Target) -> io::Result<Stream> {
    let Address::Inet(address) = target.address else {
        // A UNIX socket has no such room: the sender keeps what has not been read.
        return connect(target);
    };
    let socket = Stream::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(LITTLE_ROOM)?;
    socket.connect_timeout(&address.into(), GENEROUS)?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket)
}

/// A client that has said hello and has the beginning of its reply.
pub(crate) fn answered(target: &Target) -> io::Result<Stream> {
    let stream = connect(target)?;
    let mut timed = Until::new(&stream, Deadline::after(GENEROUS));
    timed.write_all(target.hello)?;
    timed.read_exact(&mut [0; 1])?;
    Ok(stream)
}

/// Sends nothing and throws away what comes, until the server closes or `deadline` has
/// passed.
pub(crate) fn idle(stream: &Stream, deadline: Deadline) -> io::Result<()> {
    io::copy(&mut Until::new(stream, deadline), &mut io::sink())?;
    Ok(())
}

/// Plays on one stream in a thread of its own.
pub(crate) fn play(
    target: &Target,
    stream: Stream,
    on: impl Fn(&Stream) -> io::Result<()> + Send + 'static,
) -> io::Result<Running> {
    Running::playing(&target.address, vec![stream], move |streams| streams.iter().try_for_each(on))
}

/// Clients that are silent from here on.
pub(crate) fn stay(target: &Target, streams: Vec<Stream>) -> io::Result<Running> {
    Running::playing(&target.address, streams, |streams| {
        let lifetime = Deadline::after(LIFETIME);
        // One after the other will do: those that are not read yet have nothing to send either.
        streams.iter().try_for_each(|stream| idle(stream, lifetime))
    })
}
