//! A client that does not hear that the server ends.

use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::frame::{self, Header};
use socket2::{Domain, Socket, Type};

use super::{TCP, fault};
use crate::Proof::Process;
use crate::answer::{LARGEST, statuses};
use crate::peer::Until;
use crate::{Fault, GENEROUS, Running, Speaks, Target, Treatment};

/// Bytes of replies that the client has room for: far less than is due to it.
const LITTLE_ROOM: usize = 4 << 10;

/// What it sends, and is owed: 200,000 bytes in all.
const MESSAGES: usize = 64;
const BYTES: usize = 3_125;

/// Sends a lot, reads nothing of the replies, and goes on sending when the server ends.
/// A server that closes at once resets the connection then, and whatever was on its way
/// is lost, though it was handed over.
pub const SPEAKS_AT_THE_END: Fault = fault(
    "speaks-at-the-end",
    "a client that is still sending, and has yet to read, when the server ends (SIGTERM)",
    TCP,
    Process(Treatment::StopWithReplies),
    speaks_at_the_end,
);

fn speaks_at_the_end(target: &Target) -> io::Result<Running> {
    let stream = connect_with_little_room(target.address)?;
    let message = message(target)?;
    let mut timed = Until::new(&stream, Deadline::after(GENEROUS));
    for _ in 0..MESSAGES {
        timed.write_all(&message)?;
    }
    let last = LastWords { speaks: target.speaks, message };
    Running::last_words(target.address, stream, last)
}

/// A size that was asked for is never made larger by the system.
fn connect_with_little_room(address: SocketAddr) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    socket.set_recv_buffer_size(LITTLE_ROOM)?;
    socket.connect_timeout(&address.into(), GENEROUS)?;
    socket.set_tcp_nodelay(true)?;
    Ok(socket.into())
}

/// What a client still says when its server has been told to stop.
#[derive(Debug)]
pub(crate) struct LastWords {
    speaks: Speaks,
    message: Vec<u8>,
}

/// One message that the server sends back, as large as the client sends them. A request
/// of HTTP is as it is.
fn message(target: &Target) -> io::Result<Vec<u8>> {
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
        Speaks::Bytes => whole = text,
        Speaks::Http | Speaks::Datagrams | Speaks::Requests => whole = target.hello.to_vec(),
    }
    Ok(whole)
}

impl LastWords {
    /// Says something more whenever there was something to read, up to the end.
    fn speak_and_listen(&self, stream: &TcpStream) -> (Vec<u8>, Option<io::Error>) {
        let mut timed = Until::new(stream, Deadline::after(GENEROUS));
        let (mut reply, mut buf) = (Vec::new(), [0; LITTLE_ROOM]);
        while reply.len() < LARGEST {
            // Where the server has reset the connection already, reading tells.
            let _ = timed.write_all(&self.message);
            match timed.read(&mut buf) {
                Ok(0) => return (reply, None),
                Ok(n) => reply.extend_from_slice(&buf[..n]),
                Err(error) => return (reply, Some(error)),
            }
        }
        (reply, Some(io::Error::other("it goes on for ever")))
    }

    /// Says one thing more, and reads to the end: how many bytes of whole replies came, as
    /// the server's log counts them.
    pub(crate) fn say(&self, stream: &TcpStream) -> Result<usize, String> {
        let (reply, error) = self.speak_and_listen(stream);
        if let Some(error) = error {
            return Err(format!(
                "got {} bytes and no end of stream: {}",
                reply.len(),
                reason(&error)
            ));
        }
        match self.speaks {
            Speaks::Frames | Speaks::Objects => {
                let (mut frames, mut one, mut bytes) = (BufReader::new(&reply[..]), Vec::new(), 0);
                loop {
                    match frame::read(&mut frames, Header::Binary, LARGEST, &mut one) {
                        Ok(true) => bytes += one.len(),
                        Ok(false) => return Ok(bytes),
                        Err(error) => return Err(format!("got the last reply in part: {error}")),
                    }
                }
            }
            Speaks::Http if statuses(&reply).contains(&0) => {
                Err("got the last reply in part".into())
            }
            _ => Ok(reply.len()),
        }
    }
}
