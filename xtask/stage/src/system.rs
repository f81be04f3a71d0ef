//! What the system tells of sockets and of a process. Linux tells it in files; elsewhere
//! nothing is told.

use std::fs;

use ladder::process::Held;

/// Memory is told in steps of so much, so that the page is not told of each page of it.
const STEP_KIB: u64 = 64;

/// The ports of a socket, and its state as the kernel has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Socket {
    pub local: u16,
    pub remote: u16,
    pub state: &'static str,
}

/// Every socket of the machine that has to do with one of these ports; `None` where the
/// system does not tell.
pub fn sockets(udp: bool, ports: &[u16]) -> Option<Vec<Socket>> {
    let files = if udp { ["udp", "udp6"] } else { ["tcp", "tcp6"] };
    let read = |file| fs::read_to_string(format!("/proc/net/{file}")).ok();
    let tables: String = files.into_iter().filter_map(read).collect();
    let is_ours = |it: &Socket| ports.contains(&it.local) || ports.contains(&it.remote);
    let sockets = tables.lines().filter_map(|row| socket(row, udp)).filter(is_ours);
    (!tables.is_empty()).then(|| sockets.collect())
}

/// What a process holds; `None` where the system does not tell, or it is gone.
pub fn load(process: u32) -> Option<Held> {
    Held::by(process).map(|held| Held { kib: held.kib / STEP_KIB * STEP_KIB, ..held })
}

/// A row of `/proc/net/tcp` or its relatives: a number, both ends, the state.
fn socket(row: &str, udp: bool) -> Option<Socket> {
    let mut words = row.split_whitespace().skip(1);
    // `0100007F:1F90`: an address, which nobody here asks for, and the port.
    let port = |end: &str| u16::from_str_radix(end.split_once(':')?.1, 16).ok();
    let (local, remote) = (port(words.next()?)?, port(words.next()?)?);
    let state = state(u8::from_str_radix(words.next()?, 16).ok()?, udp);
    Some(Socket { local, remote, state })
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
    fn a_row_of_the_kernel_is_understood() {
        let row = "   3: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 0 0 0 8";
        let listens = Socket { local: 8080, remote: 0, state: "LISTEN" };
        assert_eq!(socket(row, false), Some(listens));
        let row = "0: 00000000000000000000000001000000:0050 \
                   0000000000000000FFFF00000100007F:D431 06 x";
        let ended = Socket { local: 80, remote: 54321, state: "TIME-WAIT" };
        assert_eq!(socket(row, false), Some(ended));
        for wrong in ["", "sl local_address rem_address st", "0: 7F 7F:2 01", "0: 0100007F:x"] {
            assert_eq!(socket(wrong, false), None, "{wrong}");
        }
    }
}
