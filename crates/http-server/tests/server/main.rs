//! The server in the test's own process: what a user of the library relies on.

mod asking;
mod bodies;
mod connections;
mod crowd;
mod handlers;
mod values;
