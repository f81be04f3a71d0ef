//! What is said over frames and over datagrams: the same values on both. HTTP says the same
//! in its own words (`http.rs`).
//!
//! A variant is told by its place and a field by its order, so new variants go to the end,
//! and any other change needs another [`VERSION`].

use std::fmt;

use netcore::codec::{self, Codec, DEPTH, MAX_BYTES};
use serde::{Deserialize, Serialize};

/// The first byte of every message.
pub const VERSION: u8 = 1;

/// Messages with whatever is in a store, also what another `--max-text` has let in.
pub const ANY: Codec = Codec::new(VERSION, MAX_BYTES, DEPTH);

/// What is asked, and by whom. Each request stands alone: it proves its account, whatever
/// came before on the same connection or from the same address.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Request {
    /// Proves the account.
    pub token: Secret,
    /// By which the request is known again when it is repeated. Over UDP, the number in the
    /// header of the datagram stands in where there is none.
    pub key: Option<String>,
    /// What is asked.
    pub ask: Ask,
}

/// A token, which is not printed, also not by `{:?}`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(pub String);

/// The operations.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Ask {
    /// The draft as it is.
    Get,
    /// This text instead, if the draft is at this revision; 0 where there has never been one.
    Put {
        /// The revision that is to be replaced.
        revision: u64,
        /// The new text.
        text: String,
    },
    /// No text, no history and no remembered request any more, if the draft is at this
    /// revision.
    Delete {
        /// The revision that is to be deleted.
        revision: u64,
    },
    /// Every change after this revision: over frames until one side ends it, over a datagram
    /// the next one, if there is one.
    Follow {
        /// The last revision that is known.
        since: u64,
    },
    /// For a replica: every change of every account after this position.
    Replicate {
        /// The store that it is a replica of; 0 where it has nothing yet.
        store: u64,
        /// The last position that it has.
        since: u64,
    },
    /// For a replica: the server that is asked and those that it follows.
    Chain,
}

/// A draft at one revision.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Draft {
    /// Each change has the next one; 0 where there was no change yet.
    pub revision: u64,
    /// `None` where there is no draft, or no more.
    pub text: Option<String>,
}

/// One change of one draft.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Change {
    /// Its number among the changes of all accounts.
    pub position: u64,
    /// Whose draft it is.
    pub account: String,
    /// What it has become.
    pub draft: Draft,
}

/// What is answered.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// To [`Ask::Get`].
    Draft(Draft),
    /// Put, or deleted: this is its revision now.
    Done(u64),
    /// Not done: the draft is at another revision, which is this.
    Conflict(Draft),
    /// What has changed, in order.
    Changes(Vec<Change>),
    /// To a replica, before any change: the store that it follows.
    Store(u64),
    /// Nothing has changed. To who follows, this says that the server is there.
    Nothing,
    /// Not answered.
    Refused(Why),
    /// To [`Ask::Chain`]: what each is called, up to the one that writes.
    Chain(Vec<u64>),
}

/// Why a request was not answered.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Why {
    /// The token proves no account.
    NotProven,
    /// The text has more bytes than this channel, or this server, takes.
    TooLong {
        /// Bytes of the text.
        length: u64,
        /// Bytes that are taken.
        most: u64,
    },
    /// The key was the name of another request.
    KeyReused,
    /// This is a replica of the server at this address.
    ReadOnly(String),
    /// The replica has another store than this one, or more of it than there is; so has the
    /// client that follows from there.
    OtherStore,
    /// The store failed. Whether the change took place is not known: who asks again with
    /// the same key will hear.
    Unavailable,
    /// Not over this channel, or not for this account.
    NotHere,
    /// The message is no request.
    NoRequest(codec::Refusal),
    /// The key has more bytes than are remembered.
    KeyTooLong {
        /// Bytes of the key.
        length: u64,
        /// Bytes that are taken.
        most: u64,
    },
    /// So long a message is not read, whatever is in it.
    MessageTooLong {
        /// Bytes of the message.
        length: u64,
        /// Bytes that are taken.
        most: u64,
    },
}

