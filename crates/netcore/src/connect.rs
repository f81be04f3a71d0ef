//! A client's connection: every address that a name resolves to is tried, within one
//! deadline.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::thread;
use std::time::Duration;

use crate::Error;
use crate::deadline::Deadline;
use crate::listen::{join, resolve, udp_socket};
use crate::wait::{self, Interest, Waited};

/// How long a client waits for a connection. Left alone, Linux gives up after about two
/// minutes.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The first and the longest pause between two attempts to reach a server that is not
/// up yet.
const RETRY_PAUSES: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(500));

/// How long a connection is looked at before it is used, by a client that is told to wait
/// for its server. What stands before one that is not up yet, such as a forwarded port,
/// accepts and closes at once.
const LOOK: Duration = Duration::from_millis(100);

/// Connects to the first address of `host` that answers, within `timeout` for all of
/// them together.
///
/// A name often has an IPv6 and an IPv4 address and the server listens on one of them:
/// `localhost` is such a name. The stream has TCP_NODELAY set.
///
/// # Errors
/// [`Error::Resolve`] for a host that is none, [`Error::Connect`] with the reason for
/// the last address tried.
pub fn tcp(host: &str, port: u16, timeout: Duration) -> Result<TcpStream, Error> {
    tcp_before(host, port, Deadline::after(timeout))
}

/// As [`tcp`], and tries again while nobody listens there, or who does closes before
/// anything has been said, until `patience` is over.
///
/// # Errors
/// As [`tcp`].
pub fn tcp_when_up(host: &str, port: u16, patience: Duration) -> Result<TcpStream, Error> {
    tcp_looked_at(host, port, patience, LOOK)
}

fn tcp_looked_at(
    host: &str,
    port: u16,
    patience: Duration,
    look: Duration,
) -> Result<TcpStream, Error> {
    let deadline = Deadline::after(patience);
    when_up(patience, || {
        let stream = tcp_before(host, port, deadline)?;
        stays_open(&stream, look)
            .map_err(|source| Error::Connect { address: join(host, port), source })?;
        Ok(stream)
    })
}

/// Fails where the other end has closed without a word.
fn stays_open(stream: &TcpStream, look: Duration) -> io::Result<()> {
    match wait::ready(stream, Interest::Reading, None, Deadline::after(look))? {
        Waited::Ready if stream.peek(&mut [0])? == 0 => Err(ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}

fn tcp_before(host: &str, port: u16, deadline: Deadline) -> Result<TcpStream, Error> {
    let addresses = resolve(host, port)?;
    tcp_any(&addresses, deadline)
        .map_err(|source| Error::Connect { address: join(host, port), source })
}

/// A UDP socket for each address of `host`, connected to it; at least one.
///
/// Connecting a UDP socket sends nothing. From then on it takes datagrams from that
/// address only, and tells when nobody listens there. Which of the addresses answers is
/// known once one has been asked.
///
/// # Errors
/// [`Error::Resolve`] for a host that is none, [`Error::Connect`] when no address can
/// be reached from here.
pub fn udp(host: &str, port: u16) -> Result<Vec<UdpSocket>, Error> {
    let mut sockets = Vec::new();
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    if port == 0 {
        // Linux takes it for leave to talk to anybody, and then there is nobody to send to.
        return Err(Error::Connect { address: join(host, port), source: last });
    }
    for address in resolve(host, port)? {
        match udp_one(address) {
            Ok(socket) => sockets.push(socket),
            // Most often an IPv6 address on a machine without IPv6.
            Err(error) => last = error,
        }
    }
    if sockets.is_empty() {
        return Err(Error::Connect { address: join(host, port), source: last });
    }
    Ok(sockets)
}

fn udp_one(address: SocketAddr) -> io::Result<UdpSocket> {
    connected(udp_socket(address)?.into(), address)
}

fn connected(socket: UdpSocket, address: SocketAddr) -> io::Result<UdpSocket> {
    socket.connect(address)?;
    match is_itself(socket.local_addr(), socket.peer_addr()) {
        // What it sends would come back, and be taken for a reply. As long as it is there,
        // the system picks another port.
        true => udp_one(address),
        false => Ok(socket),
    }
}

/// Repeats `attempt` while nobody can be reached there, until `patience` is over. It is made
/// once at least.
///
/// # Errors
/// Those of the last attempt.
pub fn when_up<T>(
    patience: Duration,
    mut attempt: impl FnMut() -> Result<T, Error>,
) -> Result<T, Error> {
    let deadline = Deadline::after(patience);
    let (mut pause, longest) = RETRY_PAUSES;
    loop {
        let error = match attempt() {
            Err(error) if may_pass(&error) => error,
            done => return done,
        };
        match deadline.remaining() {
            // No event tells that a server has come up: asking again is all there is.
            Ok(Some(left)) if left > pause => {
                log::debug!("{error}: trying again");
                thread::sleep(pause);
            }
            _ => return Err(error),
        }
        pause = (pause * 2).min(longest);
    }
}

/// Whether a server that comes up later, with its name and its route, ends this error.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Resolve { host, .. } => !host.is_empty(),
        Error::Connect { source, .. } => source.kind() != ErrorKind::InvalidInput,
        Error::Reply { source, .. } => source.kind() == ErrorKind::ConnectionRefused,
        _ => false,
    }
}

