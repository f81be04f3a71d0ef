//! What the system tells of sockets and of a process. Linux tells it in files; elsewhere
//! nothing is told.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use ladder::process::Held;

/// Memory is told in steps of so much, so that the page is not told of each page of it.
const STEP_KIB: u64 = 64;

/// A socket as the kernel has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Socket {
    pub local: SocketAddr,
    pub remote: SocketAddr,
    pub state: &'static str,
}

/// Every socket of the machine that has to do with one of these ports; `None` where the
/// system does not tell.
pub fn sockets(udp: bool, ports: &[u16]) -> Option<Vec<Socket>> {
    let files = if udp { ["udp", "udp6"] } else { ["tcp", "tcp6"] };
    let tables: Vec<String> = files
        .iter()
        .filter_map(|file| fs::read_to_string(format!("/proc/net/{file}")).ok())
        .collect();
    if tables.is_empty() {
        return None;
    }
    let all =
        tables.iter().flat_map(|table| table.lines().skip(1)).filter_map(|row| socket(row, udp));
    let is_ours = |it: &Socket| [it.local, it.remote].iter().any(|it| ports.contains(&it.port()));
    Some(all.filter(is_ours).collect())
}

/// What a process holds; `None` where the system does not tell, or it is gone.
pub fn load(process: u32) -> Option<Held> {
    Held::by(process).map(|held| Held { kib: held.kib / STEP_KIB * STEP_KIB, ..held })
}

/// A row of `/proc/net/tcp` or its relatives: a number, both ends, the state.
fn socket(row: &str, udp: bool) -> Option<Socket> {
    let mut words = row.split_whitespace().skip(1);
    let (local, remote) = (end(words.next()?)?, end(words.next()?)?);
    let state = state(u8::from_str_radix(words.next()?, 16).ok()?, udp);
    Some(Socket { local, remote, state })
}

/// `0100007F:1F90`: the address in words of the machine's own order, the port as it is
/// read.
fn end(text: &str) -> Option<SocketAddr> {
    let (address, port) = text.split_once(':')?;
    let port = u16::from_str_radix(port, 16).ok()?;
    let word = |at: usize| {
        let digits = address.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    let address: IpAddr = match address.len() {
        8 => Ipv4Addr::from(word(0)?).into(),
        32 => {
            let bytes: Vec<u8> = (0..4).filter_map(word).flatten().collect();
            Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?).into()
        }
        _ => return None,
    };
    Some((address.to_canonical(), port).into())
}

/// The names of RFC 9293; a socket of UDP is only bound, or connected as well.
fn state(number: u8, udp: bool) -> &'static str {
    match (number, udp) {
        (1, false) => "ESTABLISHED",
        (1, true) => "CONNECTED",
        (7, true) => "BOUND",
        (2, _) => "SYN-SENT",
        (3 | 12, _) => "SYN-RECEIVED",
        (4, _) => "FIN-WAIT-1",
        (5, _) => "FIN-WAIT-2",
        (6, _) => "TIME-WAIT",
        (7, false) => "CLOSED",
        (8, _) => "CLOSE-WAIT",
        (9, _) => "LAST-ACK",
        (10, _) => "LISTEN",
        (11, _) => "CLOSING",
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn a_row_of_the_kernel_is_understood() {
        let row = "   3: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 8";
        let listens = socket(row, false).unwrap();
        assert_eq!(listens.local, "127.0.0.1:8080".parse().unwrap());
        assert_eq!((listens.remote.port(), listens.state), (0, "LISTEN"));
        let row = "0: 00000000000000000000000001000000:0050 \
                   0000000000000000FFFF00000100007F:D431 06 x";
        let ended = socket(row, false).unwrap();
        assert_eq!(ended.local, "[::1]:80".parse().unwrap());
        assert_eq!((ended.remote, ended.state), ("127.0.0.1:54321".parse().unwrap(), "TIME-WAIT"));
        for wrong in ["", "sl local_address rem_address st", "0: 7F:1 7F:2 01", "0: 0100007F:x"] {
            assert_eq!(socket(wrong, false), None, "{wrong}");
        }
    }
}
