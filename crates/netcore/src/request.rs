//! Numbered requests in datagrams, and the replies to them: the header that both ends
//! agree on, and a payload.
//!
//! | offset | bytes | |
//! |---|---|---|
//! | 0 | 4 | `NLR1`, the protocol and its version |
//! | 4 | 1 | 1 a request, 2 a reply |
//! | 5 | 1 | which try of the request this is, from 1; a reply has that of the request it answers |
//! | 6 | 8 | the session, a random number for each run of a client |
//! | 14 | 8 | the request, numbered upwards within its session |
//! | 22 | | the payload, up to the end of the datagram |
//!
//! Numbers are in network byte order. A session has one request at a time: one with a
//! higher number says that its client waits for no earlier one.

use std::hash::{BuildHasher, RandomState};

use crate::datagrams::LARGEST;

/// Bytes before the payload.
pub const HEADER: usize = 22;

/// Bytes that a payload may have.
pub const MAX_PAYLOAD: usize = LARGEST - HEADER;

/// The protocol and its version. Whatever else comes to our port does not begin with
/// it.
const MAGIC: [u8; 4] = *b"NLR1";

/// What a datagram is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// To the server.
    Request = 1,
    /// To the client.
    Reply = 2,
}

/// One datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// What it is for.
    pub kind: Kind,
    /// Which try of the request it is, or answers.
    pub attempt: u8,
    /// One run of a client. A client that is started again on the same port is another
    /// one.
    pub session: u64,
    /// The number of the request within its session.
    pub id: u64,
    /// What the request asks, or the reply says.
    pub payload: &'a [u8],
}

impl<'a> Message<'a> {
    /// `None` for a datagram that is not of this protocol, or cut within its header.
    pub fn decode(datagram: &'a [u8]) -> Option<Message<'a>> {
        let (magic, rest) = datagram.split_first_chunk()?;
        let ([kind, attempt], rest) = rest.split_first_chunk()?;
        let (session, rest) = rest.split_first_chunk()?;
        let (id, payload) = rest.split_first_chunk()?;
        let kind = match kind {
            1 => Kind::Request,
            2 => Kind::Reply,
            _ => return None,
        };
        if *magic != MAGIC {
            return None;
        }
        let (session, id) = (u64::from_be_bytes(*session), u64::from_be_bytes(*id));
        Some(Message { kind, attempt: *attempt, session, id, payload })
    }

    /// The bytes of the datagram.
    pub fn encode(&self) -> Vec<u8> {
        let mut datagram = Vec::with_capacity(HEADER + self.payload.len());
        datagram.extend_from_slice(&MAGIC);
        datagram.extend_from_slice(&[self.kind as u8, self.attempt]);
        datagram.extend_from_slice(&self.session.to_be_bytes());
        datagram.extend_from_slice(&self.id.to_be_bytes());
        datagram.extend_from_slice(self.payload);
        datagram
    }

    /// The request in `datagram`, if it is one.
    pub fn request_in(datagram: &'a [u8]) -> Option<Message<'a>> {
        Message::decode(datagram).filter(|message| message.kind == Kind::Request)
    }

    /// The reply in `datagram`, if it is one to this request.
    ///
    /// A reply to an earlier request comes late, or comes twice; a forger who cannot see
    /// our requests does not know the session.
    pub fn reply_in<'b>(&self, datagram: &'b [u8]) -> Option<Message<'b>> {
        let is_reply = |message: &Message| {
            message.kind == Kind::Reply && (message.session, message.id) == (self.session, self.id)
        };
        Message::decode(datagram).filter(is_reply)
    }

    /// The reply to this request.
    pub fn reply<'b>(&self, payload: &'b [u8]) -> Message<'b> {
        let Message { attempt, session, id, .. } = *self;
        Message { kind: Kind::Reply, attempt, session, id, payload }
    }
}

/// What makes the requests of one run of a client known to the server.
#[derive(Debug)]
pub struct Session {
    number: u64,
    /// The number of the last request.
    last: u64,
}

impl Session {
    /// A new one. Its random number tells it from that of a predecessor on the same
    /// port.
    pub fn new() -> Session {
        Session { number: random(), last: 0 }
    }

    /// The next request. Whoever asks again, after an error, with the one that the
    /// message had will not have it run twice by one server that remembers.
    pub fn request<'a>(&mut self, payload: &'a [u8]) -> Message<'a> {
        self.last += 1;
        Message { kind: Kind::Request, attempt: 1, session: self.number, id: self.last, payload }
    }
}

impl Default for Session {
    fn default() -> Session {
        Session::new()
    }
}

/// A number that nobody can foresee. The keys of [`RandomState`] come from the system's
/// own generator, which spares a dependency; the one thing that must not happen is that
/// two sessions have the same number.
pub fn random() -> u64 {
    RandomState::new().hash_one(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const REQUEST: Message = Message {
        kind: Kind::Request,
        attempt: 3,
        session: 0x0102_0304_0506_0708,
        id: 0x1112_1314_1516_1718,
        payload: b"hi",
    };

    #[test]
    fn a_datagram_has_the_bytes_that_are_written_down() {
        let bytes =
            b"NLR1\x01\x03\x01\x02\x03\x04\x05\x06\x07\x08\x11\x12\x13\x14\x15\x16\x17\x18hi";
        assert_eq!(REQUEST.encode(), bytes);
        assert_eq!(Message::decode(bytes), Some(REQUEST));
        let reply = Message { kind: Kind::Reply, payload: b"", ..REQUEST };
        assert_eq!(Message::decode(&reply.encode()), Some(reply));
    }

    #[test]
    fn what_is_not_of_this_protocol_is_nothing() {
        let whole = REQUEST.encode();
        for cut in 0..HEADER {
            assert_eq!(Message::decode(&whole[..cut]), None, "{cut} bytes");
        }
        for (at, wrong) in [(0, b'n'), (3, b'2'), (4, 0), (4, 3)] {
            let mut datagram = whole.clone();
            datagram[at] = wrong;
            assert_eq!(Message::decode(&datagram), None, "byte {at}");
        }
    }

    #[test]
    fn a_reply_is_one_to_this_request_and_no_other() {
        let reply = REQUEST.reply(b"yes");
        assert_eq!(REQUEST.reply_in(&reply.encode()), Some(reply));
        assert_eq!(REQUEST.reply_in(&Message { attempt: 1, ..reply }.encode()).unwrap().attempt, 1);
        for other in [
            Message { session: 1, ..reply },
            Message { id: 1, ..reply },
            Message { kind: Kind::Request, ..reply },
        ] {
            assert_eq!(REQUEST.reply_in(&other.encode()), None, "{other:?}");
        }
    }

    #[test]
    fn requests_count_upwards_and_sessions_differ() {
        let mut session = Session::new();
        let (one, two) = (session.request(b"one"), session.request(b"two"));
        assert_eq!((one.id, two.id, one.session), (1, 2, two.session));
        assert_ne!(Session::new().request(b"").session, one.session);
    }
}
