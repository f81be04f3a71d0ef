//! What the rung promises is true here as well, whatever is answered: its own file of
//! tests, over this server.

extern crate notes_api as http_handlers;

#[path = "../../../../crates/http-handlers/tests/limits.rs"]
mod limits;
