//! HTTP/1.1, room by room.
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

pub use refusal::Refusal;
pub use status::Status;
