//! Closed-loop load generator: each connection sends its next request when a reply has
//! come back.
//!
//! Every byte that comes back is checked, so that a fast server is known to be a right
//! one as well. One thread and an event loop, so that it can be pinned to one core and
//! leaves the others to the server.
//!
//! | module | what it measures |
//! |---|---|
//! | [`tcp_echo`] | replies on connections that stay open |
//! | [`tcp_connect`] | a new connection for each message |
//! | [`tcp_bulk`] | bytes in one long stream |
//! | [`tcp_idle`] | a crowd that is open and silent, and others beside it |
//! | [`udp_echo`] | datagrams, with those that were lost |
//! | [`object`] | typed values, as `object-exchange` has them |
//! | [`http`] | replies of a web server to GET |
//! | [`fan_out`] | lines that one says and many hear |
//!
//! [`drive`] is the event loop under those that exchange requests and replies;
//! [`conversation`] is what one of them says and which replies are right.
//!
//! A closed loop measures how fast a server is when its clients wait for it.
//! Clients that do not wait, and queue up behind a slow reply, see longer latencies
//! than it tells.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod args;
pub mod bound;
pub mod conversation;
pub mod datagrams;
pub mod deafness;
pub mod drive;
pub mod fan_out;
pub mod faults;
pub mod http;
pub mod meter;
pub mod object;
pub mod open;
pub mod pattern;
pub mod progress;
pub mod report;
pub mod source;
pub mod stop;
pub mod tcp_bulk;
pub mod tcp_connect;
pub mod tcp_echo;
pub mod tcp_idle;
pub mod udp_echo;
pub mod wire;
