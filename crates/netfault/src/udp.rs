//! Bad networks for datagrams, played by a relay between client and server; and a client that stays.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use netcore::deadline::Deadline;

use crate::{LIFETIME, Running, Target};

/// The largest datagram and one byte more.
const BUFFER: usize = 65_536;

/// How long a server may take to answer a hello on this machine.
const GENEROUS: Duration = Duration::from_secs(10);

/// Passes everything on but the first reply.
pub(crate) fn loss(target: &Target) -> io::Result<Running> {
    let server = target.address;
    Running::relaying(bind(server)?, move |socket, ending| {
        let mut lost = false;
        relay(socket, server, ending, |from| {
            let loses = from == server && !lost;
            lost |= loses;
            !loses
        })
    })
}

/// Says hello, has its reply, and keeps its socket.
pub(crate) fn second_client(target: &Target) -> io::Result<Running> {
    let socket = bind(target.address)?;
    socket.send_to(target.hello, target.address)?;
    socket.set_read_timeout(Some(GENEROUS))?;
    socket.recv_from(&mut [0; BUFFER])?;
    Running::keeping(target.address, socket)
}

fn bind(server: SocketAddr) -> io::Result<UdpSocket> {
    match server {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)),
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)),
    }
}

/// Carries datagrams between `server` and the client that spoke last, where `passes` says so of their sender.
/// One client at a time: the server knows all of them by the address of the relay.
fn relay(
    socket: &UdpSocket,
    server: SocketAddr,
    ending: &AtomicBool,
    mut passes: impl FnMut(SocketAddr) -> bool,
) -> io::Result<()> {
    let lifetime = Deadline::after(LIFETIME);
    let mut client = None;
    let mut buf = vec![0; BUFFER];
    loop {
        socket.set_read_timeout(lifetime.remaining()?)?;
        let received = socket.recv_from(&mut buf);
        if ending.load(Ordering::SeqCst) {
            return Ok(());
        }
        let (n, from) = match received {
            Ok(received) => received,
            // A timeout, which the next look at the lifetime tells; a signal; on Windows, a reply that found nobody.
            Err(error) if passes_over(&error) => continue,
            Err(error) => return Err(error),
        };
        if from != server {
            client = Some(from);
        }
        let to = if from == server { client } else { Some(server) };
        if let Some(to) = to.filter(|_| passes(from)) {
            socket.send_to(&buf[..n], to)?;
        }
    }
}

fn passes_over(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted | ErrorKind::ConnectionReset
    )
}
