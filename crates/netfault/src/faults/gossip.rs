//! What is done to a board without a server by who is no node of it.

use std::io;

use super::datagrams::{answered, bind};
use super::{GOSSIP, fault};
use crate::Proof::{Answered, ClientServed};
use crate::{DATAGRAM, Fault, GENEROUS, Running, Target};

/// Nodes that do not exist.
const FORGED: u32 = 10_000;

/// Where the token stands that a node gives, and where the one is shown that it gave.
const GIVEN: std::ops::Range<usize> = 13..21;
const SHOWN: std::ops::Range<usize> = 5..13;

/// A whole question but for the token, as who sends under somebody else's address can make
/// it: nothing that would answer it comes back to it.
pub const UNPROVEN_ADDRESS: Fault = fault(
    "unproven-address",
    "questions from an address that has shown nothing: the answer is not longer than they are",
    GOSSIP,
    Answered,
    unproven_address,
);

fn unproven_address(target: &Target) -> io::Result<Running> {
    let socket = bind(target.inet()?)?;
    socket.set_read_timeout(Some(GENEROUS))?;
    let mut verdict = Ok("got no more than it has sent".to_string());
    for datagram in [target.hello.to_vec(), asks(b"eve", 1, [7; 8])] {
        socket.send_to(&datagram, target.inet()?)?;
        let (n, _) = socket.recv_from(&mut [0; DATAGRAM])?;
        if n > datagram.len() {
            verdict = Err(format!("sent {} bytes and got {n}", datagram.len()));
        }
    }
    Ok(Running::judged(&target.address, vec![socket.local_addr()?.to_string()], verdict))
}

/// Shows what it was given, and tells of nodes that there are not, each in a datagram.
pub const FORGED_NODES: Fault = fault(
    "forged-nodes",
    "somebody who tells of 10,000 nodes that there are not",
    GOSSIP,
    ClientServed,
    forged_nodes,
);

fn forged_nodes(target: &Target) -> io::Result<Running> {
    let socket = bind(target.inet()?)?;
    socket.set_read_timeout(Some(GENEROUS))?;
    socket.send_to(target.hello, target.inet()?)?;
    let mut buf = [0; DATAGRAM];
    let (n, _) = socket.recv_from(&mut buf)?;
    let mut token = [0; 8];
    token.copy_from_slice(buf[..n].get(GIVEN).ok_or(io::ErrorKind::InvalidData)?);
    for number in 0..FORGED {
        socket
            .send_to(&asks(format!("forged-{number}").as_bytes(), number, token), target.inet()?)?;
        // One after the other: what overflows its buffer would be no fault of the node.
        socket.recv_from(&mut buf)?;
    }
    answered(target)?;
    Running::keeping(&target.address, socket)
}

/// The question of a node of this name, which listens nowhere.
fn asks(name: &[u8], generation: u32, token: [u8; 8]) -> Vec<u8> {
    let mut datagram = b"NLG1\x02".to_vec();
    datagram.resize(SHOWN.start, 0);
    datagram.extend(token);
    datagram.extend(b"netfault");
    // One line, without an address: name, generation, heartbeat, quiet, first, last.
    datagram.extend([1, 0, name.len() as u8]);
    datagram.extend(name);
    datagram.extend(u64::from(generation).to_be_bytes());
    for number in [1_u32, 0, 1, 0] {
        datagram.extend(number.to_be_bytes());
    }
    // No notices.
    datagram.push(0);
    datagram
}
