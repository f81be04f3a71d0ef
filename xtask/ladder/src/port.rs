//! Ports that stay free when their server ends, for whoever starts one there again.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use socket2::{Domain, Socket, Type};

use crate::Failure;
use crate::process::while_none_starts;

/// Systems hand out ports from 32768 (Linux) or 49152 (macOS, Windows) on by themselves:
/// to a client for its own end, to a server that asks for port 0. Nobody gets these.
const LASTING: Range<u16> = 20_000..32_000;

/// The next port on 127.0.0.1 where nobody listens, over TCP or UDP.
pub fn lasting() -> Result<u16, Failure> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that run at once begin at different places.
    let offset = process::id().wrapping_mul(97);
    let mut candidates = (0..LASTING.len()).map(|_| {
        let n = offset.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) as usize % LASTING.len();
        LASTING.start + n as u16
    });
    let free = |port: &u16| is_free(*port).is_ok();
    // Or a child that is being started would have the port for a moment longer than we do.
    while_none_starts(|| candidates.find(free)).ok_or_else(|| Failure::new("there is no free port"))
}

/// Whether any server could listen there: also one that does not ask for the address of
/// connections that have just ended, as std does.
fn is_free(port: u16) -> io::Result<()> {
    let here = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.bind(&here.into())?;
    UdpSocket::bind(here).map(drop)
}
