//! A write that takes a part
//!
//! A socket that never waits takes as many bytes as it has room for.
//! Write `send`, which writes until everything is taken or there is no room, and returns
//! how many bytes were taken.
//!
//! Hint: `write` returns how many of the bytes it took: the rest begins behind them.
//!
//! Hint: `WouldBlock` means "no room now" and ends the loop without an error; any other error
//! is returned.

use std::io::{self, ErrorKind, Write};

/// Writes what there is room for; returns how many bytes that were.
pub fn send(stream: &mut impl Write, bytes: &[u8]) -> io::Result<usize> {
    // Solution:
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(n) => sent += n,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) => return Err(error),
        }
    }
    Ok(sent)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    /// Takes three bytes at a time, and has room for so many in all.
    struct Narrow {
        taken: Vec<u8>,
        room: usize,
    }

    impl Write for Narrow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let n = bytes.len().min(3).min(self.room - self.taken.len());
            self.taken.extend_from_slice(&bytes[..n]);
            if n == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(n) }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn everything_is_sent_where_there_is_room() {
        let mut narrow = Narrow { taken: Vec::new(), room: 100 };
        assert_eq!(send(&mut narrow, b"hello, world").unwrap(), 12);
        assert_eq!(narrow.taken, b"hello, world", "in order, and nothing twice");
    }

    #[test]
    fn without_room_it_ends_and_tells_how_far_it_came() {
        let mut narrow = Narrow { taken: Vec::new(), room: 7 };
        assert_eq!(send(&mut narrow, b"hello, world").unwrap(), 7);
        assert_eq!(narrow.taken, b"hello, ");
    }
}
