//! Opens many connections at once and waits until all are there.

use std::io::{self, ErrorKind};
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use netcore::Error;
use netcore::address::Address;
use netcore::tls::ClientSide;
use socket2::SockRef;

use crate::source::connect_file;
use crate::wire::Wire;

/// How long a crowd may take to connect. A server whose accept queue is short drops
/// what does not fit, and the system tries again after one second, two, four and so on.
const PATIENCE: Duration = Duration::from_secs(60);

/// Connects `count` times to `address`, all at once, and returns when all are
/// connected.
///
/// # Errors
/// [`Error::Connect`] as soon as one fails, or after a minute.
pub fn open(address: &Address, count: usize) -> Result<Vec<TcpStream>, Error> {
    try_open(address, count)
        .map_err(|source| Error::Connect { address: address.to_string(), source })
}

/// As [`open`], each wrapped in `tls`.
///
/// # Errors
/// As [`open`].
pub fn open_wires(
    address: &Address,
    count: usize,
    tls: Option<&ClientSide>,
) -> Result<Vec<Wire>, Error> {
    let wrapped = open(address, count)?.into_iter().map(|stream| Wire::new(stream, tls));
    wrapped.collect::<io::Result<_>>().map_err(Error::failed("prepare TLS"))
}

fn try_open(address: &Address, count: usize) -> io::Result<Vec<TcpStream>> {
    let Address::Inet(address) = *address else {
        return (0..count).map(|_| connect_file(address)).collect();
    };
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1024);
    let mut streams = Vec::with_capacity(count);
    for i in 0..count {
        let mut stream = TcpStream::connect(address)?;
        poll.registry().register(&mut stream, Token(i), Interest::WRITABLE)?;
        streams.push(stream);
    }
    let until = Instant::now() + PATIENCE;
    let mut connected = vec![false; count];
    let mut missing = count;
    while missing > 0 {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let late =
                format!("{missing} of {count} connections were not there after {PATIENCE:?}");
            return Err(io::Error::new(ErrorKind::TimedOut, late));
        }
        wait(&mut poll, &mut events, left)?;
        for event in &events {
            let Token(i) = event.token();
            if !connected[i] && established(&streams[i])? {
                connected[i] = true;
                missing -= 1;
            }
        }
    }
    for stream in &mut streams {
        poll.registry().deregister(stream)?;
    }
    Ok(streams)
}

/// Whether a connection that was being made is there. It then sends small messages
/// without delay.
///
/// # Errors
/// Why it could not be made.
pub fn established(stream: &TcpStream) -> io::Result<bool> {
    // The outcome of a connect that did not block is left on the socket.
    if let Some(error) = stream.take_error()? {
        return Err(error);
    }
    match SockRef::from(stream).peer_addr() {
        Ok(peer) => {
            // A UNIX socket holds nothing back, and has no such option.
            if peer.as_socket().is_some() {
                stream.set_nodelay(true)?;
            }
            Ok(true)
        }
        Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
        Err(error) => Err(error),
    }
}

/// Waits for events, or for `limit`. A signal that interrupts the wait leaves no
/// events.
///
/// # Errors
/// What the system says.
pub fn wait(poll: &mut Poll, events: &mut Events, limit: Duration) -> io::Result<()> {
    match poll.poll(events, Some(limit)) {
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            events.clear();
            Ok(())
        }
        done => done,
    }
}