fn tcp_any(addresses: &[SocketAddr], deadline: Deadline) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for (tried, address) in addresses.iter().enumerate() {
        // An equal share each: an address that does not answer must not use up the time of the
        // next.
        let share = deadline.remaining()?.map(|left| left / (addresses.len() - tried) as u32);
        let connected = match share {
            Some(share) => TcpStream::connect_timeout(address, share),
            None => TcpStream::connect(address),
        };
        match connected.and_then(prepare) {
            Ok(stream) => {
                log::debug!("{address} connected");
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn prepare(stream: TcpStream) -> io::Result<TcpStream> {
    if is_itself(stream.local_addr(), stream.peer_addr()) {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    // A small request would otherwise wait for the acknowledgement of the one before it.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Where nobody listens, the port that the system picks for our end can be the one that
/// we ask for. Then the two ends are one: TCP knows no roles, and calls it a
/// simultaneous open ([RFC 9293 section 3.5](https://www.rfc-editor.org/rfc/rfc9293#section-3.5)).
fn is_itself(here: io::Result<SocketAddr>, there: io::Result<SocketAddr>) -> bool {
    // Whoever has reset by now is somebody else.
    matches!((here, there), (Ok(here), Ok(there)) if here == there)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use socket2::SockRef;
    #[cfg(target_os = "linux")]
    use socket2::{Domain, Socket, Type};

    use super::*;

    #[test]
    fn the_second_address_is_tried_when_nobody_listens_on_the_first() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let nobody = taken.local_addr().unwrap();
        drop(taken);
        let addresses = [nobody, listener.local_addr().unwrap()];
        let stream = tcp_any(&addresses, Deadline::after(CONNECT_TIMEOUT)).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
    }

    /// What happens to a client once in some thousand times that nobody listens on a
    /// port of that range.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_socket_that_is_connected_to_itself_has_found_nobody() {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        socket.connect(&socket.local_addr().unwrap()).unwrap();
        let refused = prepare(socket.into()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn no_client_for_datagrams_talks_to_itself() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let socket = connected(socket, address).unwrap();
        assert_eq!(socket.peer_addr().unwrap(), address);
        assert_ne!(socket.local_addr().unwrap(), address);
    }

    #[test]
    fn a_client_without_a_limit_connects_too() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        tcp("127.0.0.1", listener.local_addr().unwrap().port(), Duration::MAX).unwrap();
    }

    #[test]
    fn a_client_that_is_told_to_wait_connects_once_the_server_is_up() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        drop(taken);
        let client =
            thread::spawn(move || tcp_when_up("127.0.0.1", address.port(), CONNECT_TIMEOUT));
        let listener = crate::listen::tcp("127.0.0.1", address.port()).unwrap();
        listener.accept().unwrap();
        client.join().unwrap().unwrap();
    }

    #[test]
    fn a_port_that_opens_and_closes_at_once_is_a_server_that_is_not_up_yet() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = thread::spawn(move || {
            tcp_looked_at("127.0.0.1", port, CONNECT_TIMEOUT, CONNECT_TIMEOUT)
        });
        for resets in [false, true] {
            let (early, _) = listener.accept().unwrap();
            if resets {
                SockRef::from(&early).set_linger(Some(Duration::ZERO)).unwrap();
            }
        }
        let (mut server, _) = listener.accept().unwrap();
        // Who says something stays open, however long it would have been looked at.
        server.write_all(b"hello").unwrap();
        let stream = client.join().unwrap().unwrap();
        assert_eq!(server.peer_addr().unwrap(), stream.local_addr().unwrap());
    }

    #[test]
    fn a_port_that_only_opens_and_closes_is_told_when_patience_is_over() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || listener.incoming().for_each(drop));
        let patience = Duration::from_secs(1);
        let error = tcp_looked_at("127.0.0.1", port, patience, CONNECT_TIMEOUT).unwrap_err();
        let told = error.to_string();
        // Which of the two the system tells depends on when it is asked.
        let ends = ["the other end closed the connection", "connection reset by the other end"];
        assert!(ends.iter().any(|end| told.ends_with(end)), "{told}");
    }

    #[test]
    fn nobody_is_at_port_0() {
        let error = udp("127.0.0.1", 0).unwrap_err();
        assert!(error.hint().unwrap().contains("a --port of 1 or more"), "{error}");
    }

    #[test]
    fn an_attempt_is_repeated_while_nobody_listens_and_only_then() {
        let mut attempts = 0;
        let error = when_up::<()>(CONNECT_TIMEOUT, || {
            attempts += 1;
            let kind =
                if attempts < 3 { ErrorKind::ConnectionRefused } else { ErrorKind::TimedOut };
            Err(Error::Reply { address: "127.0.0.1:9".into(), source: kind.into() })
        })
        .unwrap_err();
        assert_eq!(error.to_string(), "cannot get a reply from 127.0.0.1:9: timed out");
        assert_eq!(attempts, 3);
    }

    #[test]
    fn nobody_listening_is_told_with_a_hint() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        drop(taken);
        let error = tcp("127.0.0.1", port, CONNECT_TIMEOUT).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("cannot connect to 127.0.0.1:{port}: connection refused")
        );
        assert!(error.hint().unwrap().starts_with("no server is listening there"));
    }
}
