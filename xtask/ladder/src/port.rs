//! Ports that stay free when their server ends, for whoever starts one there again.

use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::ops::Range;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::process::while_none_starts;

/// Systems hand out ports from 32768 (Linux) or 49152 (macOS, Windows) on by themselves:
/// to a client for its own end, to a server that asks for port 0. Nobody gets these.
const LASTING: Range<u16> = 20_000..32_000;

/// The next port on 127.0.0.1 where nobody listens, over TCP or UDP; `None` where there
/// is none.
pub fn lasting() -> Option<u16> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    // Processes that run at once begin at different places.
    let offset = process::id().wrapping_mul(97);
    let mut candidates = (0..LASTING.len()).map(|_| {
        let n = offset.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) as usize % LASTING.len();
        LASTING.start + n as u16
    });
    let free = |port: &u16| {
        let here = (Ipv4Addr::LOCALHOST, *port);
        TcpListener::bind(here).is_ok() && UdpSocket::bind(here).is_ok()
    };
    // Or a child that is being started would have the port for a moment longer than we do.
    while_none_starts(|| candidates.find(free))
}
