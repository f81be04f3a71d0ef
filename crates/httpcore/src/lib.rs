//! HTTP/1.1 in rooms, each of which a rung of the ladder needs first. Nothing here
//! listens or accepts: that is for whoever uses it.
//!
//! | room | what is in it | first needed by |
//! |---|---|---|
//! | [`reply`] | responses, their pages, and the way to the wire | `http-files` |
//! | [`head`] | what a request says, read strictly | `http-kept` |
//! | [`freshness`] | versions of a resource, conditions, ranges | `http-cached` |
//! | [`body`] | where a body ends | `http-upload` |
//! | [`handler`] | functions that return a value, and routes to them | `http-handlers` |
//! | [`stream`] | what carries it all | |
//! | [`client`] | the other side | |
//!
//! A room knows only those above it in this order: [`Status`], [`Refusal`]; `head`,
//! `stream`; `body`, `reply`, `freshness`; `handler`, `client`.
#![forbid(unsafe_code)]
#![warn(missing_docs)]

pub mod body;
pub mod client;
pub mod freshness;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
pub mod handler;
pub mod head;
mod refusal;
pub mod reply;
mod status;
pub mod stream;
#[cfg(feature = "testing")]
pub mod testing;

pub use refusal::Refusal;
pub use status::Status;
