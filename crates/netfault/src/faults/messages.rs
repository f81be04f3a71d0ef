//! Messages that must be refused: cut short, too long, or values that decode only
//! without limits.

use std::io::{self, Write};

use netcore::frame::{self, Header};

use super::replies::listen_after;
use super::{ENDED, FRAMED, OBJECTS, fault};
use crate::Proof::Refused;
use crate::answer::statuses;
use crate::peer::connect;
use crate::stream::name;
use crate::{Fault, Running, Speaks, Target};

/// `pickle.loads` of this calls `os.system("echo hello")`.
const PROGRAM: &[u8] = b"cos\nsystem\n(S'echo hello'\ntR.";

/// Sends the first half of hello and closes.
pub const CUT_MID_MESSAGE: Fault = fault(
    "cut-mid-message",
    "a client that closes in the middle of a message",
    ENDED,
    Refused,
    cut_mid_message,
);

fn cut_mid_message(target: &Target) -> io::Result<Running> {
    refused(target, &target.hello[..target.hello.len() / 2])
}

/// Sends the largest length that four bytes can say.
pub const OVERSIZE_LENGTH: Fault =
    fault("oversize-length", "a length far past the limit", FRAMED, Refused, oversize_length);

fn oversize_length(target: &Target) -> io::Result<Running> {
    refused(target, &u32::MAX.to_be_bytes())
}

/// Sends one whole frame whose text a Python program that unpickles it would run.
pub const PICKLE: Fault = fault(
    "pickle",
    "a whole message that is a program for Python's pickle",
    FRAMED,
    Refused,
    pickle,
);

fn pickle(target: &Target) -> io::Result<Running> {
    refused(target, &framed(PROGRAM)?)
}

/// `object-exchange`: version 99 instead of 1.
pub const WRONG_VERSION: Fault = fault(
    "wrong-version",
    "a value of another version of the protocol",
    OBJECTS,
    Refused,
    wrong_version,
);

fn wrong_version(target: &Target) -> io::Result<Running> {
    refused(target, &framed(b"\x63\x02\x02\x05hello")?)
}

/// `object-exchange`: an echo of a text, and a byte behind it.
pub const TRAILING_BYTES: Fault =
    fault("trailing-bytes", "a value with bytes behind its end", OBJECTS, Refused, trailing_bytes);

fn trailing_bytes(target: &Target) -> io::Result<Running> {
    refused(target, &framed(b"\x01\x02\x02\x05hello!")?)
}

/// `object-exchange`: an echo of lists of one list each, and an integer in the last.
pub const DEEP_NESTING: Fault =
    fault("deep-nesting", "lists inside lists, 40 deep", OBJECTS, Refused, deep_nesting);

fn deep_nesting(target: &Target) -> io::Result<Running> {
    const DEPTH: usize = 40;
    let lists = b"\x05\x01".repeat(DEPTH);
    refused(target, &framed(&[b"\x01\x02", &lists[..], b"\x00\x00"].concat())?)
}

/// `object-exchange`: an echo of a text whose length, a 64-bit number behind the byte
/// 253, says 64 GiB.
pub const HUGE_CLAIM: Fault = fault(
    "huge-claim",
    "a short message that claims a text of 64 GiB",
    OBJECTS,
    Refused,
    huge_claim,
);

fn huge_claim(target: &Target) -> io::Result<Running> {
    const CLAIM: u64 = 64 << 30;
    refused(target, &framed(&[b"\x01\x02\x02\xfd", &CLAIM.to_le_bytes()[..], b"hello"].concat())?)
}

fn framed(message: &[u8]) -> io::Result<Vec<u8>> {
    let mut whole = Vec::new();
    frame::write(&mut whole, Header::Binary, message.len(), message)?;
    Ok(whole)
}

/// Sends `bytes`, closes the sending side, and looks for an answer where none is due.
pub(super) fn refused(target: &Target, bytes: &[u8]) -> io::Result<Running> {
    let stream = connect(target)?;
    let peer = name(&stream)?;
    // A server that closes with bytes unread resets the connection, which is as good a
    // refusal as any.
    let (reply, _) = listen_after(&stream, |timed| timed.write_all(bytes)).unwrap_or_default();
    let answered = match target.speaks {
        Speaks::Bytes | Speaks::Local | Speaks::Frames => !reply.is_empty(),
        Speaks::Tls | Speaks::Login => !reply.is_empty(),
        Speaks::Http | Speaks::Api => statuses(&reply).contains(&200),
        // A greeting comes unasked, and a refusal is a message as well. The log tells.
        Speaks::Objects | Speaks::Lines | Speaks::Datagrams | Speaks::Requests | Speaks::Gossip => {
            false
        }
    };
    let verdict = match answered {
        true => Err(format!("was answered as if nothing were wrong: {}", shown(&reply))),
        false => Ok("was not answered".into()),
    };
    Ok(Running::judged(&target.address, vec![peer], verdict))
}

/// The beginning of `bytes`, harmless on any terminal.
fn shown(bytes: &[u8]) -> String {
    const LONGEST: usize = 40;
    format!("\"{}\"", bytes[..bytes.len().min(LONGEST)].escape_ascii())
}
