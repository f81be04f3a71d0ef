//! Misbehaving peers and networks: each fault is one way in which a client or a network
//! goes wrong, as a named, bounded program; and a [`proxy`] that makes a good network a
//! bad one.
//!
//! ```no_run
//! use netfault::{Speaks, Target};
//!
//! let fault = netfault::find("silent").expect("the name of a fault");
//! let address = std::net::SocketAddr::from(([127, 0, 0, 1], 9090));
//! let running = fault.start(&Target::new(address, Speaks::Bytes, b"hello"))?;
//! // Here an ordinary client goes to `running.address()` and is served, or is not.
//! drop(running);
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! A fault has taken hold when [`Fault::start`] returns. It ends when the guard is
//! dropped, when the server ends it, or after [`LIFETIME`], whichever is first.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use clap::ValueEnum;
pub use netcore::address::Address;

mod answer;
mod bomb;
pub mod descriptors;
mod faults;
mod last_words;
pub mod mesh;
mod peer;
pub mod proxy;
pub mod random;
mod reset;
mod running;
mod stream;
mod third_party;
mod until;

pub use faults::{ALL, find};
pub use running::Running;

/// How long a fault lasts at most. A guard that is never dropped must not load the
/// machine for ever.
pub const LIFETIME: Duration = Duration::from_secs(60);

/// How long a server may take to accept, or to answer a hello. No correct one comes
/// near it.
const GENEROUS: Duration = Duration::from_secs(10);

/// The largest datagram and one byte more.
const DATAGRAM: usize = 65_536;

/// What noise comes from where nothing else is said.
pub const SEED: u64 = 7;

/// The server that a fault is let loose on.
#[derive(Debug, Clone)]
pub struct Target<'a> {
    /// Where it listens.
    pub address: Address,
    /// What it understands.
    pub speaks: Speaks,
    /// One whole message in the server's own protocol, as it is on the wire. The server
    /// answers it.
    pub hello: &'a [u8],
    /// What noise comes from. The same seed makes the same noise.
    pub seed: u64,
    /// The folder of its certificates, where it has one.
    pub certs: Option<&'a Path>,
}

impl<'a> Target<'a> {
    /// With the usual seed.
    pub fn new(address: impl Into<Address>, speaks: Speaks, hello: &'a [u8]) -> Target<'a> {
        Target { address: address.into(), speaks, hello, seed: SEED, certs: None }
    }

    /// Where datagrams go.
    fn inet(&self) -> io::Result<SocketAddr> {
        self.address.inet()
    }
}

/// What a server understands, and so which faults there are for it. `--speaks` and the
/// manifests of the rungs have the same words, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Speaks {
    /// TCP: bytes, which it sends back.
    Bytes,
    /// A UNIX socket: bytes, which it sends back.
    Local,
    /// TCP: texts, each with its length in four bytes before it, which it sends back.
    Frames,
    /// TCP: the values of `object-exchange`, in the same frames.
    Objects,
    /// TCP: lines that all hear, the first of them a name.
    Lines,
    /// TCP: HTTP/1.1.
    Http,
    /// TCP: the same, for a client that asks a third party.
    Api,
    /// TCP: TLS, and bytes in it, which it sends back.
    Tls,
    /// TCP: the same for who has proven a secret.
    Login,
    /// UDP: a message in each datagram; the reply ends with it.
    Datagrams,
    /// UDP: the numbered requests of `udp-reliable`.
    Requests,
    /// UDP: the digests and notices of `gossip`.
    Gossip,
}

/// What carries the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Connections, over TCP or on one machine.
    Tcp,
    /// Datagrams.
    Udp,
}

impl Speaks {
    /// Whether it is HTTP, whoever asks.
    pub fn is_http(self) -> bool {
        matches!(self, Speaks::Http | Speaks::Api)
    }

    /// Whether it is encrypted.
    pub fn is_encrypted(self) -> bool {
        matches!(self, Speaks::Tls | Speaks::Login)
    }

    /// What it is spoken over.
    pub fn transport(self) -> Transport {
        match self {
            Speaks::Bytes | Speaks::Local | Speaks::Lines => Transport::Tcp,
            Speaks::Frames | Speaks::Objects | Speaks::Http => Transport::Tcp,
            Speaks::Api | Speaks::Tls | Speaks::Login => Transport::Tcp,
            Speaks::Datagrams | Speaks::Requests | Speaks::Gossip => Transport::Udp,
        }
    }

    /// A whole message in it, as it is on the wire, which any server that speaks it
    /// answers.
    pub fn hello(self) -> &'static [u8] {
        match self {
            Speaks::Bytes | Speaks::Local | Speaks::Datagrams => b"hello",
            Speaks::Frames => b"\0\0\0\x05hello",
            // The version, echo, a text of five bytes.
            Speaks::Objects => b"\0\0\0\x09\x01\x02\x02\x05hello",
            // A name, which all hear; said again, a line.
            Speaks::Lines => b"hello\n",
            Speaks::Tls | Speaks::Login => faults::handshakes::hello(),
            Speaks::Http | Speaks::Api => b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
            // The first try of the first request of a session.
            Speaks::Requests => b"NLR1\x01\x01netfault\0\0\0\0\0\0\0\x01hello",
            // A knock: nothing is shown, and the token that is to come back.
            Speaks::Gossip => b"NLG1\0\0\0\0\0\0\0\0\0netfault",
        }
    }
}

