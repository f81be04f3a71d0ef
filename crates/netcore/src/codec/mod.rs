//! Typed values in frames: what serde can describe, bounded in bytes and in nesting,
//! with nothing trailing.
//!
//! A message is one [frame]. Its first byte is the version of the protocol, the rest is
//! one value in [bincode](https://docs.rs/bincode/2.0.1): numbers at variable length, little end first, no names.
//! The type that is asked for decides what is read, so bytes can become a value of that
//! type and nothing else. It does not say who sent them, or whether they make sense:
//! that remains for the caller to check.
//!
//! What a peer claims is not believed until so many bytes have come:
//!
//! | claim | without a bound | here |
//! |---|---|---|
//! | the length of the frame | memory for it | [`FrameError::TooLong`] before any is reserved |
//! | the length of a string or list inside | memory for it; the process aborts where there is none | [`ValueError::Undecodable`] |
//! | a value inside a value inside a value | the stack ends and the process aborts | [`ValueError::TooDeep`] |
//! | a billion items of no bytes each | no end to the work | [`ValueError::Undecodable`] |
//!
//! The format has neither names nor kinds on the wire, so some serde attributes do not
//! go with it. What the types must not have:
//!
//! | attribute | what comes of it |
//! |---|---|
//! | `flatten`, `skip_serializing_if` | [`ValueError::Unencodable`] when a value is encoded |
//! | `untagged`, `tag`, and `serde_json::Value` as a field | [`ValueError::Undecodable`] for every message |
//! | `skip` on a variant, `skip_serializing` or `skip_deserializing` on a field alone | **nobody tells**: another value is read than was written |
//! | a new, missing or moved field or variant | the same, for the two ends are of two versions: give the protocol another number |
//!
//! `skip` on a field, `default` with it, and `rename` are harmless. A test that writes one
//! value of each shape and compares the bytes finds all of them; `object-exchange` has one.
//!
//! The work and the memory for a message are in proportion to the bytes that came for
//! it. The proportion depends on the type: an item of one byte may need 30 in memory.
//!
//! bincode 2.0.1 is its last real release: upstream has stopped ([RUSTSEC-2025-0141](https://rustsec.org/advisories/RUSTSEC-2025-0141)),
//! and 3.0.0 is only a compile error. The advisory names no fault, but the next one
//! will not be repaired: so bincode is named in this folder alone, and another serde
//! format can take its place here.

use std::io::{self, BufRead};
use std::marker::PhantomData;

use bincode::config::{self, Configuration, Limit};
use bincode::enc::write::Writer;
use bincode::error::{DecodeError, EncodeError};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;
use crate::frame::{self, FrameError, Header};

mod args;
mod budget;
pub mod client;
mod error;
mod lengths;
mod refusal;
mod request;
mod strict;
mod value;
mod visit;

pub use args::Messages;
use budget::Budget;
pub use error::ValueError;
pub use refusal::Refusal;
use strict::Strict;
pub use value::Value;

/// How the length of a message is written in front of it.
pub const HEADER: Header = Header::Binary;

/// The most that any message may have, whatever limit is asked for.
pub const MAX_BYTES: usize = 16 << 20;

/// Levels of values inside each other that a message may have where nothing else is said,
/// of which a list in a list takes two. Reading one takes stack for each level.
pub const DEPTH: usize = 64;

/// bincode's own limit, a constant. It counts numbers at full length, up to 16 bytes
/// for one on the wire: at `MAX_BYTES` it would refuse honest messages.
const CLAIMED: usize = 16 * MAX_BYTES;

const CONFIG: Configuration<config::LittleEndian, config::Varint, Limit<CLAIMED>> =
    config::standard().with_limit::<CLAIMED>();

/// The version and the limits of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Codec {
    version: u8,
    max_bytes: usize,
    max_depth: usize,
}

impl Codec {
    /// Messages of at most `max_bytes` (never more than [`MAX_BYTES`]), with values at
    /// most `max_depth` deep.
    ///
    /// A number or a text is one deep; each list, map, struct, newtype, option or enum
    /// around it adds a level. So the items of a list inside an enum are two deeper
    /// than the enum.
    pub const fn new(version: u8, max_bytes: usize, max_depth: usize) -> Codec {
        let max_bytes = if max_bytes < MAX_BYTES { max_bytes } else { MAX_BYTES };
        Codec { version, max_bytes, max_depth }
    }

