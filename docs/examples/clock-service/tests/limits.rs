//! What the rung promises is true here as well, whatever `reply` does: its own file of
//! tests, over this server.

extern crate clock_service as udp_retry;

#[path = "../../../../crates/udp-retry/tests/limits.rs"]
mod limits;
