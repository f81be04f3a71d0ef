//! What a client that is still sending hears when its server ends.

use std::io::{self, BufReader, Read, Write};

use netcore::deadline::Deadline;
use netcore::error::reason;
use netcore::frame::{self, Header};

use crate::answer::{LARGEST, statuses};
use crate::stream::Stream;
use crate::until::Until;
use crate::{GENEROUS, Speaks};

/// What a client still says when its server has been told to stop.
#[derive(Debug)]
pub(crate) struct LastWords {
    speaks: Speaks,
    message: Vec<u8>,
}

impl LastWords {
    pub(crate) fn new(speaks: Speaks, message: Vec<u8>) -> LastWords {
        LastWords { speaks, message }
    }

    /// Says something more whenever there was something to read, up to the end.
    fn speak_and_listen(&self, stream: &Stream) -> (Vec<u8>, Option<io::Error>) {
        let mut timed = Until::new(stream, Deadline::after(GENEROUS));
        let (mut reply, mut buf) = (Vec::new(), [0; 4096]);
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
    pub(crate) fn say(&self, stream: &Stream) -> Result<usize, String> {
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
            speaks if speaks.is_http() && statuses(&reply).contains(&0) => {
                Err("got the last reply in part".into())
            }
            _ => Ok(reply.len()),
        }
    }
}
