//! Nobody may answer
//!
//! A datagram may be lost, and nobody tells.
//! Write `ask`: send the message and return the reply, or `None` when none has come within
//! `patience`.
//!
//! Hint: `set_read_timeout(Some(patience))` bounds the wait of `recv`.
//!
//! Hint: The error at its end is `WouldBlock` on Unix and `TimedOut` on Windows.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::time::Duration;

/// The reply, if one has come in time. The socket is connected to the server.
pub fn ask(socket: &UdpSocket, message: &[u8], patience: Duration) -> io::Result<Option<Vec<u8>>> {
    // Solution:
    socket.set_read_timeout(Some(patience))?;
    socket.send(message)?;
    let mut buf = [0; 65_536];
    match socket.recv(&mut buf) {
        Ok(n) => Ok(Some(buf[..n].to_vec())),
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use netcore::testing::udp::Running;
    use udp_echo::{Echo, server};

    #[test]
    fn a_reply_is_returned_and_an_empty_one_is_a_reply() {
        let server = Running::start(|socket, shutdown| {
            server::serve(socket, &Echo::default(), shutdown)
        });
        let socket = server.connect();
        for message in [&b"hello"[..], b""] {
            let reply = ask(&socket, message, Duration::from_secs(30)).unwrap();
            assert_eq!(reply.as_deref(), Some(message));
        }
    }

    #[test]
    fn silence_is_no_error() {
        let silent = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        socket.connect(silent.local_addr().unwrap()).unwrap();
        assert_eq!(ask(&socket, b"hello", Duration::from_millis(50)).unwrap(), None);
    }
}
