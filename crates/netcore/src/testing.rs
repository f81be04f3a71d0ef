//! What the tests of every rung need, and of a copy of one (feature `testing`).

pub mod udp;
