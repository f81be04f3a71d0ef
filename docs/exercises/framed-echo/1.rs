//! A length in front
//!
//! Write the frame of a message: its length in four bytes, the highest first, then the
//! message.
//!
//! Hint: The length counts the bytes of the message, and not its own four.
//!
//! Hint: `(message.len() as u32).to_be_bytes()` are the four bytes.

/// The message as it is on the wire.
pub fn frame(message: &[u8]) -> Vec<u8> {
    // Solution:
    let mut frame = (message.len() as u32).to_be_bytes().to_vec();
    frame.extend_from_slice(message);
    frame
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use framed_echo::{Echo, server};
    use netcore::testing::{Setup, Suite};
    use std::io::{Read, Write};

    #[test]
    fn the_bytes_are_those_of_the_rung() {
        assert_eq!(frame(b"hi"), b"\x00\x00\x00\x02hi");
    }

    #[test]
    fn the_server_answers_two_messages_sent_at_once_and_one_may_be_empty() {
        let both = [frame(b""), frame(b"hello")].concat();
        let suite: Suite = Suite::new("", "", |listener, setup, shutdown| {
            server::serve(listener, &setup.service::<Echo>(&[]), shutdown)
        });
        let server = suite.start(Setup::default());
        let mut client = server.connect();
        client.stream().write_all(&both).unwrap();
        let mut replies = vec![0; both.len()];
        client.stream().read_exact(&mut replies).expect("both are answered");
        assert_eq!(replies, both);
    }
}
