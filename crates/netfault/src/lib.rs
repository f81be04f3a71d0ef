//! Misbehaving peers: each fault is one way in which a client or a network goes wrong, as a named, bounded program.
//!
//! ```no_run
//! use netfault::{Target, Transport};
//!
//! let fault = netfault::find("silent").expect("the name of a fault");
//! let address = ([127, 0, 0, 1], 9090).into();
//! let running = fault.start(&Target { address, transport: Transport::Tcp, hello: b"hello" })?;
//! // Here an ordinary client goes to `running.address()` and is served, or is not.
//! drop(running);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A fault has taken hold when [`Fault::start`] returns. It ends when the guard is dropped, when the server ends it,
//! or after [`LIFETIME`], whichever is first.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

mod running;
mod tcp;
mod udp;

pub use running::Running;

/// How long a fault lasts at most. A guard that is never dropped must not load the machine for ever.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// The server that a fault is let loose on.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// Where it listens.
    pub address: SocketAddr,
    /// Over what.
    pub transport: Transport,
    /// One whole message in the server's own protocol, as it is on the wire. The server answers it.
    pub hello: &'a [u8],
}

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Connections.
    Tcp,
    /// Datagrams.
    Udp,
}

/// One way in which a peer or a network misbehaves.
pub struct Fault {
    /// As in `cargo xtask` and in the manifests of the rungs.
    pub name: &'static str,
    /// What happens, in one line: a noun phrase.
    pub about: &'static str,
    /// How to tell whether a server survives it.
    pub proof: Proof,
    start: fn(&Target) -> io::Result<Running>,
}

/// How to tell whether a server survives a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// An ordinary client is served while the fault lasts.
    ClientServed,
    /// As [`ClientServed`](Proof::ClientServed), and the server has received each of its messages once: work that is
    /// asked for once must not be done twice.
    ClientServedOnce,
    /// The server takes what the faulty peer has sent for so many messages, by its own log. There is no other client.
    MessagesApart(usize),
    /// The server refuses what the faulty peer has sent, and says so in its log. There is no other client.
    Refused,
}

/// Every fault, in the order in which a ladder of servers meets them.
pub const ALL: &[Fault] = &[
    Fault {
        name: "second-visit",
        about: "a client that came and went before the ordinary one",
        proof: Proof::ClientServed,
        start: tcp::second_visit,
    },
    Fault {
        name: "silent",
        about: "a client that connects and never sends",
        proof: Proof::ClientServed,
        start: tcp::silent,
    },
    Fault {
        name: "drip",
        about: "a client that sends a byte now and then, for ever",
        proof: Proof::ClientServed,
        start: tcp::drip,
    },
    Fault {
        name: "never-reads",
        about: "a client that sends for ever and never reads the replies",
        proof: Proof::ClientServed,
        start: tcp::never_reads,
    },
    Fault {
        name: "reset-midway",
        about: "a client that breaks off in the middle of a message",
        proof: Proof::ClientServed,
        start: tcp::reset_midway,
    },
    Fault {
        name: "random-bytes",
        about: "a client that sends noise",
        proof: Proof::ClientServed,
        start: tcp::random_bytes,
    },
    Fault {
        name: "coalesced",
        about: "two messages that arrive in one segment",
        proof: Proof::MessagesApart(2),
        start: tcp::coalesced,
    },
    Fault {
        name: "pickle",
        about: "a whole message that is a program for Python's pickle",
        proof: Proof::Refused,
        start: tcp::pickle,
    },
    Fault {
        name: "second-client",
        about: "a client that has been answered and stays, idle",
        proof: Proof::ClientServed,
        start: second_client,
    },
    Fault {
        name: "many-idle",
        about: "200 clients that stay connected, idle",
        proof: Proof::ClientServed,
        start: tcp::many_idle,
    },
    Fault {
        name: "loss",
        about: "a network that loses the first reply",
        proof: Proof::ClientServedOnce,
        start: udp::loss,
    },
];

/// The fault of this name.
pub fn find(name: &str) -> Option<&'static Fault> {
    ALL.iter().find(|fault| fault.name == name)
}

impl Fault {
    /// Starts the fault and returns when it has taken hold.
    ///
    /// # Errors
    /// When the server cannot be reached, or does not answer a [`hello`](Target::hello) that the fault begins with.
    pub fn start(&self, target: &Target) -> io::Result<Running> {
        (self.start)(target)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fault").field(&self.name).finish()
    }
}

fn second_client(target: &Target) -> io::Result<Running> {
    match target.transport {
        Transport::Tcp => tcp::second_client(target),
        Transport::Udp => udp::second_client(target),
    }
}
