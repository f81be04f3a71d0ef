//! Unusual datagrams, and clients that send them.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::time::Duration;

use super::{ANY_UDP, UDP, fault};
use crate::Proof::{Answered, ClientServed};
use crate::random::Random;
use crate::{DATAGRAM, Fault, GENEROUS, Running, Speaks, Target};

/// What a datagram over IPv4 can hold.
const LARGEST: usize = 65_507;

/// Clients that take turns, and noisy or short-lived ones.
const CLIENTS: usize = 20;

/// Bytes of noise in a datagram.
const NOISE: usize = 512;

/// Sessions of one address: one more than a server could wish to remember.
const GREED: u64 = 1_025;

/// Bytes of such a request: little less than a datagram holds, for a reply that is a
/// little longer.
const LARGE: usize = 65_463;

/// How long it waits for a reply, and how many that do not come tell it that none will.
const PATIENCE: Duration = Duration::from_millis(200);
const ENOUGH: u32 = 5;

/// Where the session stands in a request of `udp-reliable`.
const SESSION: Range<usize> = 6..14;

/// Says hello, has its reply, and keeps its socket.
pub(crate) fn second_client(target: &Target) -> io::Result<Running> {
    Running::keeping(&target.address, answered(target)?)
}

pub const EMPTY_DATAGRAM: Fault =
    fault("empty-datagram", "a datagram without a byte", ANY_UDP, ClientServed, empty_datagram);

fn empty_datagram(target: &Target) -> io::Result<Running> {
    unusual(target, &[])
}

/// A hello with as much behind it as there is room for: it is understood, and where a reply
/// is longer than its request, there is no datagram for it.
pub const LARGEST_DATAGRAM: Fault = fault(
    "largest-datagram",
    "a datagram of 65,507 bytes, the most there is",
    ANY_UDP,
    ClientServed,
    largest_datagram,
);

fn largest_datagram(target: &Target) -> io::Result<Running> {
    let mut datagram = target.hello.to_vec();
    datagram.resize(LARGEST, b'x');
    unusual(target, &datagram)
}

pub const NOT_UTF8: Fault =
    fault("not-utf8", "a datagram that is not text", ANY_UDP, ClientServed, not_utf8);

fn not_utf8(target: &Target) -> io::Result<Running> {
    unusual(target, &[0xff, 0xfe, 0xc3, 0x28])
}

pub(crate) fn random_bytes(target: &Target) -> io::Result<Running> {
    let mut random = Random::new(target.seed);
    let noisy = bind(target.inet()?)?;
    for _ in 0..CLIENTS {
        noisy.send_to(&random.noise(NOISE), target.inet()?)?;
    }
    answered(target)?;
    Ok(Running::over(&target.address, noisy.local_addr()?.to_string()))
}

/// Says hello and closes its socket, so that the reply meets a port where nobody
/// listens.
pub const NOBODY_LISTENING: Fault = fault(
    "nobody-listening",
    "clients that are gone before their replies come",
    ANY_UDP,
    ClientServed,
    nobody_listening,
);

fn nobody_listening(target: &Target) -> io::Result<Running> {
    let mut peers = Vec::new();
    for _ in 0..CLIENTS {
        let gone = bind(target.inet()?)?;
        gone.send_to(target.hello, target.inet()?)?;
        peers.push(gone.local_addr()?.to_string());
    }
    answered(target)?;
    Ok(Running::judged(&target.address, peers, Ok("has gone".into())))
}

/// All clients send, then all receive: each has to get its own text.
pub const INTERLEAVED: Fault =
    fault("interleaved", "20 clients whose datagrams come in turns", UDP, Answered, interleaved);

fn interleaved(target: &Target) -> io::Result<Running> {
    let clients: Vec<UdpSocket> =
        (0..CLIENTS).map(|_| bind(target.inet()?)).collect::<io::Result<_>>()?;
    let text = |number: usize| format!("{number:02}");
    for (number, client) in clients.iter().enumerate() {
        let message =
            [&target.hello[..target.hello.len().saturating_sub(2)], text(number).as_bytes()]
                .concat();
        client.send_to(&message, target.inet()?)?;
    }
    let mut verdict = Ok("got each its own answer".to_string());
    for (number, client) in clients.iter().enumerate() {
        let mut buf = [0; DATAGRAM];
        client.set_read_timeout(Some(GENEROUS))?;
        match client.recv_from(&mut buf) {
            Ok((n, _)) if buf[..n].ends_with(text(number).as_bytes()) => {}
            Ok(_) => verdict = Err(format!("number {number} got another one's answer")),
            Err(error) => verdict = Err(format!("number {number} got no answer: {error}")),
        }
    }
    let peers = clients
        .iter()
        .map(|client| Ok(client.local_addr()?.to_string()))
        .collect::<io::Result<_>>()?;
    Ok(Running::judged(&target.address, peers, verdict))
}

/// One address that asks as many times as any server remembers, each time as another
/// client would, and for as much as a datagram holds. It goes on while it is answered.
pub const GREEDY_ADDRESS: Fault = fault(
    "greedy-address",
    "one address that asks for all there is to be had: 1,025 large requests, each of another session",
    UDP,
    ClientServed,
    greedy_address,
);

fn greedy_address(target: &Target) -> io::Result<Running> {
    let socket = bind(target.inet()?)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    let mut buf = vec![0; DATAGRAM];
    let mut refused = 0;
    for session in 0..GREED {
        let mut datagram = target.hello.to_vec();
        // Where there are sessions, each request is the first of its own.
        if let (Speaks::Requests, Some(place)) = (target.speaks, datagram.get_mut(SESSION)) {
            place.copy_from_slice(&session.to_be_bytes());
        }
        datagram.resize(LARGE, b'x');
        socket.send_to(&datagram, target.inet()?)?;
        refused = if socket.recv_from(&mut buf).is_ok() { 0 } else { refused + 1 };
        if refused == ENOUGH {
            break;
        }
    }
    // It keeps its address, and does not leave.
    Running::keeping(&target.address, socket)
}

/// Sends `datagram` and waits until the server has come to a later one.
fn unusual(target: &Target, datagram: &[u8]) -> io::Result<Running> {
    let socket = bind(target.inet()?)?;
    socket.send_to(datagram, target.inet()?)?;
    answered(target)?;
    Ok(Running::over(&target.address, socket.local_addr()?.to_string()))
}

/// A client that has said hello and got its reply. One that is lost is asked for again.
pub(super) fn answered(target: &Target) -> io::Result<UdpSocket> {
    const TRIES: u32 = 5;
    let socket = bind(target.inet()?)?;
    socket.set_read_timeout(Some(GENEROUS / TRIES))?;
    let mut result = Ok(());
    for _ in 0..TRIES {
        socket.send_to(target.hello, target.inet()?)?;
        match socket.recv_from(&mut [0; DATAGRAM]) {
            Ok(_) => return Ok(socket),
            Err(error) => result = Err(error),
        }
    }
    result.map(|()| socket)
}

/// A free port on the loopback address of the server's family.
pub(crate) fn bind(server: SocketAddr) -> io::Result<UdpSocket> {
    match server {
        SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)),
        SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)),
    }
}
