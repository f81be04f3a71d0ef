//! What changes without anybody's word: the states of the sockets, and what the server
//! holds.

use std::collections::BTreeMap;

use ladder::manifests::Carrier;
use ladder::process::Held;
use ladder::{Address, Rung};

use crate::event::{LINES, SocketRow, Sockets, What, Who};
use crate::feed::Teller;
use crate::system::{self, Socket};

pub struct Look {
    carrier: Carrier,
    server: Option<u16>,
    /// The ports where the first client goes, the second, and whoever misbehaves.
    lines: Vec<Option<u16>>,
    sockets: Option<Sockets>,
    load: Held,
}

/// States that come first, in the order in which a socket goes through them.
const ORDER: [&str; 5] = ["LISTEN", "BOUND", "SYN-RECEIVED", "CONNECTED", "ESTABLISHED"];

impl Look {
    pub fn new(rung: &Rung, address: &Address, lines: Vec<Option<u16>>) -> Look {
        let server = address.inet().ok().map(|address| address.port());
        Look { carrier: rung.transport, server, lines, sockets: None, load: Held::default() }
    }

    /// Tells what has changed since the last look. `server` is the number of its process.
    pub fn look(&mut self, server: Option<u32>, teller: &Teller) {
        let sockets = Sockets { told: false, rows: Vec::new() };
        let sockets = self.sockets().unwrap_or(sockets);
        if self.sockets.as_ref() != Some(&sockets) {
            teller.now(&What::Sockets(sockets.clone()));
            self.sockets = Some(sockets);
        }
        let load = server.and_then(system::load).unwrap_or_default();
        if load != self.load {
            teller.now(&What::Load(load));
            self.load = load;
        }
    }

    fn sockets(&self) -> Option<Sockets> {
        let udp = match self.carrier {
            Carrier::Tcp => false,
            Carrier::Udp => true,
            Carrier::Unix => return None,
        };
        let ports: Vec<u16> = self.lines.iter().copied().chain([self.server]).flatten().collect();
        let sockets = system::sockets(udp, &ports)?;
        Some(Sockets { told: true, rows: rows(&sockets, self.server, &self.lines) })
    }
}

/// Those of the server and of its clients, counted by their state. What is the network's
/// own is left out.
fn rows(sockets: &[Socket], server: Option<u16>, lines: &[Option<u16>]) -> Vec<SocketRow> {
    let mut rows = BTreeMap::new();
    let place = |state: &str| ORDER.iter().position(|it| *it == state).unwrap_or(ORDER.len());
    for socket in sockets {
        let goes_to = |line: &Option<u16>| *line == Some(socket.remote);
        let who = match lines.iter().position(goes_to) {
            _ if server == Some(socket.local) => Who::Server,
            Some(line) => LINES[line],
            None => continue,
        };
        let remote = match socket.remote {
            0 => "anybody".into(),
            port => port.to_string(),
        };
        let ends = format!("{} ↔ {remote}", socket.local);
        let state = socket.state;
        let row = SocketRow { who, state, number: 0, ends };
        rows.entry((who as u8, place(state), state)).or_insert(row).number += 1;
    }
    rows.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_counted_by_whose_they_are_and_by_state() {
        let socket = |local, remote, state| Socket { local, remote, state };
        let sockets = [
            socket(20_000, 0, "LISTEN"),
            socket(20_000, 5, "ESTABLISHED"),
            socket(20_000, 6, "ESTABLISHED"),
            socket(40_000, 31, "TIME-WAIT"),
            socket(40_001, 33, "ESTABLISHED"),
            // The proxy's own.
            socket(31, 40_000, "CLOSE-WAIT"),
            socket(5, 20_000, "ESTABLISHED"),
        ];
        let rows = rows(&sockets, Some(20_000), &[Some(31), Some(32), Some(33)]);
        let told: Vec<(Who, &str, usize, &str)> =
            rows.iter().map(|row| (row.who, row.state, row.number, row.ends.as_str())).collect();
        assert_eq!(
            told,
            [
                (Who::Server, "LISTEN", 1, "20000 ↔ anybody"),
                (Who::Server, "ESTABLISHED", 2, "20000 ↔ 5"),
                (Who::Client1, "TIME-WAIT", 1, "40000 ↔ 31"),
                (Who::Peer, "ESTABLISHED", 1, "40001 ↔ 33"),
            ]
        );
    }
}
