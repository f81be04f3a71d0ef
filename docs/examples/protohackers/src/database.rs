//! Problem 4: a database in datagrams. With an equals sign a value is kept under a key, and
//! nobody is answered; without one the key is answered with its value.

use std::collections::HashMap;
use std::io;
use std::net::UdpSocket;

use netcore::datagrams::{BUFFER, Datagrams};
use netcore::shutdown::Shutdown;

/// Keys at most, and bytes of a datagram: the bound on memory. The problem asks for less than
/// a thousand bytes.
const MOST: (usize, usize) = (10_000, 1000);

/// What `version` is answered with, and nobody can change.
const VERSION: &[u8] = b"a store from udp-echo";

/// What is known.
#[derive(Debug, Default)]
pub struct Database(HashMap<Vec<u8>, Vec<u8>>);

impl Database {
    /// What a datagram is answered with, where it is.
    pub fn reply(&mut self, datagram: &[u8]) -> Option<Vec<u8>> {
        if datagram.len() >= MOST.1 {
            return None;
        }
        match datagram.iter().position(|byte| *byte == b'=') {
            Some(at) => {
                let (key, value) = (&datagram[..at], &datagram[at + 1..]);
                let has_room = self.0.len() < MOST.0 || self.0.contains_key(key);
                if key != b"version" && has_room {
                    self.0.insert(key.into(), value.into());
                }
                None
            }
            None if datagram == b"version" => Some([b"version=", VERSION].concat()),
            None => {
                let value = self.0.get(datagram).map_or(&b""[..], Vec::as_slice);
                // Both may be long, and a reply has to be short as well.
                Some([datagram, b"=", value].concat()).filter(|reply| reply.len() < MOST.1)
            }
        }
    }
}

/// Answers datagrams until it is told to stop.
///
/// # Errors
/// What receive says when no further datagram could be received.
pub fn serve(socket: UdpSocket, shutdown: &Shutdown) -> io::Result<()> {
    let datagrams = Datagrams::new(socket, shutdown)?;
    let (mut database, mut buf) = (Database::default(), vec![0; BUFFER]);
    while let Some((n, peer)) = datagrams.receive(&mut buf)? {
        if let Some(reply) = database.reply(&buf[..n]) {
            datagrams.send(&reply, peer);
        }
    }
    Ok(())
}
