//! A body of unknown length
//!
//! Whoever does not know the length of a body beforehand sends it in chunks: the length of
//! each in hexadecimal and `\r\n`, its bytes and `\r\n`; a chunk of length 0 and `\r\n` end it.
//! Write a body of these pieces.
//!
//! Hint: `format!("{:x}\r\n", piece.len())` is the line before a piece.
//!
//! Hint: An empty piece would be taken for the end: leave it out.
//!
//! Hint: The end is `0\r\n\r\n`.

/// The body in chunks.
pub fn chunked(pieces: &[&[u8]]) -> Vec<u8> {
    // Solution:
    let mut body = Vec::new();
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        body.extend_from_slice(format!("{:x}\r\n", piece.len()).as_bytes());
        body.extend_from_slice(piece);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    body
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;
    use http_upload::{Site, server};
    use netcore::testing::{Setup, Suite};
    use std::io::{Read, Write};

    #[test]
    fn the_bytes_are_written_down() {
        let pieces = [&b"hello"[..], b"", &[b'x'; 16]];
        let body = b"5\r\nhello\r\n10\r\nxxxxxxxxxxxxxxxx\r\n0\r\n\r\n";
        assert_eq!(chunked(&pieces).escape_ascii().to_string(), body.escape_ascii().to_string());
    }

    #[test]
    fn the_server_puts_the_pieces_together() {
        let body = chunked(&[b"one, ", b"two"]);
        let suite: Suite = Suite::new("", "", |listener, setup, shutdown| {
            server::serve(listener, &setup.service::<Site>(&["."]), shutdown)
        });
        let server = suite.start(Setup::default());
        let mut client = server.connect();
        let head = "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
            Transfer-Encoding: chunked\r\n\r\n";
        client.stream().write_all(&[head.as_bytes(), &body].concat()).unwrap();
        let mut response = String::new();
        client.stream().read_to_string(&mut response).expect("a response comes");
        assert!(response.ends_with("\r\n\r\none, two"), "{response}");
    }
}
