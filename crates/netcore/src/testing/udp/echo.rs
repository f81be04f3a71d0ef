//! What an echo of datagrams promises besides, with a prefix before each reply: this goes
//! with the echo.

use super::{Running, ask, must};
use crate::datagrams::LARGEST;

/// Starts the server with this prefix.
pub type Start = dyn Fn(&'static str) -> Running;

/// The tutorial's prefix: 12 bytes, 7 characters.
pub const PREFIX: &str = "Ответ: ";

/// Also where there is nothing behind it.
pub fn the_prefix_stands_before_the_reply_byte_for_byte(start: &Start) {
    let server = start(PREFIX);
    let reply = ask(&server.connect(), b"Hello UDP!");
    assert_eq!(reply, b"\xd0\x9e\xd1\x82\xd0\xb2\xd0\xb5\xd1\x82: Hello UDP!");
    assert_eq!(ask(&server.connect(), b""), PREFIX.as_bytes());
}

/// It is a message, and no end of anything.
pub fn an_empty_datagram_is_answered_with_an_empty_one(start: &Start) {
    let server = start("");
    let socket = server.connect();
    assert_eq!(ask(&socket, b""), b"");
    // It was no end of anything.
    assert_eq!(ask(&socket, b"next"), b"next");
}

/// No datagram is longer than the longest.
pub fn a_reply_that_its_prefix_makes_too_long_is_lost_and_the_next_is_not(start: &Start) {
    let server = start(PREFIX);
    let socket = server.connect();
    must(socket.send(&vec![b'x'; LARGEST]));
    assert_eq!(ask(&socket, b"next"), [PREFIX.as_bytes(), b"next"].concat());
}