/// Whether there are faults of whoever speaks TLS.
pub const TLS: bool = cfg!(feature = "tls");

/// A connection to a server, and nothing else: it ends when this is dropped.
///
/// # Errors
/// Nobody listens there.
pub fn connection(address: &Address) -> io::Result<impl Sized + use<>> {
    address.connect(GENEROUS, netcore::unix::Name::None)
}

/// One way in which a peer, a network or an operator misbehaves.
pub struct Fault {
    /// As in `cargo xtask` and in the manifests of the rungs.
    pub name: &'static str,
    /// What happens, in one line: a noun phrase.
    pub about: &'static str,
    /// How to tell whether a server survives it.
    pub proof: Proof,
    /// What an ordinary client says meanwhile, where any words will not do: the fault
    /// shows with these.
    pub words: &'static [&'static str],
    /// How many files whoever plays it has open, where those are not a few. With as many
    /// for the server and for what is played beside, [`descriptors::allow_many`] tells
    /// whether there are enough.
    pub files: u64,
    speaks: &'static [Speaks],
    start: fn(&Target) -> io::Result<Running>,
}

/// How to tell whether a server survives a fault. After each of them an ordinary client
/// is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// An ordinary client is served while the fault lasts.
    ClientServed,
    /// As [`ClientServed`](Proof::ClientServed), and the server has received each of
    /// its messages once: work that is asked for once must not be done twice.
    ClientServedOnce,
    /// As [`ClientServed`](Proof::ClientServed), and the server gets rid of the faulty
    /// client by itself.
    Dropped,
    /// As [`ClientServed`](Proof::ClientServed), and what the client says cannot be read on
    /// the way, by [`Running::overheard`].
    Unread,
    /// The faulty peer has got the answers that are due to it, by [`Running::verdict`].
    Answered,
    /// As [`Answered`](Proof::Answered), by a server that has few places.
    Served,
    /// The faulty peers hold all places of a server that has few, and each of many others
    /// is answered or refused in time.
    Told,
    /// As [`Answered`](Proof::Answered), and the server takes what the faulty peer has
    /// sent for so many messages, by its own log.
    MessagesApart(usize),
    /// As [`Answered`](Proof::Answered), where no answer is due, and the server says in
    /// its log that it refused or dropped the peer.
    Refused,
    /// The fault is a server: an ordinary client goes to it, prints nothing and ends by itself
    /// with this exit code, and the faulty server has seen nothing that it should not, by
    /// [`Running::of_the_client`].
    ClientEnds(i32),
    /// Done to a process, not to an address: what it is started with, and how it ends.
    Process(Treatment),
}

/// What is done to the process of a server, beside what peers do to its address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Treatment {
    /// It has fewer descriptors than there are clients. It backs off, and recovers when
    /// they leave.
    FewDescriptors,
    /// It may have fewer threads than there are clients. It refuses those beyond or leaves
    /// them waiting, and serves the next when others leave.
    FewThreads,
    /// It is asked to stop. It refuses new clients, ends the work in hand, and ends
    /// with exit code 0.
    Stop,
    /// It is stopped with a client connected, and started again on the same port at
    /// once.
    Restart,
    /// It is asked to stop when it has handed over replies that nobody has read. All of
    /// them arrive, and then the end of the stream.
    StopWithReplies,
    /// Nobody reads what it writes to its log. It serves on; a stop ends it in time, and
    /// with work in hand a second one does.
    DeafLog,
    /// Its own client sends it more than all the buffers on the way hold, and gets it
    /// back.
    BigMessage,
    /// Its port, or its file, has been taken. It says so with a hint and ends with exit
    /// code 1.
    PortTaken,
    /// Its port, or its folder, needs privileges that it does not have. The same.
    LowPort,
    /// It is to listen on what is no host, or in a folder that is none. The same.
    BadHost,
    /// A client of another user comes. It is not served, and its own user is.
    AnotherUser,
    /// It is killed without a word, and started again at the same place at once.
    Killed,
}

impl Fault {
    /// Whether there is such a fault for servers that speak this.
    pub fn is_for(&self, speaks: Speaks) -> bool {
        self.speaks.contains(&speaks)
    }

    /// The simplest that there is this fault for.
    pub fn first_language(&self) -> Speaks {
        self.speaks.first().copied().unwrap_or(Speaks::Bytes)
    }

    /// Starts the fault and returns when it has taken hold.
    ///
    /// # Errors
    /// When the server cannot be reached, or does not answer a [`hello`](Target::hello)
    /// that the fault begins with.
    pub fn start(&self, target: &Target) -> io::Result<Running> {
        (self.start)(target)
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Fault").field(&self.name).finish()
    }
}
