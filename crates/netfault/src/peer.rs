//! What the faults have in common: a connection to the target, what is done on it, and
//! room for a datagram.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use netcore::deadline::Deadline;
use socket2::{Domain, SockRef, Socket, Type};

use crate::until::Until;
use crate::{GENEROUS, LIFETIME, Running, Target};

/// Bytes of replies that such a client has room for: far less than is due to it.
const LITTLE_ROOM: usize = 4 << 10;

/// The largest datagram and one byte more.
pub(crate) const DATAGRAM: usize = 65_536;

pub(crate) fn connect(target: &Target) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&target.address, GENEROUS)?;
    // A small write goes out as it is, and not together with the next one.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A client that has room for little of what is sent to it. A size that was asked for is
/// never made larger by the system.
pub(crate) fn connect_with_little_room(target: &Target) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(target.address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(LITTLE_ROOM)?;
    socket.connect_timeout(&target.address.into(), GENEROUS)?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

/// A client that has said hello and has the beginning of its reply.
pub(crate) fn answered(target: &Target) -> io::Result<TcpStream> {
    let stream = connect(target)?;
    let mut timed = Until::new(&stream, Deadline::after(GENEROUS));
    timed.write_all(target.hello)?;
    timed.read_exact(&mut [0; 1])?;
    Ok(stream)
}

/// Sends nothing and throws away what comes, until the server closes or `deadline` has
/// passed.
pub(crate) fn idle(stream: &TcpStream, deadline: Deadline) -> io::Result<()> {
    io::copy(&mut Until::new(stream, deadline), &mut io::sink())?;
    Ok(())
}

/// Plays on one stream in a thread of its own.
pub(crate) fn play(
    target: &Target,
    stream: TcpStream,
    on: impl Fn(&TcpStream) -> io::Result<()> + Send + 'static,
) -> io::Result<Running> {
    Running::playing(target.address, vec![stream], move |streams| streams.iter().try_for_each(on))
}

/// Clients that are silent from here on.
pub(crate) fn stay(target: &Target, streams: Vec<TcpStream>) -> io::Result<Running> {
    Running::playing(target.address, streams, |streams| {
        let lifetime = Deadline::after(LIFETIME);
        // One after the other will do: those that are not read yet have nothing to send either.
        streams.iter().try_for_each(|stream| idle(stream, lifetime))
    })
}

/// With a linger time of zero a close is a reset, in both directions and at once.
pub(crate) fn reset_on_close(stream: &TcpStream) -> io::Result<()> {
    SockRef::from(stream).set_linger(Some(Duration::ZERO))
}
