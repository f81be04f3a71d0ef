//! Four answers of a read
//!
//! A read that never waits has four answers: bytes, nothing yet, the end, or an error.
//! Write `look`, which tells them apart.
//!
//! Hint: "Nothing yet" comes as an error, of the kind `WouldBlock`.
//!
//! Hint: `Ok(0)` is the end of the stream, and never "nothing yet".

use std::io::{self, ErrorKind, Read};

/// What a read has found.
#[derive(Debug, PartialEq)]
pub enum Found {
    /// So many bytes.
    Bytes(usize),
    /// Ask again later.
    NothingYet,
    /// No more will come.
    End,
}

/// Reads, and does not wait.
pub fn look(stream: &mut impl Read, buf: &mut [u8]) -> io::Result<Found> {
    // Solution:
    match stream.read(buf) {
        Ok(0) => Ok(Found::End),
        Ok(n) => Ok(Found::Bytes(n)),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Found::NothingYet),
        Err(error) => Err(error),
    }
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let stream = listener.accept().unwrap().0;
        stream.set_nonblocking(true).unwrap();
        (client, stream)
    }

    /// Until it finds something.
    fn look_on(stream: &mut TcpStream) -> Found {
        loop {
            match look(stream, &mut [0; 16]).expect("no error") {
                Found::NothingYet => std::thread::yield_now(),
                found => return found,
            }
        }
    }

    #[test]
    fn silence_is_no_error_and_no_end() {
        let (_client, mut stream) = pair();
        assert_eq!(look(&mut stream, &mut [0; 16]).unwrap(), Found::NothingYet);
    }

    #[test]
    fn bytes_and_then_the_end_are_told_apart() {
        let (mut client, mut stream) = pair();
        client.write_all(b"hi").unwrap();
        assert!(matches!(look_on(&mut stream), Found::Bytes(_)), "bytes have come");
        drop(client);
        let mut found = look_on(&mut stream);
        while let Found::Bytes(_) = found {
            found = look_on(&mut stream);
        }
        assert_eq!(found, Found::End);
    }
}
