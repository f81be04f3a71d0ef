//! Building blocks that the Netladder rungs share, one idea a file.
//!
//! Socket calls and control flow that a rung teaches stay in that rung.
//! Here is what every rung needs and no rung is about, and what one chapter introduces
//! and later rungs reuse.
//!
//! Each module knows only those before it in this list.
//!
//! | module | idea |
//! |---|---|
//! | [`error`] | what was attempted, on what, why, and a hint |
//! | [`deadline`] | a point in time that a slow peer cannot stretch |
//! | [`shutdown`] | one handle that ends every wait of the process |
//! | [`wait`] | poll(2): ready, stopping or timed out, whichever is first |
//! | [`reach`] | how far an error of a socket reaches: one client, or all |
//! | [`memory`] | whether there is memory for one client more |
//! | [`permits`] | a bounded number of clients at once |
//! | [`connection`] | a stream socket with a deadline, closed in stages |
//! | [`accept`] | an accept that a stop or a deadline ends, and that survives one client's error |
//! | [`visit`] | one client from beginning to end, told in the log whatever ends it |
//! | [`listen`] | TCP and UDP sockets bound with explicit options |
//! | [`connect`] | a client that tries every address, within a deadline |
//! | [`unix`] | UNIX sockets: a file for an address, and who has connected |
//! | [`address`](mod@address) | where a stream server listens, whatever its family |
//! | [`client`] | the plain client of the rungs |
//! | [`secrets`] | a file of secrets, which nobody but its owner should read |
//! | `tls` | encryption over a connection: handshake, half-close, goodbye (feature `tls`) |
//! | `proof` | a shared secret, proven and never sent, bound to one session (feature `proof`) |
//! | [`datagrams`] | a receive that a stop ends at once, a send that is never the end |
//! | `batch` | datagrams that come together, many in one call (feature `batch`) |
//! | [`ask`] | the wait for one reply, and whom to ask |
//! | [`request`] | numbered requests in datagrams, and the replies to them |
//! | [`frame`] | messages over a byte stream, capped before anything is allocated |
//! | [`lines`] | messages that end with a line, bounded as well |
//! | [`names`] | what names are made of, where others see them |
//! | [`outbox`] | a bounded queue for one peer, and a writer that never waits for it |
//! | [`pulse`] | whether a peer is still there that has nothing to say |
//! | [`talk`] | the client of a conversation in which both ends speak when they like |
//! | `codec` | serde values in frames, bounded in bytes and depth (feature `codec`) |
//! | [`shares`] | a bounded memory in which each address has a share of its own |
//! | [`cli`] | the arguments, output and exit codes that all rungs share |
//! | [`log`](mod@log) | the log on standard error, which holds nothing up |
//! | [`timers`] | deadlines of many clients, for a server with one wait |
//! | [`conversation`] | one client of such a server, which waits for none of them |
//! | [`arrivals`] | an accept that such a server does not wait in |
//! | `turns` | many conversations, and whose turn it is (feature `turns`) |
//! | `tasks` | accept, connection and visit for tasks of tokio (feature `tasks`) |
//! | `runtime` | the threads that tasks run on, or one where there are no more (feature `tasks`) |
//! | `testing` | what a server promises, for the tests of every rung (feature `testing`) |
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod accept;
pub mod address;
pub mod arrivals;
pub mod ask;
#[cfg(feature = "batch")]
pub mod batch;
pub mod cli;
pub mod client;
#[cfg(feature = "codec")]
pub mod codec;
pub mod connect;
pub mod connection;
pub mod conversation;
pub mod datagrams;
pub mod deadline;
pub mod error;
pub mod frame;
pub mod lines;
mod linger;
pub mod listen;
pub mod log;
pub mod memory;
pub mod names;
pub mod outbox;
pub mod permits;
#[cfg(feature = "proof")]
pub mod proof;
pub mod pulse;
pub mod reach;
pub mod request;
#[cfg(feature = "tasks")]
pub mod runtime;
pub mod secrets;
pub mod shares;
pub mod shutdown;
mod signals;
mod socket;
pub mod talk;
#[cfg(feature = "tasks")]
pub mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
pub mod timers;
#[cfg(feature = "tls")]
pub mod tls;
#[cfg(feature = "turns")]
pub mod turns;
pub mod unix;
pub mod visit;
pub mod wait;
mod waker;

pub use error::Error;
