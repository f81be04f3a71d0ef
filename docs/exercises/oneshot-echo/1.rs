//! Say that you have said everything
//!
//! Write the client of an echo server that serves one client and ends: send `message`, and
//! return the whole reply.
//! The server replies until its client has finished, and the end of its stream comes only
//! then.
//!
//! Hint: `write_all` sends every byte, and `read_to_end` reads until the other end has closed.
//!
//! Hint: If it hangs, each end waits for the other: the server does not know that nothing more
//! will come.
//!
//! Hint: `stream.shutdown(Shutdown::Write)` ends your direction and leaves the other one open.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};

/// Sends the message and returns the reply.
pub fn ask(server: SocketAddr, message: &[u8]) -> io::Result<Vec<u8>> {
    // Solution:
    let mut stream = TcpStream::connect(server)?;
    stream.write_all(message)?;
    stream.shutdown(Shutdown::Write)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    Ok(reply)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use oneshot_echo::{Echo, server};

    fn start(upper: bool) -> SocketAddr {
        let listener = server::listen(([127, 0, 0, 1], 0).into()).unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || server::serve(listener, &Echo { upper }));
        address
    }

    #[test]
    fn what_is_sent_comes_back() {
        let reply = ask(start(false), b"hello").expect("a reply comes");
        assert_eq!(reply, b"hello", "the reply is not what was sent");
    }

    #[test]
    fn the_whole_reply_is_returned_however_long_it_is() {
        let reply = ask(start(true), &[b'x'; 10_000]).expect("a reply comes");
        assert_eq!(reply.len(), 10_000, "so many bytes came back");
    }
}
