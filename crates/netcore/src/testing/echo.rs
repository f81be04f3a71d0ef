//! What an echo promises besides, and a server that is none does not: this goes with
//! the echo.

use super::{Setup, Suite, Transport};

/// More than all buffers between the two ends hold.
const LARGE: u32 = 32 << 20;

/// By the plain client.
pub fn each_message_comes_back<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let messages = [&b"hello"[..], b"", "Привет, сервер!".as_bytes(), b"\0\xff\xfe"];
    assert_eq!(server.replies_to(&messages), messages);
}

/// The plain client writes and reads at once.
pub fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole<T: Transport>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::default());
    let message: Vec<u8> = (0..LARGE).map(|i| (i / 251) as u8).collect();
    assert!(server.replies_to(&[&message]) == [message]);
}

/// For a suite whose server has `--upper`.
pub fn upper_case_leaves_everything_but_ascii_letters_as_it_was<T: Transport>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let replies = server.replies_to(&["hello, мир!".as_bytes()]);
    assert_eq!(String::from_utf8_lossy(&replies[0]), "HELLO, мир!");
}
