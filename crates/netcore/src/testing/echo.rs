//! What an echo promises besides, and a server that is none does not: this goes with
//! the echo.

use super::{Running, Setup, Suite, Transport};
use crate::client::exchange;
use crate::connection::{Connection, Socket};

/// More than all buffers between the two ends hold.
const LARGE: u32 = 32 << 20;

/// By the plain client.
pub fn each_message_comes_back<T: Transport<Stream: Socket>>(suite: &Suite<T>) {
    let server = suite.start(Setup::default());
    let mut stream = connect(&server);
    for message in [&b"hello"[..], b"", "Привет, сервер!".as_bytes(), b"\0\xff\xfe"] {
        assert_eq!(exchange(&mut stream, message).expect("a reply"), message);
    }
}

/// The plain client writes and reads at once.
pub fn a_message_larger_than_every_buffer_on_the_way_comes_back_whole<
    T: Transport<Stream: Socket>,
>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::default());
    let message: Vec<u8> = (0..LARGE).map(|i| (i / 251) as u8).collect();
    assert!(exchange(&mut connect(&server), &message).expect("a reply") == message);
}

/// For a suite whose server has `--upper`.
pub fn upper_case_leaves_everything_but_ascii_letters_as_it_was<T: Transport<Stream: Socket>>(
    suite: &Suite<T>,
) {
    let server = suite.start(Setup::default());
    let reply = exchange(&mut connect(&server), "hello, мир!".as_bytes()).expect("a reply");
    assert_eq!(String::from_utf8_lossy(&reply), "HELLO, мир!");
}

fn connect<T: Transport<Stream: Socket>>(server: &Running<T>) -> Connection<T::Stream> {
    let stream = T::connect(&server.address).expect("it listens");
    Connection::of_client(stream).expect("the socket can be used")
}