    /// That a message of the program's own can be sent at all, whatever a client asks:
    /// where not, an option that bounds messages is too small.
    ///
    /// # Errors
    /// [`Error::Usage`].
    pub fn has_room_for<T: Serialize>(&self, what: &str, value: &T) -> Result<(), Error> {
        let encoded = self.encode(value, &mut Vec::new());
        encoded.map_err(|error| Error::Usage(format!("there is no room for {what}: {error}")))
    }

    /// Reads one frame into `message` and the value from it. `None` is the end of the
    /// stream between two messages.
    ///
    /// A frame can be whole and its value not to be had: that is an answer as well, and the
    /// next frame can be read as if nothing had happened.
    ///
    /// # Errors
    /// As [`frame::read`]: the stream has lost its place, or has failed, and can only be
    /// closed.
    pub fn read<T: DeserializeOwned>(
        &self,
        reader: &mut impl BufRead,
        message: &mut Vec<u8>,
    ) -> Result<Option<Result<T, ValueError>>, FrameError> {
        let whole = frame::read(reader, HEADER, self.max_bytes, message)?;
        Ok(whole.then(|| self.decode(message)))
    }

    /// Writes one message, made by [`encode`](Codec::encode), as a frame: header and
    /// value in one call.
    ///
    /// # Errors
    /// As [`frame::write`].
    pub fn write(&self, writer: &mut impl io::Write, message: &[u8]) -> Result<(), FrameError> {
        frame::write(writer, HEADER, self.max_bytes, message)
    }

    /// Makes a message of `value`, replacing what `message` held.
    ///
    /// The depth is not checked: the value is the program's own. A peer with the same
    /// limits refuses it if it is too deep.
    ///
    /// # Errors
    /// [`ValueError::TooLong`], as soon as the limit is reached;
    /// [`ValueError::Unencodable`].
    pub fn encode<T: Serialize>(&self, value: &T, message: &mut Vec<u8>) -> Result<(), ValueError> {
        message.clear();
        let mut writer = UpTo { max: self.max_bytes, message };
        let written = writer
            .write(&[self.version])
            .and_then(|()| bincode::serde::encode_into_writer(Strict(value), writer, CONFIG));
        written.map_err(|error| match error {
            EncodeError::UnexpectedEnd => ValueError::TooLong { max: self.max_bytes },
            EncodeError::OtherString(why) => ValueError::Unencodable(why),
            other => ValueError::Unencodable(other.to_string()),
        })
    }

    /// The value in `message`, which is what a frame held.
    ///
    /// # Errors
    /// See [`ValueError`].
    pub fn decode<T: DeserializeOwned>(&self, message: &[u8]) -> Result<T, ValueError> {
        let Some((&version, body)) = message.split_first() else {
            return Err(ValueError::Undecodable("the message is empty".into()));
        };
        if version != self.version {
            return Err(ValueError::WrongVersion { theirs: version, ours: self.version });
        }
        // A byte lies in at most `max_depth` values, one inside the other. So an honest message
        // never has more values than this, unless most of them take no bytes.
        let budget = Budget::new(self.max_depth, message.len().saturating_mul(self.max_depth));
        let seed = budget.around(PhantomData::<T>);
        match bincode::serde::seed_decode_from_slice(seed, body, CONFIG) {
            Ok((value, used)) if used == body.len() => Ok(value),
            Ok((_, used)) => Err(ValueError::TrailingBytes(body.len() - used)),
            Err(_) if budget.was_too_deep() => Err(ValueError::TooDeep { max: self.max_depth }),
            Err(DecodeError::UnexpectedEnd { .. }) => {
                Err(ValueError::Undecodable("it ends too early".into()))
            }
            // The second one only where a `usize` has 32 bits; a longer text than that.
            Err(DecodeError::LimitExceeded | DecodeError::OutsideUsizeRange(_)) => {
                Err(ValueError::Undecodable("it claims too much".into()))
            }
            Err(DecodeError::OtherString(why)) => Err(ValueError::Undecodable(why)),
            Err(other) => Err(ValueError::Undecodable(other.to_string())),
        }
    }
}

/// A vector that takes so many bytes and no more: bincode's own limit is for reading
/// only.
struct UpTo<'a> {
    max: usize,
    message: &'a mut Vec<u8>,
}

impl Writer for UpTo<'_> {
    // Called for every number: as a call, it would double the time of a list of them.
    #[inline]
    fn write(&mut self, bytes: &[u8]) -> Result<(), EncodeError> {
        if bytes.len() > self.max - self.message.len() {
            return Err(EncodeError::UnexpectedEnd);
        }
        self.message.extend_from_slice(bytes);
        Ok(())
    }
}