impl Ask {
    /// The text that it brings.
    pub fn text(&self) -> &str {
        if let Ask::Put { text, .. } = self { text } else { "" }
    }
}

/// For the log: without the text, which is nobody's but its writer's.
impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ask::Get => f.write_str("get"),
            Ask::Put { revision, text } => {
                write!(f, "put {} bytes at revision {revision}", text.len())
            }
            Ask::Delete { revision } => write!(f, "delete at revision {revision}"),
            Ask::Follow { since } => write!(f, "follow from revision {since}"),
            Ask::Replicate { since, .. } => write!(f, "replicate from position {since}"),
            Ask::Chain => f.write_str("whom it follows"),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "revision {}: {text}", self.revision),
            None => write!(f, "revision {}, and no text", self.revision),
        }
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::NotProven => f.write_str("the token proves no account"),
            Why::TooLong { length, most } => {
                write!(f, "the text has {length} bytes, and this channel takes {most}")
            }
            Why::KeyReused => f.write_str("the key was the name of another request"),
            Why::ReadOnly(primary) => write!(f, "this is a replica: changes go to {primary}"),
            Why::OtherStore => f.write_str("this is not the store that was followed before"),
            Why::Unavailable => {
                f.write_str("the store failed, and whether the change took place is not known")
            }
            Why::NotHere => f.write_str("this is not offered here"),
            Why::KeyTooLong { length, most } => {
                write!(f, "the key has {length} bytes, and {most} are taken")
            }
            Why::MessageTooLong { length, most } => {
                write!(f, "the message has {length} bytes, and this channel takes {most}")
            }
            Why::NoRequest(refusal) => write!(f, "the message is no request: {refusal:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use netcore::codec::Codec;

    use super::*;

    /// Another program may have been built against this version.
    #[test]
    fn the_bytes_of_this_version_are_these() {
        let codec = Codec::new(VERSION, 1 << 10, 64);
        let mut message = Vec::new();
        let put = Ask::Put { revision: 2, text: "hi".into() };
        let request = Request { token: Secret("a.b".into()), key: Some("k".into()), ask: put };
        codec.encode(&request, &mut message).unwrap();
        assert_eq!(message, b"\x01\x03a.b\x01\x01k\x01\x02\x02hi");
        let draft = Draft { revision: 3, text: Some("hi".into()) };
        let change = Change { position: 9, account: "ann".into(), draft };
        codec.encode(&Reply::Changes(vec![change]), &mut message).unwrap();
        assert_eq!(message, b"\x01\x03\x01\x09\x03ann\x03\x01\x02hi");
        for (place, ask) in [
            Ask::Get,
            Ask::Put { revision: 0, text: String::new() },
            Ask::Delete { revision: 0 },
            Ask::Follow { since: 0 },
            Ask::Replicate { store: 0, since: 0 },
            Ask::Chain,
        ]
        .into_iter()
        .enumerate()
        {
            codec.encode(&ask, &mut message).unwrap();
            assert_eq!(message[..2], [VERSION, place as u8]);
        }
        let none = Draft::default();
        for (place, reply) in [
            Reply::Draft(none.clone()),
            Reply::Done(0),
            Reply::Conflict(none),
            Reply::Changes(Vec::new()),
            Reply::Store(0),
            Reply::Nothing,
            Reply::Refused(Why::NotProven),
            Reply::Chain(Vec::new()),
        ]
        .into_iter()
        .enumerate()
        {
            codec.encode(&reply, &mut message).unwrap();
            assert_eq!(message[..2], [VERSION, place as u8]);
        }
    }

    #[test]
    fn a_token_is_not_printed() {
        let request = Request { token: Secret("ann.s3cret".into()), key: None, ask: Ask::Get };
        assert!(!format!("{request:?}").contains("s3cret"));
    }
}
