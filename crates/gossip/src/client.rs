//! The client: a node that does not stay. It leaves its notices at one node, which tells
//! the others, and says goodbye.

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::time::{Duration, Instant};

use clap::Args;
use netcore::Error;
use netcore::ask::{ask_in_turn, await_reply, each_message};
use netcore::cli::{ClientArgs, duration};
use netcore::deadline::Deadline;
use netcore::request::Message;

use crate::Settings;
use crate::access::Access;
use crate::node::{chance, life};
use crate::proofs::{Opened, Proofs};
use crate::replica::Replica;
use crate::wire::{Body, Line, Name, name};

/// What the client can be told beside where and what.
#[derive(Debug, Args)]
pub struct Options {
    /// Whose notices they are [default: visitor and a number]
    #[arg(long, value_name = "NAME", value_parser = name)]
    name: Option<String>,
    /// Wait this long until the node has a notice
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "5s")]
    timeout: Duration,
    #[command(flatten)]
    access: Access,
}

/// Leaves each message of the command line at the node, and prints it when it is there.
///
/// # Errors
/// As [`each_message`]; that a message is no notice.
pub fn run<const PORT: u16>(args: &ClientArgs<PORT>, options: Options) -> Result<(), Error> {
    let name: Name =
        options.name.unwrap_or_else(|| format!("visitor-{:06x}", chance() >> 40)).into();
    let mut replica = Replica::new(name.clone(), life(), None, Vec::new(), Settings::default());
    // It says goodbye from the start, so that nobody waits for it.
    replica.leave(Duration::ZERO, 0);
    let proofs = options.access.proofs()?;
    let mut visitor = Visitor { name, replica, proofs, said: 0, started: Instant::now() };
    each_message(args, |sockets, request| {
        visitor.say(request)?;
        ask_in_turn(sockets, |socket| {
            visitor.hand_over(socket, Deadline::after(options.timeout))?;
            Ok(request.payload.to_vec())
        })
    })
}

/// A node without an address.
#[derive(Debug)]
struct Visitor {
    name: Name,
    replica: Replica,
    proofs: Proofs,
    /// The number of the message that was written last.
    said: u64,
    started: Instant,
}

impl Visitor {
    /// Writes a message, unless it has been written and is tried once more.
    fn say(&mut self, request: Message<'_>) -> io::Result<()> {
        let wrong = io::Error::other::<String>;
        if request.id > self.said {
            let text = std::str::from_utf8(request.payload);
            let text = text.map_err(|_| wrong("a notice is text, in UTF-8".into()))?;
            self.replica.say(text, self.started.elapsed()).map_err(wrong)?;
            self.said = request.id;
        }
        Ok(())
    }

    /// Asks, in rounds as a node does, until the other end's line of us says that it has
    /// all that we have written.
    fn hand_over(&mut self, socket: &UdpSocket, deadline: Deadline) -> io::Result<()> {
        let every = Settings::default().every;
        while !deadline.has_passed() {
            self.replica.tick(self.started.elapsed(), 0);
            let mut next = self.replica.ask(self.started.elapsed());
            let round = Deadline::after(every).or_sooner(deadline);
            while let Some(body) = next.take() {
                socket.send(&self.proofs.close(socket.peer_addr()?, &body))?;
                let datagram = match await_reply(socket, round, |_| true) {
                    Err(error) if error.kind() == ErrorKind::TimedOut => break,
                    datagram => datagram?,
                };
                match self.receive(socket, &datagram)? {
                    Some(body) if self.has_all(&body) => return Ok(()),
                    _ => next = self.replica.ask(self.started.elapsed()),
                }
            }
        }
        Err(ErrorKind::TimedOut.into())
    }

    /// What is in a datagram, to which what there is to say to it has been sent.
    fn receive(&mut self, socket: &UdpSocket, datagram: &[u8]) -> io::Result<Option<Body>> {
        let peer = socket.peer_addr()?;
        let (back, body) = match self.proofs.open(peer, datagram) {
            Opened::Body(body) => {
                let back = self.replica.receive(peer, &body, self.started.elapsed());
                (back.map(|back| self.proofs.close(peer, &back)), Some(body))
            }
            Opened::Challenge(token) => (Some(token), None),
            Opened::Admitted => (None, None),
            Opened::Refused(why) => {
                log::info!("{peer} refused {} bytes: {why}", datagram.len());
                (None, None)
            }
        };
        back.map_or(Ok(0), |back| socket.send(&back))?;
        Ok(body)
    }

    fn has_all(&self, body: &Body) -> bool {
        let Some(own) = self.replica.members().get(&self.name) else { return false };
        let is_all = |it: &Line| it.generation == own.generation && it.last == own.last;
        body.lines.iter().any(|line| line.name == self.name && is_all(line))
    }
}
