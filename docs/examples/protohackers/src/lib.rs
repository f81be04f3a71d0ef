//! Small solutions to problems of Protohackers, each taken from a rung, and tested with
//! conversations of our own.
//!
//! | problem | module | rung |
//! |---|---|---|
//! | 0 | [`echo`] | `threaded-echo` |
//! | 1 | [`primes`] | `threaded-echo`, with lines |
//! | 2 | [`prices`] | `framed-echo`, with a length that is always nine |
//! | 3 | [`chat`] | `chat` |
//! | 4 | [`database`] | `udp-echo` |
//! | 5 | [`middle`] | `threaded-echo`, with a second connection |
//! | 6 | [`tickets`] | `chat`: the server speaks by itself |
//! | 7 | [`reliable`] | `udp-reliable`, from the other side |
//! | 8 | [`cipher`] | `tls-echo`: a wrapper, though this one hides little |
//! | 9 | [`jobs`] | `object-exchange`, in lines of JSON |
//! | 10 | [`storage`] | `framed-echo`, with lines between |
//! | 11 | [`pests`] | `object-exchange`, and a client of somebody else |
//!
//! [`server`] is what those over TCP share: a thread for each client, and a stop.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod chat;
pub mod cipher;
pub mod database;
pub mod echo;
pub mod jobs;
pub mod middle;
pub mod pests;
pub mod prices;
pub mod primes;
pub mod reliable;
pub mod server;
pub mod storage;
pub mod tickets;
