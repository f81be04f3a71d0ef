//! A datagram, there and back: the header that both ends agree on, and a payload.

/// Bytes before the payload.
pub const HEADER: usize = 22;

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
}
