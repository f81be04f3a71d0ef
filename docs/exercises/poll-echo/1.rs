//! Keep what could not be sent
//!
//! One thread serves all clients, so it never waits for one that does not read.
//! `unsent` is what waits for a client.
//! Write as much of it as the socket takes, keep the rest, and return whether nothing is left.
//!
//! Hint: `unsent.drain(..n)` removes what `write` took.
//!
//! Hint: At `WouldBlock` stop and return `Ok(false)`: poll will say when there is room again.

use std::io::{self, ErrorKind, Write};

/// Sends what the socket takes; `true` when nothing is left.
pub fn flush(unsent: &mut Vec<u8>, stream: &mut impl Write) -> io::Result<bool> {
    // Solution:
    while !unsent.is_empty() {
        match stream.write(unsent) {
            Ok(n) => drop(unsent.drain(..n)),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn a_client_that_reads_late_gets_everything_and_holds_nobody_up() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let mut late = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let mut stream = listener.accept().unwrap().0;
        stream.set_nonblocking(true).unwrap();
        const LENGTH: usize = 32 << 20;
        let mut unsent = vec![b'x'; LENGTH];
        assert!(!flush(&mut unsent, &mut stream).unwrap(), "the buffers are full by now");
        assert!(!unsent.is_empty() && unsent.len() < LENGTH, "a part was taken");
        let reading = std::thread::spawn(move || {
            let mut all = vec![0; LENGTH];
            late.read_exact(&mut all).map(|()| all)
        });
        while !flush(&mut unsent, &mut stream).unwrap() {
            std::thread::yield_now();
        }
        assert!(reading.join().unwrap().unwrap().iter().all(|byte| *byte == b'x'));
    }
}
