//! What a server owes to a hello, judged from the bytes that came back.

use std::io::{BufReader, Read};

use netcore::frame::{self, Header};

use crate::{Speaks, Target};

/// The largest reply to a hello that is looked at.
pub(crate) const LARGEST: usize = 1 << 20;

/// Whether `reply` is `count` answers to hello, in order and nothing else, in words
/// that complete "the faulty client".
pub(crate) fn judge(target: &Target, reply: &[u8], count: usize) -> Result<String, String> {
    let right = match target.speaks {
        Speaks::Bytes | Speaks::Local | Speaks::Frames => reply == target.hello.repeat(count),
        Speaks::Objects => objects(reply, target.hello).is_some_and(|found| found == count),
        Speaks::Lines => said(reply, target.hello) == Some(count),
        Speaks::Http | Speaks::Api => statuses(reply) == vec![200; count],
        // A record of the handshake.
        Speaks::Tls | Speaks::Login => reply.starts_with(&[22]),
        // A datagram each: nothing to put together.
        Speaks::Datagrams | Speaks::Requests | Speaks::Gossip => true,
    };
    match (right, count) {
        (true, 1) => Ok("got its whole answer".into()),
        (true, _) => Ok(format!("got {count} whole answers")),
        (false, _) => {
            Err(format!("got {} bytes back, and they are not what is due to it", reply.len()))
        }
    }
}

/// How many frames follow the greeting that end with the text of hello; `None` where
/// anything else comes.
fn objects(reply: &[u8], hello: &[u8]) -> Option<usize> {
    let text = &hello[hello.len().saturating_sub(TEXT)..];
    let mut reader = BufReader::new(reply);
    let mut message = Vec::new();
    let mut frames: usize = 0;
    while frame::read(&mut reader, Header::Binary, LARGEST, &mut message).ok()? {
        if frames > 0 && !message.ends_with(text) {
            return None;
        }
        frames += 1;
    }
    frames.checked_sub(1)
}

/// How many lines with hello in them come before the goodbye; `None` where anything else
/// does.
fn said(reply: &[u8], hello: &[u8]) -> Option<usize> {
    let (text, hello) = (str::from_utf8(reply).ok()?, str::from_utf8(hello).ok()?.trim_end());
    let before = text.strip_suffix(&format!("* {hello} left\n"))?;
    before.lines().all(|line| line.contains(hello)).then(|| before.lines().count())
}

/// Bytes of the text at the end of the hello of `object-exchange`.
const TEXT: usize = 5;

/// The status of each whole response in `reply`; a last 0 for what is none.
pub(crate) fn statuses(mut reply: &[u8]) -> Vec<u16> {
    let mut found = Vec::new();
    while !reply.is_empty() {
        match response(reply) {
            Some((status, rest)) => {
                found.push(status);
                reply = rest;
            }
            None => {
                found.push(0);
                break;
            }
        }
    }
    found
}

fn response(reply: &[u8]) -> Option<(u16, &[u8])> {
    let end = reply.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
    let head = str::from_utf8(&reply[..end]).ok()?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            value.trim().parse::<usize>().ok()
        } else {
            None
        }
    });
    Some((status, reply.get(end + length.unwrap_or(0)..)?))
}

/// Reads to the end of the stream, [`LARGEST`] at most; with what ended it instead.
pub(crate) fn read_to_end(from: impl Read) -> (Vec<u8>, Option<std::io::Error>) {
    let mut reply = Vec::new();
    let error = from.take(LARGEST as u64).read_to_end(&mut reply).err();
    (reply, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(speaks: Speaks, hello: &[u8]) -> Target<'_> {
        Target::new(std::net::SocketAddr::from(([127, 0, 0, 1], 1)), speaks, hello)
    }

    #[test]
    fn an_echo_owes_the_same_bytes() {
        let bytes = target(Speaks::Bytes, b"hello");
        assert!(judge(&bytes, b"hello", 1).is_ok() && judge(&bytes, b"hellohello", 2).is_ok());
        assert!(judge(&bytes, b"hell", 1).is_err() && judge(&bytes, b"", 1).is_err());
    }

    #[test]
    fn values_come_behind_the_greeting() {
        let hello = b"\0\0\0\x09\x01\x02\x02\x05hello";
        let reply = [&b"\0\0\0\x01g\0\0\0\x09"[..], b"\x01\x02\x02\x05hello"].concat();
        let objects = target(Speaks::Objects, hello);
        assert!(judge(&objects, &reply, 1).is_ok());
        assert!(judge(&objects, &reply, 2).is_err() && judge(&objects, &reply[..9], 1).is_err());
    }

    #[test]
    fn a_line_is_owed_for_the_name_and_for_each_that_follows_it() {
        let lines = target(Speaks::Lines, b"hello\n");
        let one = b"* hello joined\n* hello left\n";
        let two = b"* hello joined\nhello: hello\n* hello left\n";
        assert!(judge(&lines, one, 1).is_ok() && judge(&lines, two, 2).is_ok());
        assert!(judge(&lines, two, 1).is_err() && judge(&lines, &one[..14], 1).is_err());
    }

    #[test]
    fn responses_are_told_apart_by_their_lengths() {
        let one = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";
        let two = [&one[..], b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"].concat();
        assert_eq!(statuses(&two), [200, 404]);
        assert_eq!(statuses(&one[..one.len() - 1]), [0]);
        assert_eq!(statuses(b"hello"), [0]);
        assert_eq!(statuses(b""), [0; 0]);
    }
}
