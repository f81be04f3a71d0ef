//! Datagrams: one asks, one answers, and what is not answered is asked again under the same
//! number.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::thread::sleep;
use std::time::Duration;

use netcore::Error;
use netcore::ask::{ask_in_turn, await_reply_to, fits};
use netcore::cli::ClientArgs;
use netcore::codec::{Codec, DEPTH};
use netcore::datagrams::BUFFER;
use netcore::deadline::Deadline;
use netcore::request::{MAX_PAYLOAD, Message, Session};

use super::Channel;
use crate::PORT;
use crate::message::{Ask, Change, Reply, Request, Secret, VERSION, Why};

/// How long the first answer is waited for. A commit may be among what it takes.
const FIRST_WAIT: Duration = Duration::from_millis(500);

/// How often a request is sent; each time twice as long is waited.
const TRIES: u8 = 5;

/// How often one who follows asks while nothing changes.
const LOOK: Duration = Duration::from_millis(200);

const CODEC: Codec = Codec::new(VERSION, BUFFER, DEPTH);

/// The channel.
pub struct Datagrams {
    sockets: Vec<UdpSocket>,
    session: Session,
    token: Secret,
    /// Whether somebody has ever answered.
    heard: bool,
}

impl Datagrams {
    /// Makes a socket. Nothing is sent yet.
    ///
    /// # Errors
    /// As [`ClientArgs::connect_udp`].
    pub fn new(args: &ClientArgs<PORT>, token: Secret) -> Result<Datagrams, Error> {
        let sockets = args.connect_udp()?;
        Ok(Datagrams { sockets, session: Session::new(), token, heard: false })
    }
}

impl Channel for Datagrams {
    fn ask(&mut self, key: Option<&str>, ask: &Ask) -> io::Result<Reply> {
        let (token, key) = (self.token.clone(), key.map(String::from));
        let mut payload = Vec::new();
        CODEC.encode(&Request { token, key, ask: ask.clone() }, &mut payload)?;
        fits(&payload, MAX_PAYLOAD)?;
        let request = self.session.request(&payload);
        let asked = ask_in_turn(&mut self.sockets, |socket| exchange(socket, request));
        let reply = asked.map_err(|error| match error.kind() {
            // It was there before, so it may be there again.
            ErrorKind::ConnectionRefused if self.heard => ErrorKind::ConnectionReset.into(),
            _ => error,
        })?;
        self.heard = true;
        Ok(CODEC.decode(&reply)?)
    }

    fn follow(&mut self, mut since: u64, each: &mut dyn FnMut(&Change) -> bool) -> io::Result<()> {
        loop {
            match self.ask(None, &Ask::Follow { since })? {
                Reply::Changes(changes) => {
                    since = changes.last().map_or(since, |last| last.draft.revision);
                    if !changes.iter().all(&mut *each) {
                        return Ok(());
                    }
                }
                Reply::Nothing => sleep(LOOK),
                Reply::Refused(Why::Unavailable) => return Err(ErrorKind::Other.into()),
                Reply::Refused(why) => {
                    return Err(io::Error::new(ErrorKind::PermissionDenied, why.to_string()));
                }
                _ => return Err(ErrorKind::InvalidData.into()),
            }
        }
    }
}

fn exchange(socket: &UdpSocket, request: Message<'_>) -> io::Result<Vec<u8>> {
    let mut wait = FIRST_WAIT;
    let mut failed = io::Error::from(ErrorKind::TimedOut);
    for attempt in 1..=TRIES {
        let request = Message { attempt, ..request };
        let sent = socket.send(&request.encode());
        match await_reply_to(socket, Deadline::after(wait), &request) {
            Ok((_, reply)) => return Ok(reply),
            Err(error) => failed = sent.err().unwrap_or(error),
        }
        if failed.kind() == ErrorKind::ConnectionRefused {
            break;
        }
        wait *= 2;
    }
    Err(failed)
}
