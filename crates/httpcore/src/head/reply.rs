//! The head of a response, by the same strict reading as that of a request: a client that
//! ends a response elsewhere than the proxy in front of it takes somebody else's answer.

use super::framing::{Ends, Framing, Persistence};
use super::line::Version;
use super::{FIELD_LIMIT, what_is_wrong};
use crate::refusal::Refusal;

/// What a client needs to know of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyHead {
    /// Its status, 200 to 999.
    pub status: u16,
    /// Bytes of the head, and of the interim ones before it.
    pub length: usize,
    /// Where the content ends; nothing where only the end of the connection tells, so that
    /// what is cut short looks the same as what is whole.
    pub framing: Option<Framing>,
    /// Whether the connection takes another request.
    pub persistence: Persistence,
}

impl ReplyHead {
    /// The head of the response to a GET, once all of it has been received. Interim ones, of
    /// a status below 200, are read over
    /// ([RFC 9110 section 15.2](https://www.rfc-editor.org/rfc/rfc9110#section-15.2)).
    ///
    /// # Errors
    /// What leaves a choice about the end of the response, and what is no response.
    pub fn parse(received: &[u8]) -> Result<Option<ReplyHead>, Refusal> {
        let mut start = 0;
        loop {
            let Some(head) = parse_one(&received[start..])? else { return Ok(None) };
            let length = start + head.length;
            match head.status {
                // Nobody has asked for another protocol.
                101 => {
                    let why = "the other end changes the protocol without being asked";
                    return Err(Refusal::bad("RFC 9110 section 7.8", why));
                }
                100..200 => start = length,
                _ => return Ok(Some(ReplyHead { length, ..head })),
            }
        }
    }
}

fn parse_one(received: &[u8]) -> Result<Option<ReplyHead>, Refusal> {
    let mut slots = [httparse::EMPTY_HEADER; FIELD_LIMIT];
    let mut response = httparse::Response::new(&mut slots);
    let length = match response.parse(received) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::HeaderName | httparse::Error::HeaderValue) => {
            let lines = received.iter().position(|&byte| byte == b'\n').map_or(0, |end| end + 1);
            return Err(what_is_wrong(&received[lines..]));
        }
        Err(error) => return Err(Refusal::bad("RFC 9112 section 4", error.to_string())),
    };
    let (Some(status @ 100..), Some(minor)) = (response.code, response.version) else {
        return Err(Refusal::bad("RFC 9112 section 4", "the response has no status"));
    };
    let version = if minor == 0 { Version::Http10 } else { Version::Http11 };
    let mut ends = Ends::default();
    for field in response.headers.iter() {
        ends.read(field.name, field.value)?;
    }
    let framing = match status {
        // They have no content, whatever their fields say (RFC 9112 section 6.3).
        100..200 | 204 | 304 => Some(Framing::Length(0)),
        _ => ends.framing(version)?,
    };
    let persistence =
        if framing.is_some() { ends.persistence(version) } else { Persistence::Close };
    Ok(Some(ReplyHead { status, length, framing, persistence }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> (Option<Framing>, Persistence) {
        let head = ReplyHead::parse(text.as_bytes()).unwrap().unwrap();
        assert_eq!(head.length, text.len());
        (head.framing, head.persistence)
    }

    fn why(text: &str) -> String {
        ReplyHead::parse(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn content_ends_where_its_head_says() {
        let length = |n| (Some(Framing::Length(n)), Persistence::Keep);
        assert_eq!(head("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"), length(5));
        let twice = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\ncontent-length: 5\r\n\r\n";
        assert_eq!(head(twice), length(5));
        assert_eq!(head("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n"), length(0));
        assert_eq!(head("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"), length(0));
        assert_eq!(
            head("HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n"),
            (Some(Framing::Chunked), Persistence::Keep)
        );
        assert_eq!(head("HTTP/1.0 200 OK\r\nServer: x\r\n\r\n"), (None, Persistence::Close));
        assert_eq!(head("HTTP/1.1 200 OK\r\n\r\n"), (None, Persistence::Close));
    }

    #[test]
    fn a_connection_stays_where_both_versions_say_so() {
        let after = |fields: &str| {
            let of = |minor| {
                head(&format!("HTTP/1.{minor} 200 OK\r\nContent-Length: 0\r\n{fields}\r\n")).1
            };
            (of(0), of(1))
        };
        let (keep, close) = (Persistence::Keep, Persistence::Close);
        assert_eq!(after(""), (close, keep));
        assert_eq!(after("Connection: keep-alive\r\n"), (keep, keep));
        for fields in [
            "Connection: close\r\n",
            "connection: Close\r\n",
            "Connection: foo, close\r\n",
            "Connection: close, keep-alive\r\n",
            "Connection: keep-alive\r\nConnection: close\r\n",
        ] {
            assert_eq!(after(fields), (close, close), "{fields:?}");
        }
        assert_eq!(after("Connection: foo ,keep-alive\r\n"), (keep, keep));
        assert_eq!(after("Connection: closed\r\n"), (close, keep));
    }

    /// RFC 9110 section 15.2.
    #[test]
    fn interim_responses_are_read_over() {
        for interim in
            ["HTTP/1.1 100 Continue\r\n\r\n", "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"]
        {
            let text =
                format!("{interim}{interim}HTTP/1.1 404 Not Found\r\nContent-Length: 7\r\n\r\n");
            let head = ReplyHead::parse(text.as_bytes()).unwrap().unwrap();
            assert_eq!((head.status, head.length), (404, text.len()));
            assert_eq!(head.framing, Some(Framing::Length(7)));
            for cut in 0..text.len() {
                assert_eq!(ReplyHead::parse(&text.as_bytes()[..cut]), Ok(None), "cut at {cut}");
            }
        }
        assert!(why("HTTP/1.1 101 Switching Protocols\r\n\r\n").contains("section 7.8"));
    }

    /// RFC 9112 sections 4, 5, 6.1 and 6.3.
    #[test]
    fn what_leaves_a_choice_is_refused() {
        for (fields, section) in [
            ("Content-Length: 5\r\nContent-Length: 6", "6.3"),
            ("Content-Length: 5, 5", "6.3"),
            ("Content-Length: -1", "6.3"),
            ("Content-Length: +1", "6.3"),
            ("Content-Length:", "6.3"),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked", "6.1"),
            ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "6.1"),
            ("Transfer-Encoding: gzip", "6.1"),
            ("Transfer-Encoding: gzip, chunked", "6.1"),
            ("Transfer-Encoding: chunked, gzip", "6.3"),
            ("Transfer-Encoding: chunked,", "6.1"),
            ("X-A : b", "5.1"),
            ("X-A: b\r\n folded", "5.2"),
            ("X-A: b\rX-B: c", "2.2"),
            ("no colon", "5"),
        ] {
            let text = format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n");
            let why = why(&text);
            assert!(why.contains(&format!("(RFC 9112 section {section})")), "{fields:?}: {why}");
        }
        assert!(why("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").contains("HTTP/1.0"));
        for text in [
            "SSH-2.0-x\r\n\r\n",
            "HTTP/2.0 200 OK\r\n\r\n",
            "HTTP/1.1 099 No\r\n\r\n",
            "HTTP/1.1 2 OK\r\n\r\n",
        ] {
            assert!(why(text).contains("(RFC 9112 section 4)"), "{text:?}: {}", why(text));
        }
    }
}
