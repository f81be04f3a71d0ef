//! What the rung promises is true here as well, whatever `reply` does: its own file of
//! tests, over this server.

extern crate key_value as framed_echo;

#[path = "../../../../crates/framed-echo/tests/limits.rs"]
mod limits;
