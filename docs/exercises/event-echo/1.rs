//! Told once
//!
//! The system tells only once that there is something to read.
//! Whoever stops before `WouldBlock` is never told of the rest.
//! Write `read_all`: everything that is there now, and whether the stream has ended.
//!
//! Hint: Loop until `WouldBlock` or `Ok(0)`; both end it, and only one of them is the end.
//!
//! Hint: Return `(bytes, false)` at `WouldBlock` and `(bytes, true)` at `Ok(0)`.

use std::io::{self, ErrorKind, Read};

/// What is there now, and whether no more will come.
pub fn read_all(stream: &mut impl Read) -> io::Result<(Vec<u8>, bool)> {
    // Solution:
    let (mut all, mut buf) = (Vec::new(), [0; 1024]);
    loop {
        match stream.read(&mut buf) {
            Ok(0) => return Ok((all, true)),
            Ok(n) => all.extend_from_slice(&buf[..n]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok((all, false)),
            Err(error) => return Err(error),
        }
    }
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::VecDeque;

    /// A socket that has this to say, piece by piece.
    struct Says(VecDeque<&'static [u8]>);

    impl Read for Says {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let piece = self.0.pop_front().ok_or(ErrorKind::WouldBlock)?;
            buf[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn every_piece_is_read_before_it_waits_again() {
        let mut stream = Says([&b"one "[..], b"two ", b"three"].into());
        assert_eq!(read_all(&mut stream).unwrap(), (b"one two three".to_vec(), false));
    }

    #[test]
    fn what_comes_before_the_end_is_not_lost() {
        let mut stream = Says([&b"last"[..], b""].into());
        assert_eq!(read_all(&mut stream).unwrap(), (b"last".to_vec(), true));
    }
}
