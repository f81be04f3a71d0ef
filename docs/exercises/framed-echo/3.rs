//! A length that lies
//!
//! Four bytes can claim four gigabytes.
//! Write `read`, which reads the length and then so many bytes, and refuses a length over
//! `most` with an error of the kind `InvalidData`, before it makes room for anything.
//!
//! Hint: `read_exact` into a `[u8; 4]`, then `u32::from_be_bytes`.
//!
//! Hint: Compare before `vec![0; length]`: whoever pays first is the one who was lied to.

use std::io::{self, ErrorKind, Read};

/// The next message, of at most so many bytes.
pub fn read(stream: &mut impl Read, most: usize) -> io::Result<Vec<u8>> {
    // Solution:
    let mut header = [0; 4];
    stream.read_exact(&mut header)?;
    let length = u32::from_be_bytes(header) as usize;
    if length > most {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut message = vec![0; length];
    stream.read_exact(&mut message)?;
    Ok(message)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_messages_are_read_one_after_the_other() {
        let mut stream = &b"\x00\x00\x00\x02hi\x00\x00\x00\x03you"[..];
        assert_eq!(read(&mut stream, 10).unwrap(), b"hi");
        assert_eq!(read(&mut stream, 10).unwrap(), b"you");
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_a_byte_is_waited_for() {
        let mut stream = &b"\xff\xff\xff\xff"[..];
        assert_eq!(read(&mut stream, 10).unwrap_err().kind(), ErrorKind::InvalidData);
    }
}
