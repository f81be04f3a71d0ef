//! A client that does not hear that the server ends.

use std::io::{self, Write};

use netcore::deadline::Deadline;
use netcore::frame::{self, Header};

use super::{READABLE, fault};
use crate::Proof::Process;
use crate::last_words::LastWords;
use crate::peer::connect_with_little_room;
use crate::until::Until;
use crate::{Fault, GENEROUS, Running, Speaks, Target, Treatment};

/// What it sends, and is owed: 200,000 bytes in all.
const MESSAGES: usize = 64;
const BYTES: usize = 3_125;

/// The same of a line, which is shorter.
const LINE: usize = 1_000;

/// Sends a lot, reads nothing of the replies, and goes on sending when the server ends.
/// A server that closes at once resets the connection then, and whatever was on its way
/// is lost, though it was handed over.
pub const SPEAKS_AT_THE_END: Fault = fault(
    "speaks-at-the-end",
    "a client that is still sending, and has yet to read, when the server ends (SIGTERM)",
    READABLE,
    Process(Treatment::StopWithReplies),
    speaks_at_the_end,
);

fn speaks_at_the_end(target: &Target) -> io::Result<Running> {
    let stream = connect_with_little_room(target)?;
    let message = message(target)?;
    let mut timed = Until::new(&stream, Deadline::after(GENEROUS));
    if target.speaks == Speaks::Lines {
        // A name first.
        timed.write_all(target.hello)?;
    }
    for _ in 0..MESSAGES {
        timed.write_all(&message)?;
    }
    let last = LastWords::new(target.speaks, message);
    Running::last_words(&target.address, stream, last)
}

/// One message that the server sends back, as large as the client sends them. A request
/// of HTTP is as it is.
pub(super) fn message(target: &Target) -> io::Result<Vec<u8>> {
    let text = vec![b'x'; BYTES];
    let mut whole = Vec::new();
    match target.speaks {
        Speaks::Frames => frame::write(&mut whole, Header::Binary, BYTES, &text)?,
        Speaks::Objects => {
            // The version, echo, a text: its length in two bytes behind the byte 251.
            let length = (BYTES as u16).to_le_bytes();
            let value = [b"\x01\x02\x02\xfb", &length[..], &text].concat();
            frame::write(&mut whole, Header::Binary, value.len(), &value)?;
        }
        Speaks::Lines => whole = [&text[..LINE - 1], b"\n"].concat(),
        // In TLS, what is to be encrypted.
        Speaks::Bytes | Speaks::Local | Speaks::Tls | Speaks::Login => whole = text,
        Speaks::Http | Speaks::Api => whole = target.hello.to_vec(),
        Speaks::Datagrams | Speaks::Requests | Speaks::Gossip => whole = target.hello.to_vec(),
    }
    Ok(whole)
}
