//! The head of a request as it arrives: in one piece, in many, late, or never.

use std::io::{self, ErrorKind};
use std::time::Duration;

use netcore::deadline::Deadline;
use netcore::log::payload;

use httpcore::head::{Extent, Scanner};
use httpcore::stream::Stream;
use httpcore::{Refusal, Status};

use super::slots::{Claim, Slot};

/// What has come of waiting for a request.
#[derive(Debug)]
pub enum Received {
    /// A whole head.
    Head(Extent),
    /// The client has gone, has said nothing for too long, or was closed to make room.
    Nothing,
    /// What came is no head, or not in time.
    Refused(Refusal),
}

/// Waits for the requests of one connection.
#[derive(Debug)]
pub struct Receiver<'a> {
    /// Told when the waiting begins and when it ends.
    pub slot: &'a Slot<'a>,
    /// The client's name in the log.
    pub name: &'a str,
    /// For a whole head, from its first byte.
    pub head: Duration,
}

impl Receiver<'_> {
    /// Reads until `input` begins with a whole head.
    ///
    /// # Errors
    /// What reading says, where that is no end that clients make between two requests.
    pub fn receive(
        &self,
        stream: &mut dyn Stream,
        input: &mut [u8],
        filled: &mut usize,
        patience: Duration,
    ) -> io::Result<Received> {
        let mut scanner = Scanner::default();
        let mut skipped = Skipped::Nothing;
        let mut phase = Phase::New;
        let mut deadline = Deadline::NEVER;
        loop {
            // Some clients send an empty line behind a body that they do not count (RFC 9112
            // section 2.2).
            if skipped == Skipped::Nothing && input[..*filled].starts_with(b"\r\n") {
                input.copy_within(2..*filled, 0);
                *filled -= 2;
                skipped = Skipped::EmptyLine;
            }
            // A CR alone may become such a line, which begins nothing.
            let has_begun = *filled > 0 && input[..*filled] != *b"\r";
            if phase == Phase::New && !has_begun {
                if self.slot.wait() == Claim::Lost {
                    return Ok(Received::Nothing);
                }
                deadline = Deadline::after(patience);
                phase = Phase::Waiting;
            }
            if phase != Phase::Begun && has_begun {
                if phase == Phase::Waiting && self.slot.begin() == Claim::Lost {
                    return Ok(Received::Nothing);
                }
                // One point in time for the whole head, however slowly it drips.
                deadline = Deadline::after(self.head);
                phase = Phase::Begun;
            }
            if has_begun {
                match scanner.find_end(&input[..*filled]) {
                    Ok(Some(extent)) => return Ok(Received::Head(extent)),
                    Ok(None) => {}
                    Err(refusal) => return Ok(Received::Refused(refusal)),
                }
            }
            stream.set_read_deadline(deadline);
            match stream.read(&mut input[*filled..]) {
                // The end of the stream, between two requests.
                Ok(0) if phase == Phase::Waiting => return Ok(Received::Nothing),
                // Nobody will ever complete this head, so there is nothing to answer.
                Ok(0) => {
                    let why = "the connection ended in the middle of a head";
                    return Err(io::Error::new(ErrorKind::UnexpectedEof, why));
                }
                Ok(n) => {
                    log::debug!(
                        "{} received {n} bytes {}",
                        self.name,
                        payload(&input[*filled..*filled + n])
                    );
                    *filled += n;
                }
                Err(error) if error.kind() == ErrorKind::TimedOut => {
                    return Ok(if phase == Phase::Waiting {
                        Received::Nothing
                    } else {
                        let why = "the head of the request did not come in time";
                        Received::Refused(Refusal::by(
                            "RFC 9110 section 15.5.9",
                            Status::REQUEST_TIMEOUT,
                            why,
                        ))
                    });
                }
                // Some clients leave so between two requests.
                Err(error)
                    if error.kind() == ErrorKind::ConnectionReset && phase == Phase::Waiting =>
                {
                    return Ok(Received::Nothing);
                }
                Err(error) => return Err(error),
            }
        }
    }
}

#[derive(PartialEq, Eq)]
enum Phase {
    New,
    /// Nothing of the head has come, and the connection may be closed at any moment.
    Waiting,
    Begun,
}

#[derive(PartialEq, Eq)]
enum Skipped {
    Nothing,
    EmptyLine,
}
