//! Is that TLS?
//!
//! A server may look at the first bytes of a client before it reads them.
//! In TLS they are the head of a record: its kind, which is 22 at the beginning, then the
//! version, whose first byte is 3, and whose second is at most 4.
//! Write `begins_tls`: whether a client that has said this so far speaks TLS, does not, or
//! cannot be told yet (`None`).
//!
//! Hint: No text begins with the byte 22, so the first byte decides nearly always.
//!
//! Hint: What has come so far may be one byte: each byte that is there has to be right, and
//! only with three of them is it certain.

/// Whether it speaks TLS, as far as that is known.
pub fn begins_tls(so_far: &[u8]) -> Option<bool> {
    // Solution:
    match so_far {
        [] | [22] | [22, 3] => None,
        [22, 3, 0..=4, ..] => Some(true),
        _ => Some(false),
    }
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use netcore::connection::Connection;
    use netcore::tls::{ClientSide, ServerSide};
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn text_is_no_tls() {
        for text in ["hello", "G", "\u{16}hello"] {
            assert_eq!(begins_tls(text.as_bytes()), Some(false), "{text:?}");
        }
    }

    #[test]
    fn the_client_of_the_rung_speaks_tls() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        std::thread::spawn(move || {
            let server = ServerSide::made_now().unwrap();
            let side = ClientSide::knowing(server.fingerprint()).unwrap();
            let mut connection = Connection::of_client(stream).unwrap();
            let _ = side.connect(&mut connection, "localhost").map(drop);
        });
        let mut first = [0; 3];
        listener.accept().unwrap().0.read_exact(&mut first).unwrap();
        assert_eq!(begins_tls(&first), Some(true), "{first:?}");
        for so_far in [0, 1, 2] {
            assert_eq!(begins_tls(&first[..so_far]), None, "{so_far} bytes say too little");
        }
    }
}
