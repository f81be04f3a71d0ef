//! Where a response ends
//!
//! On a connection that is kept, a response does not end with the stream: `Content-Length`
//! says where.
//! Read one response and return its body; what follows belongs to the next one.
//!
//! Hint: `read_line` brings one line of the head with its `\r\n`; the empty line ends it.
//!
//! Hint: The name of a field may have any case: `split_once(':')`, then
//! `eq_ignore_ascii_case("content-length")`.
//!
//! Hint: `read_exact` into a `vec![0; length]` takes the body and nothing more.

use std::io::{self, BufRead, ErrorKind};

/// The body of the next response.
pub fn read_body(reader: &mut impl BufRead) -> io::Result<Vec<u8>> {
    // Solution:
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().map_err(|_| ErrorKind::InvalidData)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(body)
    // End.
}

// The check. Nothing below is to be changed.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_responses_on_one_connection_are_told_apart() {
        let mut stream = &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none\
            HTTP/1.1 200 OK\r\ncontent-length:5\r\nServer: a\r\n\r\nthree"[..];
        assert_eq!(read_body(&mut stream).unwrap(), b"one");
        assert_eq!(read_body(&mut stream).unwrap(), b"three");
    }

    #[test]
    fn a_body_that_is_cut_is_an_error() {
        let mut stream = &b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\non"[..];
        assert!(read_body(&mut stream).is_err());
    }
}
