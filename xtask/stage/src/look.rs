//! What changes without anybody's word: the states of the sockets, and what the server
//! holds.

use std::collections::BTreeMap;

use ladder::manifests::Carrier;
use ladder::process::Held;
use ladder::{Address, Rung};

use crate::event::{LINES, SocketRow, What, Who};
use crate::feed::Teller;
use crate::line::Line;
use crate::system::{self, Socket};

pub struct Look {
    carrier: Carrier,
    /// The ports of the server, and where the first client goes, the second, and whoever
    /// misbehaves. Files have none.
    server: Option<u16>,
    lines: Vec<u16>,
    /// What was told last: nothing yet, or that the system does not tell.
    rows: Option<Option<Vec<SocketRow>>>,
    load: Held,
}

/// States that come first, in the order in which a socket goes through them.
const ORDER: [&str; 5] = ["LISTEN", "BOUND", "SYN-RECEIVED", "CONNECTED", "ESTABLISHED"];

impl Look {
    pub fn new(rung: &Rung, server: &Address, lines: &[Line]) -> Look {
        let port = |address: &Address| address.inet().ok().map(|address| address.port());
        let lines = lines.iter().filter_map(|line| port(line.address())).collect();
        let (server, load) = (port(server), Held::default());
        Look { carrier: rung.transport, server, lines, rows: None, load }
    }

    /// Tells what has changed since the last look. `server` is the number of its process.
    pub fn look(&mut self, server: Option<u32>, teller: &Teller) {
        let rows = self.rows();
        if self.rows.as_ref() != Some(&rows) {
            let told = rows.is_some();
            teller.now(&What::Sockets { told, rows: rows.clone().unwrap_or_default() });
            self.rows = Some(rows);
        }
        let load = server.and_then(system::load).unwrap_or_default();
        if load != self.load {
            teller.now(&What::Load(load));
            self.load = load;
        }
    }

    /// `None` where the system does not tell.
    fn rows(&self) -> Option<Vec<SocketRow>> {
        let server = self.server?;
        let ports = [&self.lines[..], &[server]].concat();
        let sockets = system::sockets(self.carrier == Carrier::Udp, &ports)?;
        Some(rows(&sockets, server, &self.lines))
    }
}

/// Those of the server and of its clients, counted by their state. What is the network's
/// own is left out.
fn rows(sockets: &[Socket], server: u16, lines: &[u16]) -> Vec<SocketRow> {
    let mut rows = BTreeMap::new();
    let place = |state: &str| ORDER.iter().position(|it| *it == state).unwrap_or(ORDER.len());
    for socket in sockets {
        let who = match lines.iter().position(|line| *line == socket.remote) {
            _ if server == socket.local => Who::Server,
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
        let rows = rows(&sockets, 20_000, &[31, 32, 33]);
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
