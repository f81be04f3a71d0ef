//! Bad networks for datagrams, each with one exact mishap: a relay between client and
//! server.
//!
//! Chance is the matter of the [`proxy`](crate::proxy); here the mishap is the same at
//! every run.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use netcore::deadline::Deadline;

use super::datagrams::bind;
use super::{ANY_UDP, UDP, fault};
use crate::Proof::{ClientServed, ClientServedOnce};
use crate::{DATAGRAM, Fault, LIFETIME, Running, Speaks, Target};

/// One way.
const ONE_WAY: Duration = Duration::from_millis(50);

/// Bytes before the text in a datagram of `udp-reliable`.
const HEADER: usize = 22;

/// Which way a datagram goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    ToServer,
    ToClient,
}

/// What the network does with a datagram.
struct Mail<'a> {
    way: Way,
    bytes: &'a [u8],
    socket: &'a UdpSocket,
    server: SocketAddr,
    client: SocketAddr,
}

/// Passes everything on but the first reply.
pub const LOSS: Fault =
    fault("loss", "a network that loses the first reply", UDP, ClientServedOnce, loss);

fn loss(target: &Target) -> io::Result<Running> {
    let mut lost = false;
    relay(target, move |mail| {
        if mail.way == Way::ToClient && !lost {
            lost = true;
            return Ok(());
        }
        mail.deliver(mail.bytes)
    })
}

/// Delivers everything twice.
pub const DUPLICATE: Fault = fault(
    "duplicate",
    "a network that delivers each datagram twice",
    UDP,
    ClientServedOnce,
    duplicate,
);

fn duplicate(target: &Target) -> io::Result<Running> {
    relay(target, |mail| mail.deliver(mail.bytes).and_then(|()| mail.deliver(mail.bytes)))
}

/// Delivers the first request when the second one has been delivered.
pub const REORDER: Fault = fault(
    "reorder",
    "a network where the first request arrives after the next one",
    UDP,
    ClientServedOnce,
    reorder,
);

fn reorder(target: &Target) -> io::Result<Running> {
    let mut held = None;
    let mut requests = 0;
    relay(target, move |mail| {
        if mail.way == Way::ToClient {
            return mail.deliver(mail.bytes);
        }
        requests += 1;
        if requests == 1 {
            held = Some(mail.bytes.to_vec());
            return Ok(());
        }
        mail.deliver(mail.bytes)?;
        held.take().map_or(Ok(()), |first| mail.deliver(&first))
    })
}

/// Takes its time with everything. One datagram at a time will do for a client that
/// waits for each reply.
pub const DELAY: Fault =
    fault("delay", "a network that takes 50 ms each way", ANY_UDP, ClientServed, delay);

fn delay(target: &Target) -> io::Result<Running> {
    relay(target, |mail| {
        // The pause is the fault itself.
        thread::sleep(ONE_WAY);
        mail.deliver(mail.bytes)
    })
}

/// Delivers half of the first reply, as a receiver with too small a buffer would have
/// it.
pub const TRUNCATED: Fault =
    fault("truncated", "a reply of which half arrives", ANY_UDP, ClientServed, truncated);

fn truncated(target: &Target) -> io::Result<Running> {
    let mut cut = false;
    relay(target, move |mail| {
        if mail.way == Way::ToClient && !cut {
            cut = true;
            return mail.deliver(&mail.bytes[..mail.bytes.len() / 2]);
        }
        mail.deliver(mail.bytes)
    })
}

/// Has somebody else answer as well, and first.
pub const STRANGER: Fault =
    fault("stranger", "a reply from somebody who was not asked", ANY_UDP, ClientServed, stranger);

fn stranger(target: &Target) -> io::Result<Running> {
    let other = bind(target.inet()?)?;
    let header = if target.speaks == Speaks::Requests { HEADER } else { 0 };
    relay(target, move |mail| {
        if mail.way == Way::ToClient && mail.bytes.len() >= header {
            let forged = [&mail.bytes[..header], b"forged ", &mail.bytes[header..]].concat();
            other.send_to(&forged, mail.client)?;
        }
        mail.deliver(mail.bytes)
    })
}

/// Keeps the first reply until the client has gone on to another message, and delivers
/// it then.
pub const LATE_REPLY: Fault = Fault {
    // The one text ends with the other.
    words: &["one more", "more"],
    ..fault(
        "late-reply",
        "the reply to an earlier message, just when the next one is sent",
        UDP,
        ClientServed,
        late_reply,
    )
};

fn late_reply(target: &Target) -> io::Result<Running> {
    let header = if target.speaks == Speaks::Requests { HEADER } else { 0 };
    let mut first_text = None;
    let mut kept: Option<Vec<u8>> = None;
    let mut done = false;
    relay(target, move |mail| {
        let text = mail.bytes.get(header..).unwrap_or_default().to_vec();
        match mail.way {
            Way::ToServer if first_text.is_none() => first_text = Some(text),
            Way::ToServer if first_text.as_ref() != Some(&text) && !done => {
                done = true;
                if let Some(kept) = kept.take() {
                    mail.socket.send_to(&kept, mail.client)?;
                }
            }
            Way::ToClient if kept.is_none() && !done => {
                kept = Some(mail.bytes.to_vec());
                return Ok(());
            }
            Way::ToServer | Way::ToClient => {}
        }
        mail.deliver(mail.bytes)
    })
}

impl Mail<'_> {
    fn deliver(&self, bytes: &[u8]) -> io::Result<()> {
        let to = match self.way {
            Way::ToServer => self.server,
            Way::ToClient => self.client,
        };
        self.socket.send_to(bytes, to)?;
        Ok(())
    }
}

/// Carries datagrams between the server and the client that spoke last, as `network`
/// says. One client at a time: the server knows all of them by the address of the
/// relay.
fn relay(
    target: &Target,
    mut network: impl FnMut(&Mail) -> io::Result<()> + Send + 'static,
) -> io::Result<Running> {
    let server = target.inet()?;
    Running::relaying(bind(server)?, move |socket, ending| {
        carry(socket, server, ending, |way, bytes, client| {
            network(&Mail { way, bytes, socket, server, client })
        })
    })
}

fn carry(
    socket: &UdpSocket,
    server: SocketAddr,
    ending: &AtomicBool,
    mut network: impl FnMut(Way, &[u8], SocketAddr) -> io::Result<()>,
) -> io::Result<()> {
    let lifetime = Deadline::after(LIFETIME);
    let mut client = None;
    let mut buf = vec![0; DATAGRAM];
    loop {
        socket.set_read_timeout(lifetime.remaining()?)?;
        let received = socket.recv_from(&mut buf);
        if ending.load(Ordering::SeqCst) {
            return Ok(());
        }
        let (n, from) = match received {
            Ok(received) => received,
            // A timeout, which the next look at the lifetime tells; a signal; on Windows, a reply
            // that found nobody.
            Err(error) if passes_over(&error) => continue,
            Err(error) => return Err(error),
        };
        let way = if from == server { Way::ToClient } else { Way::ToServer };
        if way == Way::ToServer {
            client = Some(from);
        }
        if let Some(client) = client {
            network(way, &buf[..n], client)?;
        }
    }
}

fn passes_over(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::WouldBlock
            | ErrorKind::TimedOut
            | ErrorKind::Interrupted
            | ErrorKind::ConnectionReset
    )
}
